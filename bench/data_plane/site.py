"""What each proxy is told to serve: two ports in front of one upstream, and a certificate."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

from trustme import CA

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Two PEM files."""

    chain: Path
    private_key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One proxy's place. `home` is a folder of its own, for its configuration and scratch files."""

    home: Path
    port: int
    tls_port: int
    upstream: int
    certificate: Certificate

    def write(self, name: str, text: str) -> str:
        """Write a file into the proxy's folder; return its path."""
        path = self.home / name
        path.write_text(text, encoding="utf-8")
        return str(path)


def free_port() -> int:
    """Return a port of the loopback address that nothing listens on now."""
    with socket.create_server((LOOPBACK, 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def issue_certificate(folder: Path) -> Certificate:
    """Make a P-256 certificate for the loopback address, as every proxy here takes it."""
    issued = CA().issue_cert(LOOPBACK, "app.example.com")
    chain, private_key = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(b"".join(each.bytes() for each in issued.cert_chain_pems))
    private_key.write_bytes(issued.private_key_pem.bytes())
    private_key.chmod(0o600)
    return Certificate(chain=chain, private_key=private_key)
