"""The demo from start to end: a run, its bundle, and the bundle's validation."""

from __future__ import annotations

import datetime
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from augur_sdk._version import __version__
from augur_sdk.bundle import layout
from augur_sdk.demo.agent import AsyncDemoAgent, DemoAgent, OnStep
from augur_sdk.demo.pilot import Judgement
from augur_sdk.demo.scenario import Goal

if TYPE_CHECKING:
    from augur_sdk import AsyncDebugSession, DebugSession
    from augur_sdk.validation import ValidationIssue

__all__ = ["RUNS_FOLDER", "DemoReport", "new_run_id", "run_demo"]

RUNS_FOLDER: Final = "augur-runs"


@dataclass(slots=True)
class DemoReport:
    """How the demo went, and where to look.

    Attributes:
        bundle_dir: The bundle.
        run_id: The run's id.
        succeeded: The agent reached its goal.
        steps: How many steps it took.
        failed_steps: Indices of the steps that failed (and were recovered from).
        issues: What is wrong with the bundle; nothing, if all is well.
    """

    bundle_dir: Path
    run_id: str
    succeeded: bool = False
    steps: int = 0
    failed_steps: list[int] = field(default_factory=list)
    issues: list[ValidationIssue] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether the agent reached its goal and the bundle is valid."""
        return self.succeeded and not self.issues

    @property
    def look_first(self) -> list[Path]:
        """The files that tell most, the first one first."""
        paths = [layout.AGENT]
        for index in self.failed_steps[:1]:
            paths.append(layout.step_path(index))
            paths += [layout.screenshot_path(index, kind) for kind in ("pre", "post")]
        return [self.bundle_dir / path for path in paths]

    def count(self, index: int, judgement: Judgement) -> None:
        """Take note of a finished step."""
        self.steps += 1
        if not judgement.passed:
            self.failed_steps.append(index)


def new_run_id() -> str:
    """An id that tells when the run was made, and is no other run's."""
    return f"demo-{datetime.datetime.now(datetime.UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def run_demo(
    out_dir: Path | None = None,
    *,
    browser: bool = False,
    headed: bool = False,
    on_step: OnStep | None = None,
) -> DemoReport:
    """Run the agent, record it, and validate the bundle.

    Args:
        out_dir: Where the bundle goes; `augur-runs/<run id>` unless given.
        browser: Drive a real Chromium instead of the embedded desktop.
        headed: Show the browser's window.
        on_step: Called after each step.

    Raises:
        MissingExtraError: `browser`, and Playwright is not installed.
        BrowserUnavailableError: `browser`, and there is no Chromium, or it does not start.
    """
    from augur_sdk.validation import validate_bundle

    run_id = new_run_id()
    report = DemoReport(out_dir or Path(RUNS_FOLDER, run_id), run_id)

    def finished(index: int, goal: Goal, judgement: Judgement) -> None:
        report.count(index, judgement)
        if on_step is not None:
            on_step(index, goal, judgement)

    if browser:
        import anyio

        report.succeeded = anyio.run(_run_in_browser, report, headed, finished)
    else:
        report.succeeded = _run_on_desktop(report, finished)
    report.issues = validate_bundle(report.bundle_dir)
    return report


def _run_on_desktop(report: DemoReport, on_step: OnStep) -> bool:
    from augur_sdk import DebugSession
    from augur_sdk.demo.desktop import Desktop

    session: DebugSession = DebugSession(**_session_arguments(report, "desktop"))
    with session:
        return DemoAgent(session, Desktop(), on_step=on_step).run()


async def _run_in_browser(report: DemoReport, headed: bool, on_step: OnStep) -> bool:
    from augur_sdk import AsyncDebugSession
    from augur_sdk.demo.browser import open_chromium
    from augur_sdk.demo.shop import Shop

    with Shop() as shop:
        async with open_chromium(shop.url, headed=headed) as screen:
            session: AsyncDebugSession = AsyncDebugSession(**_session_arguments(report, "browser"))
            async with session:
                return await AsyncDemoAgent(session, screen, on_step=on_step).run()


def _session_arguments(report: DemoReport, screen: str) -> dict[str, Any]:
    return {
        "run_id": report.run_id,
        "client_name": "augur-demo",
        "client_version": __version__,
        "out_dir": report.bundle_dir,
        "capture_mode": "full",
        "tags": {"demo.screen": screen, "demo.task": "buy an enamel mug"},
    }
