"""`conn.tls.*`: what the TLS handshake settled (language spec, section 3.5)."""

from __future__ import annotations

from policy.cel.types import BOOL, STRING
from policy.exchange import Connection, TlsSession
from policy.phase import HTTP_PHASES
from policy.variables.lazy import variable

NO_TLS = TlsSession()


class TlsVariables:
    """Everything that a policy reads of the TLS session; empty on plain HTTP."""

    connection: Connection

    @property
    def tls(self) -> TlsSession:
        """The session, or one with only zero values."""
        return self.connection.tls or NO_TLS

    @variable("conn.tls.version", STRING, "`1.2` or `1.3`.", phases=HTTP_PHASES)
    def conn_tls_version(self) -> str:
        return self.tls.version

    @variable("conn.tls.cipher_suite", STRING, "IANA name.", phases=HTTP_PHASES)
    def conn_tls_cipher_suite(self) -> str:
        return self.tls.cipher_suite

    @variable("conn.tls.sni", STRING, "Server name of the ClientHello.", phases=HTTP_PHASES)
    def conn_tls_sni(self) -> str:
        return self.tls.sni

    @variable("conn.tls.negotiated_alpn", STRING, "Protocol, else empty.", phases=HTTP_PHASES)
    def conn_tls_negotiated_alpn(self) -> str:
        return self.tls.negotiated_alpn

    @variable("conn.tls.session_resumed", BOOL, "An earlier session.", phases=HTTP_PHASES)
    def conn_tls_session_resumed(self) -> bool:
        return self.tls.session_resumed

    @variable(
        "conn.tls.ja4_fingerprint",
        STRING,
        "JA4 of the handshake; always empty, as the ClientHello is not captured.",
        phases=HTTP_PHASES,
    )
    def conn_tls_ja4_fingerprint(self) -> str:
        return ""
