"""A real run to look at: a small screenshot-grounded agent buys a mug, and is recorded doing it.

The agent sees a screen as PNG and nothing else. `run_demo` has it use an embedded desktop, or a
real Chromium on a small shop that is served on loopback.
"""

from augur_sdk.demo.run import DemoReport, run_demo

__all__ = ["DemoReport", "run_demo"]
