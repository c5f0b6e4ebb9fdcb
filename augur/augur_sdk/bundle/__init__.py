"""The bundle on disk: its paths, the journal it grows from, how it is finished and recovered."""

from typing import TYPE_CHECKING, Final

from augur_sdk._later import later

if TYPE_CHECKING:
    from augur_sdk.session.writing import write_bundle

__all__ = ["write_bundle"]

# The published name of something that takes a whole session to do.
_LATER: Final = {"write_bundle": "augur_sdk.session.writing"}

if not TYPE_CHECKING:  # type checkers see the import above, and report any other name
    __getattr__, __dir__ = later(__name__, _LATER)
