"""Certificates that handshakes show, read when a policy first asks for them.

Most policies never do, and the library that reads them takes 8 MB and a twentieth of a second.
"""

from __future__ import annotations

import re
from functools import cache, partial
from pathlib import Path

from policy.certificate import Certificate
from policy.exchange import ReadCertificate, no_certificate

# All that is kept of a file: the private key may stand in it too.
_FIRST_CERTIFICATE = re.compile(
    rb"-----BEGIN ((?:X509 )?CERTIFICATE)-----.*?-----END \1-----", re.DOTALL
)


def shown_by_peer(der: bytes | None) -> ReadCertificate:
    """Return what reads a peer's certificate; None for one that showed none."""
    return no_certificate if der is None else cache(partial(_read_der, der))


def shown_by_us(path: Path) -> ReadCertificate:
    """Return what reads the first certificate of a PEM file, as the file is now.

    TLS itself decides whether a file can be served with; this only tells policies of it.
    """
    try:
        found = _FIRST_CERTIFICATE.search(path.read_bytes())
    except OSError:
        return no_certificate
    return no_certificate if found is None else cache(partial(_read_pem, found[0]))


def _read_der(der: bytes) -> Certificate:
    from proxy.certificate_reader import read_der

    return read_der(der)


def _read_pem(pem: bytes) -> Certificate:
    from proxy.certificate_reader import read_pem

    return read_pem(pem)
