"""What redaction costs: a usual step, a page of prose, and the worst texts there are.

Run it: `python benchmarks/redaction.py`. Ratios and shares of budgets are what counts; t(10n)/t(n)
of a linear rule is 10, of a quadratic one 100.
"""

import time
from collections.abc import Callable
from typing import Any

import orjson

from augur_sdk.redaction import DefaultRedactionPolicy, RedactionDoor

SMALL = 100_000
LARGE = 1_000_000
BUDGET_1MB = 0.6
BUDGET_STEP = 25e-6
BUDGET_PROSE = 150e-6

SHAPES = {
    "prose": "the agent scrolled down to find more information about this product in the shop ",
    "a": "a",
    "spaces": " ",
    "digits": "1",
    "spaced digits": "1 ",
    "card groups": "4111 1111 1111 1112 ",
    "ibans that fail": "DE89 3704 0044 0532 0130 01 ",
    "@": "@",
    "a@": "a@",
    "a@b": "a@b.",
    "e-mail": "a@b.co ",
    "e-mail, long local part": "a.a" * 40 + "@b",
    "e-mail, long host": "@" + "a-" * 30,
    "%40": "%40",
    "://": "://",
    "://a:": "://a:",
    "://a:b": "://a:" + "b" * 200 + " ",
    "password": "password",
    "password ": "password ",
    "password=": "password=",
    "password= ": "password= ",
    "password=x": "password=x ",
    "password: the": "password: the ",
    'password="': 'password="',
    'password="x': 'password="x ',
    'password=\\"': 'password=\\"',
    "pwd": "pwd",
    "pwd:": "pwd:a,",
    "token": "token=1 ",
    "key names": "x_api_key_",
    "pin": "pin:",
    "quotes": '"',
    "backslashes": "\\",
    "escaped quotes": '\\"',
    "braces": "{",
    "brackets": "[",
    "tags": "<input ",
    "tags in tags": '<input type="password" value="',
    "elements": "<password>",
    "elements with text": "<token>a",
    "begin key": "-----BEGIN PRIVATE KEY-----",
    "begin rsa key": "-----BEGIN RSA PRIVATE KEY-----\n",
    "dashes": "-",
    "eyJ": "eyJ",
    "eyJ.": "eyJaaaaaa.",
    "eyJ dotted": "eyJaaaaaa.aaaa ",
    "sk-": "sk-",
    "sk- dashes": "sk-a-b-c-",
    "ghp_": "ghp_",
    "many prefixes": "sk-ghp_xoxb-AKIAglpat-npm_",
    "AKIA": "AKIA",
    "hex": "0123456789abcdef",
    "base64": "QWxhZGRpbjpvcGVuIHNlc2FtZQ",
    "bearer": "bearer ",
    "bearer x": "bearer a",
    "basic": "basic aaaa ",
    "authorization": "authorization: ",
    "authorization digest": "authorization: digest a",
    "cookie": "cookie: ",
    "cookie a=": "cookie: a=",
    'cookie ="': 'cookie: a="',
    "set-cookie": "set-cookie: a=b\n",
    "query": "&key=",
    "query secret": "&sig=abcdefgh1",
    "typed": "type 'a' into ",
    "typed bare": "type abcd1 into ",
    "curl -u": "curl -u a:b ",
    "mysql": "mysql -p",
    "named": '"name": "password", "value": "',
    "zero width": "a\u200b",
    "full width": "\uff50\uff41\uff53\uff53",
    "emoji": "\U0001f469\u200d\U0001f469 ",
    "surrogates": "\ud800",
    "dotted capital i": "\u0130 password=x ",
    "new lines": "\n",
    "json": '{"a": "b"}, ',
    "markers": "***REDACTED:mask***",
    "marker heads": "***REDACTED:",
    "phrases": "seed phrase: a ",
    "calls": 'fill("',
    "calls with a place": "fill('#password', 'a",
    "chains of calls": ".locator('#pwd').fill('a'",
    "listed": "<key>password</key><string>",
    "codes": "code is 123",
    "password word": "password a1b2c3d4 ",
    "flags": "mysql -u a docker login ",
}


def usual_step() -> dict[str, Any]:
    return {
        "step_id": "s-0003",
        "step_index": 3,
        "intent": "Open the billing page and download the invoice",
        "step_type": "click",
        "status": "succeeded",
        "capture_mode": "full",
        "started_at": "2026-01-01T00:00:00Z",
        "ended_at": "2026-01-01T00:00:01Z",
        "duration_ms": 812,
        "costs": {"total_usd": 0.0123, "tokens_in": 1200, "tokens_out": 88, "cache_hit_tokens": 9},
        "latency": {"planner_ms": 100, "grounding_ms": 50, "dispatch_ms": 20, "total_ms": 812},
        "captured_versions": {"model": "a-model-4", "prompt": "v12", "prompt_hash": "9f86d0" * 10},
        "observation_pre": "screenshots/0003_pre.png",
        "observation_post": "screenshots/0003_post.png",
        "action": {
            "type": "click",
            "params": {"x": 120, "y": 333, "button": "left"},
            "coordinate_space": "viewport_css_px",
            "dispatch_backend": "playwright",
        },
        "grounding": {
            "provider": "som",
            "target_label": "Download invoice",
            "coordinates": {"x": 120.5, "y": 333.0},
            "confidence": 0.93,
            "provenance": "screenshot",
        },
        "verdict": {"status": "passed", "reason": "the invoice was downloaded", "score": 1.0},
        "events": ["events/0003.jsonl"],
        "logs": [],
    }


def filled(shape: str, size: int) -> str:
    return (shape * (size // len(shape) + 1))[:size]


def once(call: Callable[[], object]) -> float:
    """Seconds of this thread's own time: what others do on the machine counts little."""
    start = time.thread_time()
    call()
    return time.thread_time() - start


def per_call(call: Callable[[], object], calls: int = 200, rounds: int = 30) -> float:
    """The best of some rounds: what the work costs when nothing else disturbs it."""

    def several() -> None:
        for _ in range(calls):
            call()

    several()
    return min(once(several) for _ in range(rounds)) / calls


def ratio(shape: str, small: int = SMALL, large: int = LARGE) -> tuple[float, float]:
    """The time for the large text, and how many times that of the small one it is."""
    policy = DefaultRedactionPolicy()
    short, long = filled(shape, small), filled(shape, large)
    policy.apply(short)
    fast = min(once(lambda: policy.apply(short)) for _ in range(5))
    slow = min(once(lambda: policy.apply(long)) for _ in range(2))
    return slow, slow / max(fast, 1e-9)


def usual_costs() -> None:
    step, prose = usual_step(), filled(SHAPES["prose"], 10_240)
    raw, policy = orjson.dumps(step), DefaultRedactionPolicy()
    door, knowing = RedactionDoor(policy), RedactionDoor(policy)
    for number in range(10):
        knowing.secrets.register(f"pa55-{number:04d}-word")
    rows: list[tuple[str, float, Callable[[], object]]] = [
        ("policy.apply(usual step)", BUDGET_STEP, lambda: policy.apply(step)),
        ("door.record(usual step)", BUDGET_STEP, lambda: door.record("step", raw)),
        ("the same, ten registered secrets", BUDGET_STEP, lambda: knowing.record("step", raw)),
        ("policy.apply(10 KB of prose)", BUDGET_PROSE, lambda: policy.apply(prose)),
    ]
    print(f"{'':36s}{'us':>9s}{'of budget':>11s}")
    for name, budget, call in rows:
        cost = per_call(call)
        print(f"{name:36s}{cost * 1e6:9.1f}{cost / budget:11.0%}")


def main() -> None:
    usual_costs()
    print(f"\n{'shape, 1 MB':36s}{'ms':>9s}{'of 0.6 s':>11s}{'t(10n)/t(n)':>13s}")
    worst = (0.0, 0.0)
    for name, shape in SHAPES.items():
        slow, factor = ratio(shape)
        print(f"{name:36s}{slow * 1e3:9.1f}{slow / BUDGET_1MB:11.0%}{factor:13.1f}")
        worst = max(worst[0], slow), max(worst[1], factor)
    print(f"{'worst':36s}{worst[0] * 1e3:9.1f}{worst[0] / BUDGET_1MB:11.0%}{worst[1]:13.1f}")


if __name__ == "__main__":
    main()
