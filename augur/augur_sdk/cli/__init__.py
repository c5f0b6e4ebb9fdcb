"""The `augur` command line. Needs the extra `cli`; everything else of the package does not."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line, and leave the process with its exit code.

    0: all is well. 1: there is something wrong with the bundle or the run. 2: the command was
    used wrongly, the folder is not a bundle, or something that is needed is not there.
    """
    try:
        import rich  # noqa: F401 - asked for here so that the hint comes before a traceback
        import typer  # noqa: F401 - the same
    except ImportError:
        print("augur: the command line needs: pip install 'augur-sdk[cli]'", file=sys.stderr)
        sys.exit(2)
    from augur_sdk.cli.app import run

    sys.exit(run())
