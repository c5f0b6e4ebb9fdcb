"""The TLS context, from the variables that operators already set."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Final

__all__ = ["CA_VARIABLES", "ENV_CERT", "ENV_KEY", "client_context"]

ENV_CERT: Final = "AUGUR_CLIENT_CERT"
ENV_KEY: Final = "AUGUR_CLIENT_KEY"
CA_VARIABLES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
"""Tried in this order; the first one that is set replaces the built-in authorities."""


def client_context(env: Mapping[str, str] | None = None) -> ssl.SSLContext:
    """Build the context: a private CA where one is named, a client certificate where one is.

    Raises:
        OSError: A file is missing, or is not what it should be (`ssl.SSLError` is one).
    """
    env = os.environ if env is None else env
    file, folder = _authorities(env)
    context = ssl.create_default_context(cafile=file, capath=folder)
    certificate = env.get(ENV_CERT)
    if certificate:
        # Without a password callback OpenSSL would ask on the terminal and never return.
        context.load_cert_chain(certificate, env.get(ENV_KEY) or None, password=lambda: "")
    return context


def _authorities(env: Mapping[str, str]) -> tuple[str | None, str | None]:
    """The file or the folder with the authorities' certificates."""
    named = next((path for name in CA_VARIABLES if (path := env.get(name))), None)
    if named is None:
        import certifi

        return certifi.where(), None
    return (None, named) if Path(named).is_dir() else (named, None)
