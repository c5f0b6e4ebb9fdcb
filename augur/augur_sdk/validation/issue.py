"""One thing that is wrong with a bundle."""

from dataclasses import dataclass

__all__ = ["ValidationIssue", "printable"]


@dataclass(frozen=True, slots=True)
class ValidationIssue:
    """One thing that is wrong with a bundle. It quotes nothing that was recorded.

    Attributes:
        where: The bundle-relative file, with `:<line>` where the file is read a line at a time;
            the bundle's folder when the issue is about all of it.
        message: What is wrong, and what to do where that is not obvious.
        path: The place inside the file, as keys and indices joined by dots
            (`steps.3.verdict.status`); empty for the whole file.
    """

    where: str
    message: str
    path: str = ""

    def render(self) -> str:
        """Return the issue as one line for a person to read."""
        return ": ".join(part for part in (self.where, self.path, self.message) if part)


def printable(name: str) -> str:
    """Return a file name that a terminal, a log or a UTF-8 file can take."""
    return name if name.isprintable() else ascii(name)[1:-1]
