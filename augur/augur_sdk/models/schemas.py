"""The JSON Schemas of the records, as they go into a bundle's `schema/` folder.

They are generated from the record types by `augur_sdk.models.generate` and shipped as files, so
that closing a session only copies them.
"""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Final

__all__ = ["schema_files"]

_SUFFIX: Final = ".schema.json"
_PACKAGE: Final = Path(__file__).parents[1]
_HOMES: Final = (_PACKAGE / "_schemas", _PACKAGE.parents[1] / "schemas")
"""Where the generated files are: in an installed package, and in a checkout."""


@functools.cache
def schema_files() -> Mapping[str, bytes]:
    """Return the bytes of each schema file by record name.

    The files are read once a process; where they are absent the schemas are generated.
    """
    for home in _HOMES:
        try:
            return _read(home)
        except FileNotFoundError:
            continue
    from augur_sdk.models.generate import all_schemas

    return all_schemas()


def _read(home: Path) -> dict[str, bytes]:
    """Read what is there: the names are not taken from the shapes, which take long to import.

    Raises:
        FileNotFoundError: Nothing is there.
    """
    found = {path.name.removesuffix(_SUFFIX): path for path in home.glob(f"*{_SUFFIX}")}
    if not found:
        raise FileNotFoundError(home)
    return {name: found[name].read_bytes() for name in sorted(found)}
