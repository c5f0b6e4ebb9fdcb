"""One server for the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from served import Served, running


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with running(tmp_path_factory.mktemp("server") / "data") as found:
        yield found


@pytest.fixture
def agent(served: Served) -> Iterator[httpx.Client]:
    with served.agent() as client:
        yield client


@pytest.fixture(scope="module")
def person(served: Served) -> Iterator[httpx.Client]:
    with served.browser() as client:
        served.log_in(client)
        yield client
