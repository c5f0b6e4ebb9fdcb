"""Row 1: kill -9 at a random instant."""

from __future__ import annotations

import os
import random
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from scenarios import read_json
from starvation import stopped_and_waited

from augur_sdk import recover_bundle
from augur_sdk.validation import validate_bundle

KILLS = int(os.environ.get("AUGUR_TEST_KILLS", "200"))
KIT = Path(__file__).parents[1] / "kit"

IN_HANDS_AFTER = 0.1
"""The promise, in seconds."""

STALLS = 0.01
"""In how many kills a disk that stalls may cost more. What the machine's cores owe the process,
because others had them, is measured and taken off (kit/starvation.py)."""


@dataclass(frozen=True)
class Loss:
    """A record that did not survive."""

    number: int
    age: float
    """Seconds between the return of its call and the kill."""
    starved: float
    """How much of that the process's threads waited for a core."""

    @property
    def behind(self) -> float:
        """What is the package's own."""
        return self.age - self.starved


@dataclass
class Receipts:
    """What a child said before it was killed."""

    records: dict[int, tuple[float, float]] = field(default_factory=dict)
    """Of each record, when its call returned, and how long threads had waited for a core then."""
    flushed: int = -1
    killed_at: float = 0.0
    waited: float = 0.0

    def losses(self, kept: set[int]) -> list[Loss]:
        """What returned and is not there, the oldest first."""
        return [
            Loss(number, self.killed_at - at, self.waited - waited)
            for number, (at, waited) in self.records.items()
            if number not in kept
        ]

    def take(self, line: str) -> None:
        kind, number, at, waited = line.split()
        if kind == "record":
            self.records[int(number)] = float(at), float(waited)
        elif kind == "flush":
            self.flushed = int(number)


class Zygote:
    """The parent's end of the process that forks recording children."""

    def __init__(self) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(KIT), *sys.path])}
        self.process = subprocess.Popen(
            [sys.executable, str(KIT / "zygote.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )

    def run_and_kill(self, kind: str, folder: Path, after: float) -> Receipts:
        assert self.process.stdin is not None
        self.process.stdin.write(f"run {kind} {folder}\n".encode())
        self.process.stdin.flush()
        receipts = Receipts()
        pid = int(next(self._lines(30)).split()[1])
        deadline = time.monotonic() + after
        for line in self._lines(None, deadline):
            receipts.take(line)
        receipts.killed_at = time.monotonic()
        receipts.waited = stopped_and_waited(pid)
        os.kill(pid, signal.SIGKILL)
        for line in self._lines(30):
            if line.startswith("gone"):
                return receipts
            receipts.take(line)
        raise AssertionError("the child did not go")

    def _lines(self, patience: float | None, deadline: float = 0.0) -> Iterator[str]:
        assert self.process.stdout is not None
        fd = self.process.stdout.fileno()
        buffer = b""
        end = time.monotonic() + patience if patience else deadline
        while (left := end - time.monotonic()) > 0:
            if not select.select([fd], [], [], left)[0]:
                continue
            buffer += os.read(fd, 1) if patience else os.read(fd, 65536)
            *whole, buffer = buffer.split(b"\n")
            yield from (line.decode() for line in whole)
        while buffer:
            # The child is between two bytes of a line; it ends it or is dead.
            buffer += os.read(fd, 1)
            if buffer.endswith(b"\n"):
                yield buffer[:-1].decode()
                buffer = b""

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(30)


@pytest.fixture
def zygote() -> Iterator[Zygote]:
    process = Zygote()
    yield process
    process.close()


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and kill -9")
@pytest.mark.parametrize("kind", ["blocking", "async"])
def test_kill_9_loses_nothing_that_flush_covered_and_nothing_older_than_100_ms(
    tmp_path: Path, zygote: Zygote, kind: str
) -> None:
    seed = int(os.environ.get("AUGUR_TEST_SEED", time.time_ns() % 10**6))
    print(f"seed {seed}")
    chance = random.Random(seed)  # noqa: S311 - no secret
    late: list[Loss] = []
    for number in range(KILLS // 2):
        folder = tmp_path / str(number)
        receipts = zygote.run_and_kill(kind, folder, chance.uniform(0.005, 0.45))
        kept = recovered_steps(folder)
        assert set(range(receipts.flushed + 1)) <= kept, (seed, number)
        late += [loss for loss in receipts.losses(kept) if loss.behind > IN_HANDS_AFTER][:1]
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{kind}: in {len(late)} of {KILLS // 2} kills something older than 100 ms was lost")
    assert len(late) <= KILLS / 2 * STALLS + 1, (seed, late)


def recovered_steps(folder: Path) -> set[int]:
    """Recover, hold the bundle against its schema, and return the indices it has."""
    if not (folder / "journal.jsonl").exists():
        return set()
    if (folder / "journal.jsonl").stat().st_size == 0:
        return set()
    report = recover_bundle(folder)
    assert report.status == "halted"
    assert report.damaged <= 1  # the line that was being written
    assert [issue.render() for issue in validate_bundle(folder)] == []
    assert not (folder / "journal.jsonl").exists()
    steps = read_json(folder / "trace.json")["steps"]
    for record in steps:
        assert (folder / f"screenshots/{record['step_index']:04d}_pre.png").exists()
    return {record["step_index"] for record in steps}
