"""Where bundles live: the documented `Store`, the local folder, and object stores.

`obstore` is imported when the first object store is made, not before. The mirror, the reader and
the list of runs are modules of their own: `storage.mirror`, `storage.pushing`,
`storage.reading`, `storage.runs`.
"""

from typing import TYPE_CHECKING, Final

from augur_sdk._later import later

if TYPE_CHECKING:
    from augur_sdk.storage.asynchronous import as_async
    from augur_sdk.storage.backends import Patience
    from augur_sdk.storage.failures import StoreError
    from augur_sdk.storage.local import LocalFSStore
    from augur_sdk.storage.object_store import ObjectStore, S3Store
    from augur_sdk.storage.protocol import AsyncStore, ListingStore, Store
    from augur_sdk.storage.uris import store_from_uri

__all__ = [
    "AsyncStore",
    "ListingStore",
    "LocalFSStore",
    "ObjectStore",
    "Patience",
    "S3Store",
    "Store",
    "StoreError",
    "as_async",
    "store_from_uri",
]

_LATER: Final = {
    "AsyncStore": "augur_sdk.storage.protocol",
    "ListingStore": "augur_sdk.storage.protocol",
    "LocalFSStore": "augur_sdk.storage.local",
    "ObjectStore": "augur_sdk.storage.object_store",
    "Patience": "augur_sdk.storage.backends",
    "S3Store": "augur_sdk.storage.object_store",
    "Store": "augur_sdk.storage.protocol",
    "StoreError": "augur_sdk.storage.failures",
    "as_async": "augur_sdk.storage.asynchronous",
    "store_from_uri": "augur_sdk.storage.uris",
}

if not TYPE_CHECKING:  # type checkers see the imports above, and report any other name
    __getattr__, __dir__ = later(__name__, _LATER)
