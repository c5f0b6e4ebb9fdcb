"""`ModelApiAdapterBase` under its published module name (contract/behaviour.md, Drop-in)."""

from augur_sdk.adapters import ModelApiAdapterBase

__all__ = ["ModelApiAdapterBase"]
