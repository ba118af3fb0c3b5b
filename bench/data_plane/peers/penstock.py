"""Penstock as its users run it, one worker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bench.data_plane import installation
from bench.data_plane.contender import FIFTY_RULES, NO_RULES, TEN_RULES, Contender
from bench.data_plane.site import Site

POLICIES = Path(__file__).parents[2] / "policies"
CONFIG = """
listeners:
  - address: 127.0.0.1:{site.port}
  - address: 127.0.0.1:{site.tls_port}
    tls: {{certificate: {site.certificate.chain}, private_key: {site.certificate.private_key}}}
workers: 1
endpoints:
  - upstream: {{url: {site.upstream}}}
    {policy}
"""


def command(policy: str) -> Callable[[str, Site], list[str]]:
    """Return how it is started with a policy of ours; an empty name for none."""

    def write(program: str, site: Site) -> list[str]:
        chosen = f"traffic_policy_file: {POLICIES / policy}" if policy else ""
        config = Path(site.write("penstock.yml", CONFIG.format(site=site, policy=chosen)))
        config.chmod(0o600)
        return [program, "start", "--config", str(config), "--log", "false"]

    return write


CONTENDERS = tuple(
    Contender(
        proxy="penstock",
        rules=rules,
        program=installation.penstock,
        command=command(policy),
    )
    for rules, policy in ((NO_RULES, ""), (TEN_RULES, "ten.yml"), (FIFTY_RULES, "fifty.yml"))
)
