from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from augur_sdk.streaming.delivery import Item
from augur_sdk.streaming.outbox import SET_ASIDE, Outbox, Parcel
from augur_sdk.streaming.routes import Wire


async def no_body() -> bytes:
    return b"{}"


def item(seq: int, kind: Wire = Wire.STEP, step: int | None = None, name: str = "") -> Item:
    return Item(seq, kind, no_body, step, name, 10)


def filled(*items: Item) -> Outbox:
    outbox = Outbox()
    for one in items:
        outbox.add(one)
    return outbox


def take(outbox: Outbox, now: float = 0.0) -> Parcel:
    parcel = outbox.take(now)
    assert parcel is not None
    return parcel


def sequence(outbox: Outbox) -> list[int]:
    """Everything that goes, one after the other, when all is accepted."""
    sent = []
    while (parcel := outbox.take(0.0)) is not None:
        sent.append(parcel.item.seq)
        outbox.settled(parcel)
    return sent


def test_the_oldest_goes_first() -> None:
    outbox = filled(item(1, step=5), item(2, step=3), item(3, step=4))
    assert sequence(outbox) == [1, 2, 3]
    assert len(outbox) == 0


def test_of_several_updates_the_latest_travels_in_the_place_of_the_first() -> None:
    outbox = filled(item(1, step=0), item(2, step=1), item(3, step=0))
    parcel = take(outbox)
    assert parcel.item.seq == 3
    assert parcel.covers == [1, 3]


def test_one_request_of_a_lane_is_under_way_at_a_time() -> None:
    outbox = filled(item(1, step=0))
    first = take(outbox)
    outbox.add(item(2, step=0))
    assert outbox.take(0.0) is None
    outbox.settled(first)
    assert take(outbox).covers == [2]


def test_a_failed_record_that_was_replaced_meanwhile_is_not_sent_again() -> None:
    outbox = filled(item(1, step=0))
    first = take(outbox)
    outbox.add(item(2, step=0))
    outbox.failed(first, now=0.0, wait=1.0, unclear=False)
    second = take(outbox)
    assert second.item.seq == 2
    assert second.covers == [1, 2]
    outbox.settled(second)
    assert len(outbox) == 0


def test_events_of_a_step_travel_one_by_one_in_order() -> None:
    outbox = filled(*(item(n, Wire.EVENT, step=0) for n in range(1, 4)))
    assert sequence(outbox) == [1, 2, 3]


def test_an_iteration_and_its_canonical_step_are_two_records_and_the_canonical_is_last() -> None:
    outbox = filled(
        item(1, step=0, name="s0"),
        item(2, step=0, name="again"),
        item(3, step=1, name="s1"),
        item(1, step=0, name="s0"),
    )
    assert sequence(outbox) == [2, 1, 3]
    assert len(outbox) == 0


def test_a_step_on_its_way_goes_once_more_behind_an_iteration() -> None:
    outbox = filled(item(1, step=0, name="s0"))
    first = take(outbox)
    outbox.add(item(2, step=0, name="again"))
    outbox.add(item(1, step=0, name="s0"))
    outbox.settled(first)
    assert sequence(outbox) == [2, 1]
    assert len(outbox) == 0


def test_side_effects_each_travel_alone_and_in_order() -> None:
    outbox = filled(*(item(n, Wire.SIDE_EFFECT, name="se_1") for n in (1, 2)))
    assert sequence(outbox) == [1, 2]


def test_nothing_goes_before_the_first_session_record_is_settled() -> None:
    outbox = filled(item(1, Wire.SESSION), item(2, step=0))
    opening = take(outbox)
    assert outbox.take(0.0) is None
    outbox.failed(opening, now=0.0, wait=9.0, unclear=True)
    assert outbox.take(1.0) is None
    opening = take(outbox, now=10.0)
    outbox.settled(opening)
    assert take(outbox).kind is Wire.STEP


def test_a_later_session_record_holds_nobody_up() -> None:
    outbox = filled(item(1, Wire.SESSION))
    outbox.settled(take(outbox))
    outbox.add(item(2, Wire.SESSION))
    outbox.add(item(3, step=0))
    assert {take(outbox).kind, take(outbox).kind} == {Wire.SESSION, Wire.STEP}


def test_the_trace_goes_first_and_the_manifest_last() -> None:
    outbox = filled(
        item(1, Wire.SESSION), item(2, Wire.EVENT, step=0), item(3, step=0), item(4, Wire.TRACE)
    )
    outbox.add(item(5, Wire.MANIFEST))
    trace = take(outbox)
    assert trace.covers == [1, 4]
    outbox.settled(trace)
    assert sequence(outbox) == [2, 3, 5]


def test_when_time_runs_out_the_manifest_does_not_wait_for_steps() -> None:
    outbox = filled(item(1, Wire.TRACE))
    outbox.settled(take(outbox))
    for late in (item(2, step=0), item(3, Wire.EVENT), item(4, Wire.MANIFEST)):
        outbox.add(late)
    outbox.last_call = True
    assert sequence(outbox) == [3, 4, 2]


def test_at_the_end_steps_go_behind_what_the_trace_does_not_hold() -> None:
    outbox = filled(item(1, Wire.SESSION), item(2, step=0), item(3, Wire.EVENT))
    outbox.add(item(4, Wire.MANIFEST))
    outbox.closing = True
    assert sequence(outbox) == [1, 3, 2, 4]


def test_no_step_is_under_way_when_the_trace_goes() -> None:
    outbox = filled(item(1, Wire.SESSION))
    outbox.settled(take(outbox))
    for waiting in (item(2, step=0), item(3, step=1), item(4, Wire.EVENT)):
        outbox.add(waiting)
    flying = take(outbox)
    outbox.add(item(5, Wire.TRACE))
    assert take(outbox).kind is Wire.EVENT
    assert outbox.take(0.0) is None
    outbox.settled(flying)
    assert take(outbox).kind is Wire.TRACE


def test_a_record_that_breaks_the_server_does_not_hold_up_the_end() -> None:
    outbox = filled(item(1, step=0), item(2, Wire.MANIFEST))
    for _ in range(SET_ASIDE):
        outbox.failed(take(outbox, now=100.0), now=0.0, wait=1.0, unclear=True)
    assert take(outbox, now=0.5).kind is Wire.MANIFEST


def test_a_record_set_aside_lets_another_one_be_the_probe() -> None:
    outbox = filled(item(1, step=0), item(2, step=1))
    for _ in range(SET_ASIDE):
        parcel = take(outbox, now=100.0)
        assert parcel.item.seq == 1
        outbox.failed(parcel, now=0.0, wait=1.0, unclear=True)
    assert take(outbox, now=1.0).item.seq == 2
    assert outbox.next_time(1.0) > 1.0


def test_what_waits_for_the_opening_to_be_settled_waits_for_no_time() -> None:
    outbox = filled(item(1, Wire.SESSION), item(2, step=0))
    take(outbox, now=0.0)
    assert not outbox.ready(1.0)
    assert outbox.next_time(1.0) == float("inf")


def test_a_closed_channels_records_are_dropped() -> None:
    calls = [item(n, Wire.MODELIO, name=str(n)) for n in (1, 2)]
    outbox = filled(*calls, item(3, step=0))
    assert sorted(outbox.discard(Wire.MODELIO)) == [1, 2]
    assert sequence(outbox) == [3]


def test_records_that_the_source_replaced_count_too() -> None:
    outbox = filled(Item(5, Wire.STEP, no_body, 0, also=(2, 3)))
    assert len(outbox) == 1
    assert take(outbox).covers == [2, 3, 5]


OUTCOMES = st.lists(st.sampled_from(["ok", "host", "unclear", "add", "take"]), max_size=120)


@given(plan=OUTCOMES, data=st.data())
def test_no_step_ever_goes_back_and_nothing_is_forgotten(
    plan: list[str], data: st.DataObject
) -> None:
    outbox, flying, seq, now = Outbox(), list[Parcel](), 0, 0.0
    accepted: dict[int, list[int]] = {}
    settled: list[int] = []

    def accept(parcel: Parcel) -> None:
        outbox.settled(parcel)
        settled.extend(parcel.covers)
        accepted.setdefault(parcel.item.step_index or 0, []).append(parcel.item.seq)

    for action in plan:
        now += 1.0
        if action == "add":
            seq += 1
            outbox.add(item(seq, step=data.draw(st.integers(0, 3))))
        elif action == "take":
            parcel = outbox.take(now)
            flying += [parcel] if parcel else []
        elif flying:
            parcel = flying.pop(data.draw(st.integers(0, len(flying) - 1)))
            if action == "ok":
                accept(parcel)
            else:
                outbox.failed(parcel, now, 1.0, unclear=action == "unclear")
    for parcel in flying:
        accept(parcel)
    while (parcel := outbox.take(1e9)) is not None:
        accept(parcel)
    assert sorted(settled) == list(range(1, seq + 1))
    assert len(outbox) == 0
    assert all(seqs == sorted(seqs) for seqs in accepted.values())
