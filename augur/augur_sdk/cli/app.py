"""The application: every module of `augur_sdk.cli.commands`, put together."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Sequence
from typing import Annotated, Final

import typer

from augur_sdk._version import __version__
from augur_sdk.cli import commands
from augur_sdk.cli.exit_codes import ExitCode
from augur_sdk.cli.terminal import harmless
from augur_sdk.errors import AugurError

__all__ = ["build_app", "run"]

EPILOG: Final = (
    "Exit codes: 0 all is well; 1 something is wrong with the bundle or the run; 2 wrong usage, "
    "not a bundle, or something that is needed is not there."
)


def build_app() -> typer.Typer:
    """Put the application together from the command modules."""
    app = typer.Typer(
        name="augur",
        help="Look after bundles: the recorded runs of computer-use agents.",
        epilog=EPILOG,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for module in pkgutil.iter_modules(commands.__path__):
        name = module.name.rstrip("_").replace("_", "-")
        loaded = importlib.import_module(f"{commands.__name__}.{module.name}")
        if hasattr(loaded, "group"):
            app.add_typer(loaded.group, name=name)
        else:
            app.command(name, epilog=EPILOG)(loaded.command)
    return app


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command, and return its exit code.

    What this package raises on purpose, and what the file system refuses, is said in one line.

    Args:
        arguments: The command and its options; those of the process unless given.
    """
    try:
        build_app()(args=arguments)
    except (AugurError, OSError) as error:
        print(f"augur: {harmless(str(error))}", file=sys.stderr)
        return ExitCode.UNUSABLE
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else ExitCode.OK
    return ExitCode.OK


def _say_version(wanted: bool) -> None:
    if wanted:
        print(f"augur {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool,
        typer.Option("--version", help="Say the version.", callback=_say_version, is_eager=True),
    ] = False,
) -> None:
    pass
