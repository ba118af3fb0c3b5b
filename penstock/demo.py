"""`penstock demo`: a small service, Penstock in front of it, and three requests to try."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from penstock.operator import STANDARD_OUTPUT, open_events, say
from proxy.assembly import assemble
from proxy.failure import Failure
from proxy.plan import EndpointPlan, FileReference, ListenerPlan, Plan, UpstreamPlan
from proxy.server import serve
from proxy.settings_types import SocketAddress, UpstreamTarget

LISTEN = SocketAddress("127.0.0.1", 4000)
POLICY = Path(__file__).parent.parent / "policies-examples" / "first-steps" / "policy.yaml"
REQUESTS = (
    ("/", "let through: the demo upstream shows what it received"),
    ("/private/keys", "refused by the policy"),
    ("/hello", "answered by the policy, without the upstream"),
)


def demo() -> None:
    """Show Penstock at work in front of a small service."""
    if not POLICY.is_file():
        raise Failure(
            "the demo's policy is not there",
            hint="run it in Penstock's repository: it uses policies-examples/first-steps",
        )
    # Imported here because it takes a while, and every other command does without it.
    from penstock.demo_upstream import start_demo_upstream

    policy = FileReference(path=POLICY, name=shown_path(POLICY))
    upstream = UpstreamPlan(target=UpstreamTarget("http", "127.0.0.1", start_demo_upstream(), ""))
    plan = Plan(
        listeners=(ListenerPlan(address=LISTEN),),
        endpoints=(EndpointPlan(name="demo", url=None, upstream=upstream, policy=policy),),
    )
    serve(
        partial(assemble, plan),
        events=open_events(STANDARD_OUTPUT),
        say=say,
        on_ready=lambda: say(invitation(policy.name)),
    )


def shown_path(path: Path) -> str:
    """Return a path as short as it can be typed from here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def invitation(policy: str) -> str:
    """Say what to try."""
    width = max(len(path) for path, _ in REQUESTS)
    lines = [f"  curl -i http://{LISTEN}{path:<{width}}   # {what}" for path, what in REQUESTS]
    return "\n".join(
        ("", "Try, in another terminal:", "", *lines, "",
         f"The policy is {policy}: change it, and the next request is decided",
         "by the new text. Each request leaves a line below. Ctrl-C stops everything.", "")
    )  # fmt: skip
