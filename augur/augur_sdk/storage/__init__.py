"""Where bundles live: the documented `Store`, the local folder, and object stores.

`obstore` is imported when the first object store is made, not before. The mirror, the reader and
the list of runs are modules of their own: `storage.mirror`, `storage.pushing`,
`storage.reading`, `storage.runs`.
"""

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
