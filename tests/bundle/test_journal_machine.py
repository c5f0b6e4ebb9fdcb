"""The journal against a small model: appends, torn tails, flips, faults, reopening."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from augur_sdk.bundle.journal import JournalFile, Ref, Scan, encode_line


class JournalMachine(RuleBasedStateMachine):
    """What was appended and not damaged since is what a reader finds, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "journal.jsonl"
        self.seq = 0
        self.ever: dict[int, bytes] = {}
        self.journal = JournalFile(self.path)
        self.journal.open()

    def teardown(self) -> None:
        self.journal.close()
        self.folder.cleanup()

    def _line(self) -> tuple[bytes, bytes, int]:
        self.seq += 1
        data = b'{"n":%d}' % self.seq
        line, offset = encode_line(self.seq, "event", data, path="events/run.jsonl")
        return line, data, offset

    @rule(count=st.integers(1, 5))
    def append(self, count: int) -> None:
        lines = [self._line() for _ in range(count)]
        start = self.journal.append(b"".join(line for line, _, _ in lines))
        for line, data, offset in lines:
            assert self.journal.read(Ref(start + offset, len(data))) == data
            start += len(line)
            self.ever[self._seq_of(data)] = data

    @staticmethod
    def _seq_of(data: bytes) -> int:
        return int(data[5:-1])

    @rule(written=st.integers(0, 40))
    def append_fails_after_some_bytes(self, written: int) -> None:
        """A full disk takes a part of a line; what is appended next must stand on its own."""
        line, _, _ = self._line()
        self.seq -= 1
        with self.path.open("ab") as file:
            file.write(line[: min(written, len(line) - 1)])
        self.journal.mend()

    @rule(cut=st.integers(1, 30))
    @precondition(lambda self: self.ever)
    def power_cut_tears_the_tail_and_the_journal_is_opened_again(self, cut: int) -> None:
        size = self.path.stat().st_size
        self.journal.close()
        with self.path.open("r+b") as file:
            file.truncate(max(0, size - cut))
        self._reopen()

    @rule(data=st.data())
    @precondition(lambda self: self.ever)
    def a_byte_flips_and_the_journal_is_opened_again(self, data: st.DataObject) -> None:
        self.journal.close()
        content = bytearray(self.path.read_bytes())
        position = data.draw(st.integers(0, len(content) - 1))
        content[position] ^= data.draw(st.integers(1, 255))
        self.path.write_bytes(bytes(content))
        self._reopen()

    def _stands(self, content: bytes, data: bytes) -> bool:
        seq = self._seq_of(data)
        line, _ = encode_line(seq, "event", data, path="events/run.jsonl")
        return content.startswith(line) or b"\n" + line in content

    def _reopen(self) -> None:
        self.journal = JournalFile(self.path)
        self.journal.open()
        list(self.journal.scan(Scan()))

    @rule()
    def a_second_session_is_kept_out(self) -> None:
        from augur_sdk.errors import BundleInUseError

        other = JournalFile(self.path)
        try:
            other.open()
        except BundleInUseError:
            return
        other.close()
        raise AssertionError(errno.EWOULDBLOCK)

    @invariant()
    def a_reader_finds_every_line_that_stands_whole(self) -> None:
        content = self.path.read_bytes()
        whole = {seq: data for seq, data in self.ever.items() if self._stands(content, data)}
        found = Scan()
        read = {line.seq: line.data for line in self.journal.scan(found)}
        assert read == whole
        assert list(read) == sorted(read)
        assert found.intact == len(whole)


JournalMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestJournalMachine = JournalMachine.TestCase
