"""The server: the open other side of the wire (contract/server.md).

A second import package of the same distribution. `augur_sdk` never imports it; its command line
does, on use. `create_app` gives the application, `serve` runs it.
"""

from augur_server.app import create_app
from augur_server.settings import Settings

__all__ = ["Settings", "create_app"]
