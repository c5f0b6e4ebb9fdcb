"""The score components under their published module name (contract/behaviour.md, Drop-in)."""

from augur_sdk.models import CANONICAL_SCORE_COMPONENTS, ScoreComponents

__all__ = ["CANONICAL_SCORE_COMPONENTS", "ScoreComponents"]
