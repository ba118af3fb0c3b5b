"""Tokens that attackers would make, by the row of the list that each belongs to."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.proxy.guarded import EDDSA, ES256, STRANGER, header, now
from tests.tokens import RS256, Signer, b64, ec_key, packed, rsa_key

PUBLIC = rsa_key().public_key()
PEM = PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
DER = PUBLIC.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
JWK = json.dumps(RS256.jwk).encode()


def keyed(secret: bytes) -> Callable[[], str]:
    return lambda: Signer("HS256", secret, kid="k1").token(now())


def signed(claims: Any = None, signer: Signer = RS256, **changes: Any) -> Callable[[], str]:
    return lambda: signer.token(
        now() if claims is None else claims, header=signer.header(**changes)
    )


def ecdsa(change: Callable[[bytes], bytes]) -> Callable[[], str]:
    def token() -> str:
        head, _, signature = ES256.token(now()).rpartition(".")
        raw = ES256.signature(head.encode())
        assert signature
        return f"{head}.{b64(change(raw))}"

    return token


def edited(change: Callable[[list[str]], str]) -> Callable[[], str]:
    return lambda: change(RS256.token(now()).split("."))


def raw_claims(members: str) -> Callable[[], str]:
    def token() -> str:
        text = json.dumps(now())
        return RS256.token((text[:-1] + "," + members + "}").encode())

    return token


ATTACKS: dict[str, tuple[Callable[[], str], str]] = {
    "JW-1 none": (edited(lambda p: f"{packed(header(alg='none'))}.{p[1]}.{p[2]}"), "alg_not_allowed"),  # noqa: E501
    "JW-1 nOnE": (signed(alg="nOnE"), "alg_not_allowed"),
    "JW-1 NONE without signature": (edited(lambda p: f"{packed(header(alg='NONE'))}.{p[1]}."), "token_malformed"),  # noqa: E501
    "JW-1 missing": (signed(alg=...), "alg_not_allowed"),
    "JW-1 empty": (signed(alg=""), "alg_not_allowed"),
    "JW-1 a number": (signed(alg=256), "alg_not_allowed"),
    "JW-1 null": (signed(alg=None), "alg_not_allowed"),
    "JW-2 HS256 with the PEM": (keyed(PEM), "alg_not_allowed"),
    "JW-2 HS256 with the DER": (keyed(DER), "alg_not_allowed"),
    "JW-2 HS256 with the JWK": (keyed(JWK), "alg_not_allowed"),
    "JW-3 jwk": (signed(signer=STRANGER, jwk=STRANGER.jwk), "signature_invalid"),
    "JW-3 jwk, no kid": (signed(signer=STRANGER, jwk=STRANGER.jwk, kid=...), "signature_invalid"),
    "JW-3 jku": (signed(signer=STRANGER, jku="http://127.0.0.1:9/k"), "signature_invalid"),
    "JW-3 x5u": (signed(signer=STRANGER, x5u="http://127.0.0.1:9/c"), "signature_invalid"),
    "JW-3 x5c": (signed(signer=STRANGER, x5c=["AAAA"]), "signature_invalid"),
    "JW-4 kid is a path": (signed(signer=STRANGER, kid="../../../dev/null"), "signature_invalid"),
    "JW-4 kid is SQL": (signed(signer=STRANGER, kid="x' UNION SELECT 'k"), "signature_invalid"),
    "JW-4 kid is a number": (signed(kid=1), "token_malformed"),
    "JW-4 no kid, stranger": (signed(signer=STRANGER, kid=...), "signature_invalid"),
    "JW-4 another key's kid": (signed(kid="ec"), "signature_invalid"),
    "JW-7 b64": (signed(crit=["b64"], b64=False), "critical_extension"),
    "JW-7 unknown": (signed(crit=["x"], x=1), "critical_extension"),
    "JW-7 empty": (signed(crit=[]), "critical_extension"),
    "JW-7 a string": (signed(crit="b64"), "critical_extension"),
    "JW-7 not there": (signed(crit=["x"]), "critical_extension"),
    "JW-8 r is 0": (ecdsa(lambda raw: bytes(32) + raw[32:]), "signature_invalid"),
    "JW-8 s is 0": (ecdsa(lambda raw: raw[:32] + bytes(32)), "signature_invalid"),
    "JW-8 all zero": (ecdsa(lambda _: bytes(64)), "signature_invalid"),
    "JW-8 too long": (ecdsa(lambda raw: raw + b"\0"), "signature_invalid"),
    "JW-8 too short": (ecdsa(lambda raw: raw[1:]), "signature_invalid"),
    "JW-8 another curve": (signed(signer=Signer("ES256", ec_key("P-384"), kid="ec")), "signature_invalid"),  # noqa: E501
    "JW-10 claim twice": (raw_claims('"sub": "admin"'), "invalid_claims"),
    "JW-10 header twice": (lambda: RS256.token(now(), header=b'{"alg":"RS256","alg":"RS256"}'), "token_malformed"),  # noqa: E501
    "JW-11 exp is text": (lambda: RS256.token(now(exp="2999")), "invalid_claims"),
    "JW-11 exp is 1e300": (lambda: RS256.token(now(exp=1e300)), "invalid_claims"),
    "JW-11 exp is NaN": (lambda: RS256.token(now(exp=float("nan"))), "invalid_claims"),
    "JW-11 exp is negative": (lambda: RS256.token(now(exp=-1)), "invalid_claims"),
    "JW-11 exp is missing": (lambda: RS256.token(now(exp=...)), "expiry_missing"),
    "JW-11 nbf tomorrow": (lambda: RS256.token(now(nbf=time.time() + 86_400)), "token_not_yet_valid"),  # noqa: E501
    "JW-11 iat tomorrow": (lambda: RS256.token(now(iat=time.time() + 86_400)), "token_not_yet_valid"),  # noqa: E501
    "JW-11 expired": (lambda: RS256.token(now(exp=time.time() - 61)), "token_expired"),
    "JW-12 aud is missing": (lambda: RS256.token(now(aud=...)), "audience_not_allowed"),
    "JW-12 aud with a number": (lambda: RS256.token(now(aud=["orders-api", 1])), "audience_not_allowed"),  # noqa: E501
    "JW-12 aud is longer": (lambda: RS256.token(now(aud="orders-api2")), "audience_not_allowed"),
    "JW-12 iss without slash": (lambda: RS256.token(now(iss="https://issuer.example.com")), "issuer_not_allowed"),  # noqa: E501
    "JW-13 a logout token": (signed(typ="logout+jwt"), "type_not_allowed"),
    "JW-14 padding": (edited(lambda p: f"{p[0]}=.{p[1]}.{p[2]}"), "token_malformed"),
    "JW-14 plus": (edited(lambda p: f"{p[0]}.{p[1]}.+{p[2][1:]}"), "token_malformed"),
    "JW-14 space": (edited(lambda p: f"{p[0]}. {p[1]}.{p[2]}"), "token_malformed"),
    "JW-14 stray bits": (edited(lambda p: f"{p[0]}.{p[1]}.{p[2][:-1]}B"), "token_malformed"),
    "JW-14 four parts": (edited(lambda p: ".".join([*p, p[2]])), "token_malformed"),
    "JW-14 six parts": (edited(lambda p: ".".join(p + p)), "token_malformed"),
    "JW-14 JSON": (edited(lambda p: json.dumps({"payload": p[1]})), "token_malformed"),
    "JW-14 nested": (lambda: RS256.token(RS256.token(now()), header=header(cty="JWT")), "invalid_claims"),  # noqa: E501
    "JW-14 encrypted, zip": (lambda: f"{packed(header(alg='dir', enc='A256GCM', zip='DEF'))}..AA.AA.AA", "token_malformed"),  # noqa: E501
    "JW-14 encrypted, p2c": (lambda: f"{packed(header(alg='PBES2-HS256+A128KW', p2c=10**9))}.AA.AA.AA.AA", "token_malformed"),  # noqa: E501
    "JW-15 deep": (lambda: RS256.token(b'{"a":' + b"[" * 2_000 + b"]" * 2_000 + b"}"), "invalid_claims"),  # noqa: E501
    "JW-15 many": (lambda: RS256.token(b'{"a":[' + b"1," * 2_500 + b"1]}"), "invalid_claims"),
    "JW-16 a list": (lambda: RS256.token([now()]), "invalid_claims"),
    "JW-16 a text": (lambda: RS256.token(b'"x"'), "invalid_claims"),
    "JW-16 sub is a number": (lambda: RS256.token(now(sub=7)), "invalid_claims"),
    "JW-16 sub is an object": (lambda: RS256.token(now(sub={"a": 1})), "invalid_claims"),
}  # fmt: skip


def order() -> int:
    """Return the order of P-256's group."""
    return 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


N = order().to_bytes(32, "big")


def der(raw: bytes) -> bytes:
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    return encode_dss_signature(r, s)


def claim(member: str) -> Callable[[], str]:
    """Make a token with a member of its claims in exactly these words."""
    name = json.loads("{" + member.partition(":")[0] + ":0}").popitem()[0]

    def token() -> str:
        rest = json.dumps({key: value for key, value in now().items() if key != name})
        return RS256.token((rest[:-1] + "," + member + "}").encode())

    return token


def head(text: str) -> Callable[[], str]:
    return lambda: RS256.token(now(), header=text.encode())


MODULUS = PUBLIC.public_numbers().n.to_bytes(256, "big")
SSH = PUBLIC.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
NESTED = '{"a":' * 40 + "1" + "}" * 40

MORE: dict[str, tuple[Callable[[], str], str]] = {
    "JW-1 rs256": (signed(alg="rs256"), "alg_not_allowed"),
    "JW-1 a space behind": (signed(alg="RS256 "), "alg_not_allowed"),
    "JW-1 a list": (signed(alg=["RS256"]), "alg_not_allowed"),
    "JW-1 an object": (signed(alg={"RS256": 1}), "alg_not_allowed"),
    "JW-1 none and NUL": (signed(alg="none\0"), "alg_not_allowed"),
    "JW-1 full width": (signed(alg="\uff32\uff33256"), "alg_not_allowed"),
    "JW-1 of encryption": (signed(alg="RSA1_5"), "alg_not_allowed"),
    "JW-1 PS256, not listed": (signed(signer=Signer("PS256", rsa_key())), "alg_not_allowed"),
    "JW-2 HS256 with the modulus": (keyed(MODULUS), "alg_not_allowed"),
    "JW-2 HS256 with the SSH form": (keyed(SSH), "alg_not_allowed"),
    "JW-2 HS256 with nothing": (keyed(b""), "alg_not_allowed"),
    "JW-3 x5t": (signed(signer=STRANGER, **{"x5t#S256": "AAAA"}), "signature_invalid"),
    "JW-3 jku of a file": (signed(signer=STRANGER, jku="file:///etc/keys"), "signature_invalid"),
    "JW-4 kid is empty": (signed(signer=STRANGER, kid=""), "signature_invalid"),
    "JW-4 kid is a list": (signed(kid=["k1"]), "token_malformed"),
    "JW-4 kid is null": (signed(kid=None), "token_malformed"),
    "JW-4 kid with NUL": (signed(signer=STRANGER, kid="k1\0"), "signature_invalid"),
    "JW-4 kid is a URL": (signed(signer=STRANGER, kid="http://127.0.0.1:9/"), "signature_invalid"),
    "JW-4 kid is a command": (signed(signer=STRANGER, kid="|/usr/bin/id"), "signature_invalid"),
    "JW-4 kid of 3,000": (signed(kid="k" * 2_000), "token_malformed"),
    "JW-4 kid in another case": (signed(kid="K1"), "signature_invalid"),
    "JW-7 null": (signed(crit=None), "critical_extension"),
    "JW-7 numbers": (signed(crit=[1]), "critical_extension"),
    "JW-7 a registered name": (signed(crit=["alg"]), "critical_extension"),
    "JW-7 twice the same": (signed(crit=["x", "x"], x=1), "critical_extension"),
    "JW-7 exp": (signed(crit=["exp"], exp=0), "critical_extension"),
    "JW-7 b64 alone": (signed(b64=True), "critical_extension"),
    "JW-8 s is n": (ecdsa(lambda raw: raw[:32] + N), "signature_invalid"),
    "JW-8 r is n": (ecdsa(lambda raw: N + raw[32:]), "signature_invalid"),
    "JW-8 both are n": (ecdsa(lambda _: N + N), "signature_invalid"),
    "JW-8 r is one": (ecdsa(lambda raw: (1).to_bytes(32, "big") + raw[32:]), "signature_invalid"),
    "JW-8 DER": (ecdsa(der), "signature_invalid"),
    "JW-8 a byte in front": (ecdsa(lambda raw: b"\0" + raw[:32] + b"\0" + raw[32:]), "signature_invalid"),  # noqa: E501
    "JW-8 EC key, RSA's name": (signed(signer=ES256, kid="k1"), "signature_invalid"),
    "JW-8 EdDSA, all zero": (lambda: f"{EDDSA.token(now()).rpartition('.')[0]}.{b64(bytes(64))}", "signature_invalid"),  # noqa: E501
    "JW-8 RSA, all zero": (lambda: f"{RS256.token(now()).rpartition('.')[0]}.{b64(bytes(256))}", "signature_invalid"),  # noqa: E501
    "JW-8 RSA, a byte in front": (lambda: f"{RS256.token(now()).rpartition('.')[0]}.{b64(bytes(257))}", "signature_invalid"),  # noqa: E501
    "JW-10 header twice, other value": (head('{"alg":"none","alg":"RS256","kid":"k1"}'), "token_malformed"),  # noqa: E501
    "JW-10 header twice, escaped": (head(r'{"alg":"RS256","\u0061lg":"none"}'), "token_malformed"),
    "JW-10 kid twice": (head('{"alg":"RS256","kid":"k1","kid":"x"}'), "token_malformed"),
    "JW-10 claim twice, escaped": (raw_claims(r'"\u0073ub": "admin"'), "invalid_claims"),
    "JW-10 twice, inside": (raw_claims('"a": {"b": 1, "b": 2}'), "invalid_claims"),
    "JW-10 exp twice": (raw_claims('"exp": 9999999999'), "invalid_claims"),
    "JW-11 exp is 1e400": (claim('"exp": 1e400'), "invalid_claims"),
    "JW-11 exp is Infinity": (claim('"exp": Infinity'), "invalid_claims"),
    "JW-11 exp is true": (claim('"exp": true'), "invalid_claims"),
    "JW-11 exp is null": (claim('"exp": null'), "invalid_claims"),
    "JW-11 exp is a list": (claim('"exp": [9999999999]'), "invalid_claims"),
    "JW-11 exp is in milliseconds": (claim('"exp": 99999999999999'), "invalid_claims"),
    "JW-11 exp of many digits": (claim('"exp": ' + "9" * 4_000), "invalid_claims"),
    "JW-11 exp is 0": (claim('"exp": 0'), "invalid_claims"),
    "JW-11 exp is -0.0": (claim('"exp": -0.0'), "invalid_claims"),
    "JW-11 exp is hexadecimal": (claim('"exp": 0x7fffffff'), "invalid_claims"),
    "JW-11 nbf is text": (lambda: RS256.token(now(nbf="0")), "invalid_claims"),
    "JW-11 nbf is null": (lambda: RS256.token(now(nbf=None)), "invalid_claims"),
    "JW-11 iat is text": (lambda: RS256.token(now(iat="now")), "invalid_claims"),
    "JW-11 iat is negative": (lambda: RS256.token(now(iat=-1)), "invalid_claims"),
    "JW-11 nbf beyond the leeway": (lambda: RS256.token(now(nbf=time.time() + 63)), "token_not_yet_valid"),  # noqa: E501
    "JW-11 iat beyond the leeway": (lambda: RS256.token(now(iat=time.time() + 63)), "token_not_yet_valid"),  # noqa: E501
    "JW-12 aud is empty": (lambda: RS256.token(now(aud=[])), "audience_not_allowed"),
    "JW-12 aud is an object": (lambda: RS256.token(now(aud={"orders-api": 1})), "audience_not_allowed"),  # noqa: E501
    "JW-12 aud is null": (lambda: RS256.token(now(aud=None)), "audience_not_allowed"),
    "JW-12 aud in lists": (lambda: RS256.token(now(aud=[["orders-api"]])), "audience_not_allowed"),
    "JW-12 aud in another case": (lambda: RS256.token(now(aud="Orders-API")), "audience_not_allowed"),  # noqa: E501
    "JW-12 aud with a space": (lambda: RS256.token(now(aud="orders-api other")), "audience_not_allowed"),  # noqa: E501
    "JW-12 azp for aud": (lambda: RS256.token(now(aud="x", azp="orders-api")), "audience_not_allowed"),  # noqa: E501
    "JW-12 iss is missing": (lambda: RS256.token(now(iss=...)), "issuer_not_allowed"),
    "JW-12 iss is null": (lambda: RS256.token(now(iss=None)), "issuer_not_allowed"),
    "JW-12 iss is a list": (lambda: RS256.token(now(iss=["https://issuer.example.com/"])), "issuer_not_allowed"),  # noqa: E501
    "JW-12 iss in another case": (lambda: RS256.token(now(iss="https://Issuer.example.com/")), "issuer_not_allowed"),  # noqa: E501
    "JW-12 iss goes on": (lambda: RS256.token(now(iss="https://issuer.example.com/x")), "issuer_not_allowed"),  # noqa: E501
    "JW-12 iss with a port": (lambda: RS256.token(now(iss="https://issuer.example.com:443/")), "issuer_not_allowed"),  # noqa: E501
    "JW-13 dpop+jwt": (signed(typ="dpop+jwt"), "type_not_allowed"),
    "JW-13 secevent+jwt": (signed(typ="SecEvent+JWT"), "type_not_allowed"),
    "JW-13 in full": (signed(typ="application/Logout+JWT"), "type_not_allowed"),
    "JW-13 typ is a list": (signed(typ=["JWT"]), "token_malformed"),
    "JW-14 slash": (edited(lambda p: f"{p[0]}.{p[1]}./{p[2][1:]}"), "token_malformed"),
    "JW-14 tab": (edited(lambda p: f"{p[0]}.\t{p[1]}.{p[2]}"), "token_malformed"),
    "JW-14 not ASCII": (edited(lambda p: f"{p[0]}.{p[1]}.{p[2]}é"), "token_malformed"),
    "JW-14 full width": (edited(lambda p: f"{p[0]}.{p[1]}.{p[2][:-1]}\uff21"), "token_malformed"),
    "JW-14 quotes": (edited(lambda p: f'"{".".join(p)}"'), "token_malformed"),
    "JW-14 percent": (edited(lambda p: f"{p[0]}%2E{p[1]}.{p[2]}"), "token_malformed"),
    "JW-14 nothing but dots": (lambda: "..", "token_malformed"),
    "JW-14 nothing": (lambda: "x", "token_malformed"),
    "JW-14 two parts": (edited(lambda p: ".".join(p[:2])), "token_malformed"),
    "JW-14 a dot behind": (edited(lambda p: ".".join(p) + "."), "token_malformed"),
    "JW-14 payload apart": (edited(lambda p: f"{p[0]}..{p[2]}"), "invalid_claims"),
    "JW-14 two tokens": (edited(lambda p: f"{'.'.join(p)},{'.'.join(p)}"), "token_malformed"),
    "JW-14 five parts": (lambda: f"{packed(header(alg='RSA-OAEP', enc='A256GCM'))}.AA.AA.AA.AA", "token_malformed"),  # noqa: E501
    "JW-14 zip": (signed(zip="DEF", alg="dir"), "alg_not_allowed"),
    "JW-15 deep header": (head('{"alg":"RS256","kid":"k1","x":' + NESTED + "}"), "token_malformed"),
    "JW-15 long header": (signed(x="y" * 3_500), "token_malformed"),
    "JW-16 a number": (lambda: RS256.token(b"1"), "invalid_claims"),
    "JW-16 null": (lambda: RS256.token(b"null"), "invalid_claims"),
    "JW-16 not JSON": (lambda: RS256.token(b"{"), "invalid_claims"),
    "JW-16 UTF-16": (lambda: RS256.token(json.dumps(now()).encode("utf-16")), "invalid_claims"),
    "JW-16 not UTF-8": (lambda: RS256.token(b'{"sub":"\xff"}'), "invalid_claims"),
    "JW-16 a mark in front": (lambda: RS256.token(b"\xef\xbb\xbf" + json.dumps(now()).encode()), "invalid_claims"),  # noqa: E501
    "JW-16 something behind": (lambda: RS256.token(json.dumps(now()).encode() + b"\0"), "invalid_claims"),  # noqa: E501
    "JW-16 header is a list": (head("[]"), "token_malformed"),
    "JW-16 sub is empty": (lambda: RS256.token(now(sub="")), "invalid_claims"),
    "JW-16 sub is null": (lambda: RS256.token(now(sub=None)), "invalid_claims"),
    "JW-16 sub is a list": (lambda: RS256.token(now(sub=["admin"])), "invalid_claims"),
}  # fmt: skip
