"""Programs written for the published 0.6.1 give the same bundles and requests here.

Ten programs run unchanged against both packages, each in its own environment, and everything that
they leave behind is compared field by field. `meant.json` says what is meant to differ and why.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from augur_sdk import validate_bundle
from augur_sdk.testing import CaptureServer
from augur_sdk.testing.loopback import ReceivedRequest

PUBLISHED: Final = "augur-sdk==0.6.1"
HERE: Final = Path(__file__).parent
PROGRAMS: Final = sorted(
    path.stem for path in (HERE / "programs").glob("*.py") if path.stem != "common"
)
MEANT: Final[dict[str, str]] = json.loads((HERE / "meant.json").read_text("utf-8"))

pytestmark = [pytest.mark.once, pytest.mark.slow, pytest.mark.timeout(300)]


@dataclass(frozen=True)
class Left:
    """What a program left behind: its bundles by path, and its requests by route."""

    folder: Path
    files: dict[str, Any]
    requests: dict[str, list[Any]]


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Python that has the published package, or `AUGUR_TEST_PUBLISHED`."""
    given = os.environ.get("AUGUR_TEST_PUBLISHED")
    if given:
        return given
    folder = tmp_path_factory.mktemp("published")
    venv.create(folder, with_pip=True)
    python = str(folder / "bin/python")
    install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", PUBLISHED]
    done = subprocess.run(install, capture_output=True, text=True, timeout=240, check=False)
    if done.returncode:
        pytest.skip(f"{PUBLISHED} cannot be installed: {done.stderr.strip()[-200:]}")
    return python


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_leaves_the_same_behind(program: str, published: str, tmp_path: Path) -> None:
    theirs = leave(published, program, tmp_path / "theirs")
    ours = leave(sys.executable, program, tmp_path / "ours")
    found = [
        *(f"bundle {place}" for place in differences(theirs.files, ours.files)),
        *(f"request {place}" for place in wire_differences(theirs.requests, ours.requests)),
    ]
    assert sorted({place for place in found if not is_meant(place)}) == []


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_bundle_of_the_published_package_is_valid_here(
    program: str, published: str, tmp_path: Path
) -> None:
    left = leave(published, program, tmp_path)
    bundles = [path.parent for path in left.folder.glob("*/manifest.json")]
    assert bundles
    for bundle in bundles:
        assert [issue.render() for issue in validate_bundle(bundle)] == []


def leave(python: str, program: str, folder: Path) -> Left:
    folder.mkdir(exist_ok=True)
    code = HERE / "programs" / f"{program}.py"
    with CaptureServer() as server:
        environment = {**os.environ, "AUGUR_DSN": server.dsn, "PYTHONPATH": str(code.parent)}
        subprocess.run([python, str(code), str(folder)], env=environment, check=True, timeout=60)
        requests = list(server.requests)
    return Left(folder, dict(read(folder)), by_route(requests))


def read(folder: Path) -> Iterator[tuple[str, Any]]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and "/schema/" not in name:  # the same shapes, in other words
            yield name, decoded(path.read_bytes(), name)


def decoded(data: bytes, name: str) -> Any:
    if name.endswith(".json"):
        return json.loads(data)
    if name.endswith(".jsonl"):
        return [json.loads(line) for line in data.splitlines()]
    return data


def by_route(requests: list[ReceivedRequest]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for request in requests:
        if request.segments[-1] not in {"heartbeat", "commands"}:  # go by the clock
            found.setdefault(f"{request.method} {request.path}", []).append(body(request))
    return found


def body(request: ReceivedRequest) -> Any:
    kind = request.headers.get("content-type", "")
    if "boundary=" in kind:
        return request.body.replace(kind.partition("boundary=")[2].encode(), b"")
    return request.json if "json" in kind else request.body


def differences(theirs: Any, ours: Any, place: str = "") -> Iterator[str]:
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for name in theirs.keys() | ours.keys():
            where = f"{place} {name}" if "/" in name else f"{place}.{name}"
            if name not in ours or name not in theirs:
                yield f"{where} {'lost' if name in theirs else 'new'}"
            else:
                yield from differences(theirs[name], ours[name], where)
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for one, other in zip(theirs, ours, strict=True):
            yield from differences(one, other, f"{place}[]")
    elif theirs != ours:
        yield f"{place} changed"


def wire_differences(theirs: dict[str, list[Any]], ours: dict[str, list[Any]]) -> Iterator[str]:
    """Each body of ours that is the last of its route, against the nearest of theirs.

    The published package sends from many threads and takes what is last for what is right.
    """
    for route in theirs.keys() | ours.keys():
        if route not in theirs or route not in ours:
            yield f"{route} {'lost' if route in theirs else 'new'}"
            continue
        each = [
            [place for place in differences(one, ours[route][-1], route) if not is_meant(place)]
            for one in theirs[route]
        ]
        yield from min(each, key=len)


def is_meant(place: str) -> bool:
    return any(re.search(pattern, place) for pattern in MEANT)


def test_the_docs_say_what_is_meant_to_differ() -> None:
    page = (HERE.parents[1] / "docs/compatibility.md").read_text("utf-8")
    assert [reason for reason in MEANT.values() if reason not in page] == []
