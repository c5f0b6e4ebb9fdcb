"""From what a runtime or a model API says to records (docs/reference/adapter-authoring.md)."""

from __future__ import annotations

from augur_sdk.adapters.anthropic_computer_use import AnthropicComputerUseAdapter
from augur_sdk.adapters.import_report import ImportLossWarning, ImportReport
from augur_sdk.adapters.model_api import ModelApiAdapterBase
from augur_sdk.adapters.openai_computer_use import OpenAIComputerUseAdapter

__all__ = [
    "AnthropicComputerUseAdapter",
    "ImportLossWarning",
    "ImportReport",
    "ModelApiAdapterBase",
    "OpenAIComputerUseAdapter",
]
