"""How each vendor's store is made with `obstore`: endpoints, credentials, patience.

`obstore` is imported here, at the first use. Credentials are looked for where the vendor's own
tools look: arguments, environment, shared files (AWS profiles), workload identity, the machine's
metadata service.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from datetime import timedelta
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from augur_sdk.errors import MissingExtraError, RecordError
from augur_sdk.storage.aws_profile import credential_provider
from augur_sdk.storage.failures import StoreError

if TYPE_CHECKING:
    from obstore.store import ClientConfig, LocalStore, MemoryStore, RetryConfig
    from obstore.store import ObjectStore as Backend

__all__ = ["Patience", "azure", "gcs", "local", "memory", "obstore_module", "runtime", "s3"]

AZURE_HOSTS: Final = (".dfs.core.windows.net", ".blob.core.windows.net")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an object store is waited for before a call gives up with a StoreError.

    Attributes:
        connect_timeout: seconds to open a connection.
        timeout: seconds for one request with its body; a large file is many requests.
        retries: further tries of one request after a connection error, a 5xx, 429 or a timeout.
        retry_window: seconds after the first try in which a further one may begin.
    """

    connect_timeout: float = 5.0
    timeout: float = 60.0
    retries: int = 3
    retry_window: float = 60.0

    def retry_config(self) -> RetryConfig:
        """As obstore takes it."""
        return {
            "max_retries": self.retries,
            "retry_timeout": timedelta(seconds=self.retry_window),
            "backoff": {
                "init_backoff": timedelta(milliseconds=100),
                "max_backoff": timedelta(seconds=5),
                "base": 2,
            },
        }

    def client_options(self, *, plain_http: bool) -> ClientConfig:
        """As obstore takes it; `plain_http` for an endpoint that is not https."""
        return {
            "connect_timeout": timedelta(seconds=self.connect_timeout),
            "timeout": timedelta(seconds=self.timeout),
            "allow_http": plain_http,
        }


def obstore_module() -> ModuleType:
    """`obstore`, or MissingExtraError that says how to install it."""
    try:
        import obstore
        import obstore.exceptions
        import obstore.store
    except ImportError:
        raise MissingExtraError("An object store", "object-store") from None
    return obstore


_runtime_pid: int | None = None


def runtime() -> ModuleType:
    """`obstore`, for a call that does I/O.

    Raises:
        StoreError: this process was forked from one that had done I/O. The threads that obstore
            needs are not there then, and a call would wait for ever.
    """
    global _runtime_pid  # one a process, like obstore's own runtime
    pid = os.getpid()
    if _runtime_pid is None:
        _runtime_pid = pid
    if _runtime_pid != pid:
        raise StoreError("refused", "not after a fork: start the process by spawn")
    return obstore_module()


def s3(bucket: str, patience: Patience, *, profile: str | None, config: dict[str, Any]) -> Backend:
    """Amazon S3 and what speaks its protocol."""
    store = obstore_module().store
    endpoint = config.get("endpoint") or _environment("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
    known = {"endpoint": endpoint, **config}
    provider = None
    if "access_key_id" not in config and not config.get("skip_signature"):
        provider = credential_provider(os.environ, profile)
    backend: Backend = store.S3Store(
        bucket,
        **{key: value for key, value in known.items() if value is not None},
        **({"credential_provider": provider} if provider else {}),
        client_options=patience.client_options(plain_http=_plain(endpoint)),
        retry_config=patience.retry_config(),
    )
    return backend


def gcs(bucket: str, patience: Patience, config: dict[str, Any]) -> Backend:
    """Google Cloud Storage."""
    endpoint = config.get("base_url") or _environment("GOOGLE_BASE_URL", "STORAGE_EMULATOR_HOST")
    backend: Backend = obstore_module().store.GCSStore(
        bucket,
        **({"base_url": endpoint} if endpoint else {}),
        **{key: value for key, value in config.items() if key != "base_url"},
        client_options=patience.client_options(plain_http=_plain(endpoint)),
        retry_config=patience.retry_config(),
    )
    return backend


def azure(container: str, patience: Patience, config: dict[str, Any]) -> Backend:
    """Azure Blob Storage. `container@account.dfs.core.windows.net` names its account itself."""
    name, _, host = container.partition("@")
    known = dict(config)
    if host:
        known.setdefault("account_name", host.partition(".")[0])
    endpoint = known.get("endpoint") or _environment("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT")
    module = obstore_module()
    try:
        backend: Backend = module.store.AzureStore(
            name,
            **known,
            client_options=patience.client_options(plain_http=_plain(endpoint)),
            retry_config=patience.retry_config(),
        )
    except module.exceptions.BaseError as error:
        # The library's text is a structure, and may quote what it was configured with.
        raise RecordError(
            f"the Azure store cannot be used as it is configured ({type(error).__name__})",
            expected="an account, such as az://container@account.dfs.core.windows.net/prefix",
            fix="Or set AZURE_STORAGE_ACCOUNT_NAME, and credentials by Azure's usual means.",
        ) from None
    return backend


def local(path: str) -> LocalStore:
    """A folder, through the same interface."""
    backend: LocalStore = obstore_module().store.LocalStore(path, mkdir=True)
    return backend


_memories: dict[str, MemoryStore] = {}
_memories_lock = threading.Lock()


def memory(name: str) -> MemoryStore:
    """Memory of this process: one a name, so that a URI means one place; nameless is always new."""
    make = obstore_module().store.MemoryStore
    if not name:
        fresh: MemoryStore = make()
        return fresh
    with _memories_lock:
        if name not in _memories:
            _memories[name] = make()
        return _memories[name]


def _environment(*names: str) -> str | None:
    return next((os.environ[name] for name in names if os.environ.get(name)), None)


def _plain(endpoint: str | None) -> bool:
    return endpoint is not None and endpoint.startswith("http://")
