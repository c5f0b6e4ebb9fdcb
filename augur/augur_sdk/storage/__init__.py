"""Where bundles live: the documented `Store`, the local folder, and object stores.

`obstore` is imported when the first object store is made, not before. The mirror, the reader and
the list of runs are modules of their own: `storage.mirror`, `storage.reading`, `storage.runs`.
"""

from augur_sdk.storage.local import LocalFSStore
from augur_sdk.storage.protocol import Store

__all__ = ["LocalFSStore", "Store"]
