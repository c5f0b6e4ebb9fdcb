"""What was in effect when a step was captured: versions of its inputs, the environment's shape."""

from typing_extensions import TypedDict

from augur_sdk.models.constraints import closed

__all__ = ["CapturedVersions", "EnvFingerprint"]


@closed
class CapturedVersions(TypedDict, total=False):
    """The versions of a step's inputs, so that a change of outcome can be traced to one of them."""

    model: str
    """The model's name, as its vendor spells it."""
    prompt: str
    """A readable id of the prompt."""
    prompt_hash: str
    """A digest of the prompt's text; the key to group by."""
    tool_descriptions_hash: str
    """A digest of the tool descriptions given to the model."""
    env_fingerprint_ref: str
    """Where the environment fingerprint is, or its digest."""
    code_git_sha: str
    """The commit of the agent's own code."""
    grounder: str
    """The grounder's name."""


@closed
class EnvFingerprint(TypedDict, total=False):
    """The structure of the environment, kept beside the visual fingerprint of the screenshot."""

    url_host: str
    """The host alone, such as `example.com`."""
    url_path_template: str
    """The path with its ids taken out, such as `/users/:id`."""
    viewport_hash: str
    """A digest of width, height and device scale factor."""
    dom_hash: str
    """A digest of the DOM, only from adapters that probe it for diagnostics anyway."""
    api_shapes: dict[str, str]
    """For each third-party API, a digest of its response's shape."""
    extensions: list[str]
    """Active browser extensions."""
