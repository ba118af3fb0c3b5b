"""What a proxy that serves has imported: a worker that idles shall take 60 MB at most."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import trustme

from tests.penstock.test_serving import ENVIRONMENT, PATIENCE_S, REPOSITORY

# Each is for one kind of policy, setting or command, and takes between 1 and 10 MB.
NEVER = {
    "aiohttp", "authlib", "celpy", "cryptography", "joserfc", "lxml", "maxminddb", "onelogin",
    "redis", "rich", "sqlite3", "tzdata", "ua_parser", "xmlsec",
}  # fmt: skip
TEN_RULES = REPOSITORY / "bench" / "policies" / "ten.yml"
CERTIFICATE_SHOWN = """
on_http_request:
  - expressions: ["conn.tls.server.serial_number == '1'"]
    actions: [{type: deny}]
"""


def imported_by_serving(policy: Path | None, folder: Path) -> set[str]:
    """Return what a proxy with a TLS listener and one worker imports until it is told to stop."""
    issued = trustme.CA().issue_cert("a.test")
    own = folder / "site.pem"
    issued.private_key_and_cert_chain_pem.write_to_path(str(own))
    config = folder / "penstock.yml"
    config.write_text(
        "workers: 1\n"
        "listeners:\n"
        f"  - {{address: '127.0.0.1:0', tls: {{certificate: {own}, private_key: {own}}}}}\n"
        "endpoints:\n"
        "  - upstream: {url: 'http://127.0.0.1:1'}\n"
        + (f"    traffic_policy_file: {policy}\n" if policy else "")
    )
    own.chmod(0o600)
    config.chmod(0o600)
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", "penstock", "start", "--config", str(config)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**ENVIRONMENT, "COLUMNS": "200"},
    )
    assert process.stderr is not None
    names: set[str] = set()
    try:
        for line in process.stderr:
            if line.startswith("import time:"):
                names.add(line.rpartition("|")[2].strip().partition(".")[0])
            elif "listening on" in line:
                return names
        raise AssertionError("it does not serve")
    finally:
        os.kill(process.pid, signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)


@pytest.mark.parametrize(
    ("policy", "besides"),
    [(None, {"re2"}), (TEN_RULES, set[str]())],
    ids=["no policy", "ten rules"],
)
def test_only_what_the_policy_needs_is_imported(
    policy: Path | None, besides: set[str], tmp_path: Path
) -> None:
    imported = imported_by_serving(policy, tmp_path)
    assert {"uvloop", "penstock", "actions"} <= imported
    assert imported & (NEVER | besides) == set()


def test_what_a_policy_needs_is_imported_before_the_first_request(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yml"
    policy.write_text(CERTIFICATE_SHOWN)
    assert "cryptography" in imported_by_serving(policy, tmp_path)
