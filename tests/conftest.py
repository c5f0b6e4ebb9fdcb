from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from blockbuster import blockbuster_ctx
from hypothesis import HealthCheck, settings

# How fast examples are made says something about the machine, nothing about the package.
settings.register_profile(
    "shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("shared machine")


@pytest.fixture(
    params=[
        pytest.param(("asyncio", {}), id="asyncio"),
        pytest.param(("asyncio", {"use_uvloop": True}), id="uvloop"),
        pytest.param(("trio", {}), id="trio"),
    ]
)
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    """Async tests run on the event loops that users have."""
    if request.param[1]:
        pytest.importorskip("uvloop")
    return request.param


@pytest.fixture(autouse=True)
def no_blocking_call_on_the_event_loop(request: pytest.FixtureRequest) -> Iterator[None]:
    """A blocking call of the package's on a running event loop is an error in every test."""
    if request.node.get_closest_marker("may_block"):
        yield
        return
    with blockbuster_ctx("augur_sdk") as guard:
        guard.functions["os.path.abspath"].deactivate()  # asks for the working directory, no more
        yield


@pytest.fixture(autouse=True)
def environment_of_a_new_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test depends on what the developer's shell exports."""
    for name in ("AUGUR_DSN", "AUGUR_CAPTURE_MODE", "AUGUR_STRICT"):
        monkeypatch.delenv(name, raising=False)
