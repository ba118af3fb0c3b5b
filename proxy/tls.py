"""TLS contexts for our listeners and towards upstreams, and what a handshake settled."""

from __future__ import annotations

import ssl
from pathlib import Path

from policy.exchange import ReadCertificate, TlsSession, no_certificate
from proxy.shown_certificate import shown_by_peer

HTTP_1_1 = "http/1.1"
# ssl names a version "TLSv1.3", the language "1.3".
VERSION_PREFIX = "TLSv"
# IANA's names of the TLS 1.2 suites that OpenSSL offers by default; its own names hide them.
# TLS 1.3 suites have the same name in both.
IANA_CIPHER_SUITES = {
    f"ECDHE-{signature}-{openssl}": f"TLS_ECDHE_{signature}_WITH_{iana}"
    for signature in ("ECDSA", "RSA")
    for openssl, iana in (
        ("AES128-GCM-SHA256", "AES_128_GCM_SHA256"),
        ("AES256-GCM-SHA384", "AES_256_GCM_SHA384"),
        ("CHACHA20-POLY1305", "CHACHA20_POLY1305_SHA256"),
        ("AES128-SHA256", "AES_128_CBC_SHA256"),
        ("AES256-SHA384", "AES_256_CBC_SHA384"),
        ("AES128-SHA", "AES_128_CBC_SHA"),
        ("AES256-SHA", "AES_256_CBC_SHA"),
    )
}


class UnusableCertificate(Exception):  # noqa: N818 - named for the message it becomes
    """A certificate, key or authority file that can't be used. `path` is the file to look at."""

    def __init__(self, path: Path, message: str, hint: str) -> None:
        self.path = path
        self.message = message
        self.hint = hint
        super().__init__(message)


class NamedServerObject(ssl.SSLObject):
    """A server side TLS session that remembers which server name the client asked for."""

    sni = ""


def server_context(
    certificate: Path,
    private_key: Path,
    *,
    client_ca: Path | None = None,
    requires_client: bool = True,
) -> ssl.SSLContext:
    """Make a listener's context: TLS 1.2 and newer, HTTP/1.1.

    With `client_ca` clients are asked for a certificate of these authorities; one that does not
    verify ends the handshake, and so does none where `requires_client`.

    Raises UnusableCertificate; files that can't be read are for `check_readable`.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols([HTTP_1_1])
    context.sslobject_class = NamedServerObject
    context.sni_callback = _remember_server_name
    try:
        context.load_cert_chain(certificate, private_key, password=_no_password)
    except EncryptedKey:
        raise UnusableCertificate(
            private_key,
            f"the private key {str(private_key)!r} is encrypted",
            "give a key without passphrase, readable by Penstock's user only",
        ) from None
    except ssl.SSLError as error:
        raise _unusable_pair(certificate, private_key, error) from None
    if client_ca is not None:
        _ask_clients(context, client_ca, is_required=requires_client)
    return context


def _ask_clients(context: ssl.SSLContext, authorities: Path, *, is_required: bool) -> None:
    try:
        context.load_verify_locations(authorities)
    except ssl.SSLError:
        raise _no_authority(authorities) from None
    context.verify_mode = ssl.CERT_REQUIRED if is_required else ssl.CERT_OPTIONAL


def _no_authority(path: Path) -> UnusableCertificate:
    message = f"{str(path)!r} holds no certificate authority in PEM form"
    return UnusableCertificate(path, message, "check its content")


class EncryptedKey(Exception):  # noqa: N818 - a signal out of OpenSSL's password callback
    """OpenSSL asked for a passphrase, for which it would else stop and read the terminal."""


def _no_password() -> str:
    raise EncryptedKey


def check_readable(path: Path, what: str) -> None:
    """Raise UnusableCertificate for a file that can't be read; `what` says what it holds."""
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError as error:
        message = f"can't read the {what} {str(path)!r}: {(error.strerror or str(error)).lower()}"
        raise UnusableCertificate(path, message, "check the path and its permissions") from None


def _unusable_pair(
    certificate: Path, private_key: Path, error: ssl.SSLError
) -> UnusableCertificate:
    if error.reason == "KEY_VALUES_MISMATCH":
        return UnusableCertificate(
            private_key,
            f"{str(private_key)!r} is not the key of {str(certificate)!r}",
            "name the key that the certificate was issued for",
        )
    return UnusableCertificate(
        certificate,
        f"{str(certificate)!r} and {str(private_key)!r} are no certificate and key in PEM form",
        "the certificate file holds the server's certificate first, then its chain",
    )


def upstream_context(*, verify: bool, authorities: Path | None = None) -> ssl.SSLContext:
    """Make a context for an https upstream. Raises UnusableCertificate.

    `authorities` is a PEM file that replaces the system's authorities. Without `verify` any
    certificate is taken: encryption without knowing for whom.
    """
    if authorities is not None:
        check_readable(authorities, "authority file")
    try:
        context = ssl.create_default_context(cafile=authorities)
    except ssl.SSLError:
        raise _no_authority(authorities or Path()) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols([HTTP_1_1])
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def tls_session(session: ssl.SSLObject, server: ReadCertificate = no_certificate) -> TlsSession:
    """Describe a finished handshake of one of our listeners, which showed `server`."""
    cipher = session.cipher()
    suite = cipher[0] if cipher else ""
    return TlsSession(
        version=(session.version() or "").removeprefix(VERSION_PREFIX),
        cipher_suite=IANA_CIPHER_SUITES.get(suite, suite),
        sni=session.sni if isinstance(session, NamedServerObject) else "",
        negotiated_alpn=session.selected_alpn_protocol() or "",
        session_resumed=bool(session.session_reused),
        read_client=shown_by_peer(session.getpeercert(binary_form=True)),
        read_server=server,
    )


def _remember_server_name(
    session: ssl.SSLSocket | ssl.SSLObject, name: str | None, _context: ssl.SSLContext
) -> None:
    if isinstance(session, NamedServerObject) and name is not None:
        session.sni = name.lower()
