"""Which store a URI names, with an entry point group for stores that others make.

A package registers its own under `augur_sdk.stores`: the name is the URI's scheme, the object is
called with the URI and the caller's options and returns a `Store`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from augur_sdk.errors import RecordError
from augur_sdk.storage import backends
from augur_sdk.storage.backends import Patience
from augur_sdk.storage.local import LocalFSStore
from augur_sdk.storage.object_store import ObjectStore, S3Store
from augur_sdk.storage.protocol import Store

__all__ = ["GROUP", "is_uri", "object_store_from_uri", "store_from_uri"]

GROUP: Final = "augur_sdk.stores"

_QUERY: Final = re.compile(r"\?[^/?=]+=")
"""Such as `?token=`: what a signed URL carries, and no path that anybody means."""

_KINDS: Final = {
    "s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "az": "az", "azure": "az", "abfs": "az",
    "abfss": "az", "file": "file", "memory": "memory",
}  # fmt: skip


def is_uri(place: object) -> bool:
    """Whether this names a store by scheme; a plain path does not."""
    return isinstance(place, str) and "://" in place


def store_from_uri(uri: str, **options: Any) -> Store:
    """The store that a URI or a local path names.

    A path and `file://` give a LocalFSStore; `s3://`, `gs://`, `az://` and `memory://` an
    ObjectStore; any other scheme is looked for in the entry point group `augur_sdk.stores`.

    Args:
        uri: such as `s3://bucket/runs/42`.
        **options: go to the store; see `ObjectStore.from_uri`.

    Raises:
        RecordError: a scheme that nobody provides, or a URI with credentials in it.
        MissingExtraError: an object store, and obstore is not installed.
    """
    if not is_uri(uri):
        return LocalFSStore(uri, **options)
    scheme = uri.partition("://")[0].lower()
    if scheme == "file":
        return LocalFSStore(_file_path(uri), **options)
    if scheme in _KINDS:
        return ObjectStore.from_uri(uri, **options)
    return _registered(scheme)(uri, **options)


def object_store_from_uri(uri: str, *, patience: Patience, config: dict[str, Any]) -> ObjectStore:
    """See `ObjectStore.from_uri`."""
    scheme, _, rest = uri.partition("://")
    kind = _KINDS.get(scheme.lower())
    if kind is None:
        raise _unknown()
    if kind == "file":
        return ObjectStore(backends.local(str(_file_path(uri))), _file_path(uri).as_uri())
    bucket, _, prefix = rest.partition("/")
    _check_bucket(bucket, rest, kind)
    if kind == "s3":
        return S3Store(bucket, prefix, patience=patience, **config)
    return ObjectStore(_backend(kind, bucket, patience, config), f"{kind}://{rest}", prefix)


def _backend(kind: str, bucket: str, patience: Patience, config: dict[str, Any]) -> Any:
    if kind == "memory":
        return backends.memory(bucket)
    return {"gs": backends.gcs, "az": backends.azure}[kind](bucket, patience, config)


def _check_bucket(bucket: str, rest: str, kind: str) -> None:
    name, _, host = bucket.partition("@")
    if kind == "memory" and not bucket:
        return
    foreign = bool(host) and not host.endswith(backends.AZURE_HOSTS)
    if not name or ":" in name or foreign or _QUERY.search(rest):
        raise RecordError(
            "a store's URI has no usable bucket, or holds credentials",
            expected="such as s3://bucket/prefix",
            fix="Pass credentials by the vendor's usual means, never in the URI.",
        )


def _file_path(uri: str) -> Path:
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    return Path(url2pathname(urlsplit(uri).path)).absolute()


def _registered(scheme: str) -> Callable[..., Store]:
    from importlib.metadata import entry_points

    found = list(entry_points(group=GROUP, name=scheme))
    if not found:
        raise _unknown()
    loaded: Callable[..., Store] = found[0].load()
    return loaded


def _unknown() -> RecordError:
    from importlib.metadata import entry_points

    others = sorted(entry.name for entry in entry_points(group=GROUP))
    return RecordError(
        "no store is known for the scheme of this URI",
        expected="one of " + ", ".join([*sorted(set(_KINDS.values())), *others]),
        fix=f"A package can provide one under the entry point group {GROUP}.",
    )
