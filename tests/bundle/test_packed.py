"""Packed columns behave as the dicts do that they stand for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augur_sdk.bundle import layout
from augur_sdk.bundle.columns import _EMPTY, _SPARE, Column, numbers, texts
from augur_sdk.bundle.journal import Ref
from augur_sdk.bundle.packed import _FAMILIES, Digests, LineRefs, RefsByPath, RefsByStep

indexes = st.one_of(st.integers(0, 40), st.integers(-3, 5000), st.integers(-(2**70), 2**70))
values = st.one_of(st.integers(1, 9), st.integers(1, 2**80))
edits = st.lists(st.tuples(indexes, st.one_of(st.none(), values)), max_size=60)


@given(edits)
def test_a_column_holds_what_a_dict_would(edits: list[tuple[int, int | None]]) -> None:
    """An edit of None takes the value away."""
    column, model = numbers(), dict[int, int]()
    for index, value in edits:
        if value is None:
            column.discard(index)
            model.pop(index, None)
        else:
            column[index] = value
            model[index] = value
    assert list(column.items()) == sorted(model.items())
    assert list(column.values()) == [value for _, value in sorted(model.items())]
    assert len(column) == len(model)
    for index, _ in edits:
        assert (index in column) == (index in model)
        assert column.get(index, 0) == model.get(index, 0)


@pytest.mark.parametrize("stride", [2, 3, 5, 1000, 10**6])
def test_numbering_steps_with_gaps_leaves_few_rows_empty(stride: int) -> None:
    column = numbers()
    for number in range(3000):
        column[number * stride] = 1
    assert len(column) == 3000
    assert len(column._rows) <= _EMPTY * (3000 + _SPARE)


def test_a_missing_value_is_a_key_error() -> None:
    column: Column[str] = texts()
    column[3] = "here"
    for index in (0, 4, -1):
        with pytest.raises(KeyError):
            column[index]


@given(st.integers(0, 2**50), st.integers(1, 2**32 - 1), st.integers(0, 2**40))
def test_a_reference_comes_back_as_it_was(offset: int, length: int, index: int) -> None:
    by_step, by_path = RefsByStep(), RefsByPath()
    by_step[index] = by_path[layout.step_path(index)] = ref = Ref(offset, length)
    assert by_step[index] == by_path[layout.step_path(index)] == ref
    assert list(by_step.values()) == [ref]
    assert list(by_path) == [layout.step_path(index)]
    by_path.discard(layout.step_path(index))
    assert layout.step_path(index) not in by_path
    assert by_path.get(layout.step_path(index)) is None


steps = st.one_of(st.integers(0, 30), st.integers(9_990, 10_010), st.integers(0, 2**53))
paths = st.one_of(
    st.builds(layout.screenshot_path, steps, st.sampled_from(["pre", "post"])),
    st.builds(layout.modelio_path, steps, st.sampled_from(["planner", "a/b"]), st.integers(0, 2)),
    *(st.builds(of, steps) for of in (layout.step_path, layout.events_path, layout.fixture_path)),
    st.builds(layout.log_path, st.just("run"), steps),
    st.sampled_from(
        [
            layout.TRACE,
            layout.REASONING,
            layout.events_path(None),
            layout.iteration_path(3, "a"),
            "steps/7.json",
            "steps/00012.json",
            "steps/\u0663\u0663\u0663\u0663.json",
            "steps/0003.json\n",
            "steps/",
        ]
    ),
)
some_digests = st.binary(min_size=32, max_size=32).filter(any)  # no file's is nothing but zeros


@given(st.lists(st.tuples(paths, st.one_of(st.none(), some_digests)), max_size=60))
def test_digests_are_those_of_a_dict(edits: list[tuple[str, bytes | None]]) -> None:
    digests, model = Digests(), dict[str, bytes]()
    for path, digest in edits:
        if digest is None:
            digests.discard(path)
            model.pop(path, None)
        else:
            digests[path] = model[path] = digest
    assert digests.in_hex() == {path: digest.hex() for path, digest in model.items()}
    assert all((path in digests) == (path in model) for path, _ in edits)


def test_many_names_from_outside_do_not_each_get_a_column() -> None:
    digests = Digests()
    names = [layout.modelio_path(7, f"layer{n}", 0) for n in range(2 * _FAMILIES)]
    for name in names:
        digests[name] = b"\1" * 32
    assert len(digests._families) == _FAMILIES
    assert set(digests.in_hex()) == set(names)


def test_a_steps_files_are_found_by_the_beginning_of_their_paths() -> None:
    refs = RefsByPath()
    mine = [layout.modelio_path(7, "planner", n) for n in range(3 * _FAMILIES)]
    mine += [layout.side_effect_path(7, "a"), layout.side_effect_path(7, "b")]
    others = [layout.modelio_path(n, "planner", 0) for n in (0, 70, 70_000)]
    others += [layout.side_effect_path(70, "a"), layout.modelio_path(None, "planner", 0)]
    for path in (*mine, *others):
        refs[path] = Ref(1, 1)
    found = refs.of_prefix("modelio/0007-") + refs.of_prefix("side_effects/0007-")
    assert sorted(found) == sorted(mine)


def test_the_lines_of_a_file_are_those_added_but_the_ones_of_a_withheld_step() -> None:
    lines = LineRefs()
    for number, step in enumerate([None, 3, 4, 3]):
        lines.append(Ref(number, 10), step)
    assert len(lines) == 4
    assert lines.since(2) == [Ref(2, 10), Ref(3, 10)]
    assert lines.without(3).since(0) == [Ref(0, 10), Ref(2, 10)]
    assert lines.without(None).since(0) == [Ref(1, 10), Ref(2, 10), Ref(3, 10)]
