"""Encrypted assertions: opened with our key, in the few ways that are still sound (D3-22, SA-18).

The content key comes by RSA-OAEP; RSA PKCS#1 v1.5 is not spoken. The content is AES-GCM with a
full tag, or AES-CBC where the operator allows it: CBC proves nothing about the content, so that
whoever can tell refusals apart may decrypt by asking often. For that reason there is one refusal
for whatever goes wrong inside, and a key that can't be had is replaced by one that is as good as
random, with which everything goes on until it fails.
"""

from __future__ import annotations

import hmac
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lxml import etree

from actions.saml.keys import HASHES, load_private_key
from actions.saml.markup import parse, text_of
from actions.saml.names import DS, SAML, XENC, XENC11, tag
from actions.saml.parties import ServiceProvider
from actions.saml.refusal import MessageRefused, shown

OAEP_MGF1P: Final = XENC + "rsa-oaep-mgf1p"
OAEP: Final = XENC11 + "rsa-oaep"
ELEMENT: Final = XENC + "Element"
NONCE_BYTES: Final = 12
BLOCK_BYTES: Final = 16
OAEP_DIGESTS: Final[Mapping[str, str]] = {
    DS + "sha1": "sha1",
    XENC + "sha256": "sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384": "sha384",
    XENC + "sha512": "sha512",
}
MASKS: Final[Mapping[str, str]] = {
    XENC11 + "mgf1sha1": "sha1",
    XENC11 + "mgf1sha256": "sha256",
    XENC11 + "mgf1sha384": "sha384",
    XENC11 + "mgf1sha512": "sha512",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentCipher:
    """How the content is encrypted."""

    key_bytes: int
    is_cbc: bool


CIPHERS: Final[Mapping[str, ContentCipher]] = {
    XENC11 + "aes128-gcm": ContentCipher(key_bytes=16, is_cbc=False),
    XENC11 + "aes192-gcm": ContentCipher(key_bytes=24, is_cbc=False),
    XENC11 + "aes256-gcm": ContentCipher(key_bytes=32, is_cbc=False),
    XENC + "aes128-cbc": ContentCipher(key_bytes=16, is_cbc=True),
    XENC + "aes192-cbc": ContentCipher(key_bytes=24, is_cbc=True),
    XENC + "aes256-cbc": ContentCipher(key_bytes=32, is_cbc=True),
}


def decrypt_assertion(encrypted: etree._Element, service: ServiceProvider) -> etree._Element:
    """Return the assertion inside an `EncryptedAssertion`, as a document of its own.

    Raises MessageRefused: with a reason of its own for what the message itself shows, and with
    one and the same for everything that depends on what is encrypted.
    """
    if service.private_key is None:
        detail = "there is no sp_private_key to open it with"
        raise MessageRefused(reason="encryption-unexpected", detail=detail)
    data, encrypted_key = _parts(encrypted)
    cipher = _content_cipher(data, service)
    oaep = _key_transport(encrypted_key)
    encrypted_content = _cipher_value(data)
    key = _content_key(_cipher_value(encrypted_key), oaep, cipher, service.private_key)
    try:
        assertion = parse(_opened(encrypted_content, key, cipher))
        if assertion.tag != tag(SAML, "Assertion"):
            raise ValueError(assertion.tag)
    except (InvalidTag, ValueError, MessageRefused):
        detail = "it can't be opened with our key, or holds no assertion"
        raise MessageRefused(reason="decryption-failed", detail=detail) from None
    return assertion


def _parts(encrypted: etree._Element) -> tuple[etree._Element, etree._Element]:
    """Return the encrypted data and its key, which has two places where it may be."""
    data = [child for child in encrypted if child.tag == tag(XENC, "EncryptedData")]
    keys = list(encrypted.iter(tag(XENC, "EncryptedKey")))
    if len(data) != 1 or len(keys) != 1 or data[0].get("Type", ELEMENT) != ELEMENT:
        detail = f"{len(data)} encrypted parts with {len(keys)} keys, or not an element"
        raise MessageRefused(reason="encryption-form", detail=detail)
    info = data[0].find(tag(DS, "KeyInfo"))
    is_inside = info is not None and keys[0].getparent() is info
    if not (is_inside or keys[0].getparent() is encrypted):
        raise MessageRefused(reason="encryption-form", detail="the key is somewhere else")
    return data[0], keys[0]


def _method(element: etree._Element) -> etree._Element:
    method = element.find(tag(XENC, "EncryptionMethod"))
    if method is None:
        raise MessageRefused(reason="encryption-algorithm", detail="no EncryptionMethod")
    return method


def _content_cipher(data: etree._Element, service: ServiceProvider) -> ContentCipher:
    uri = _method(data).get("Algorithm", "")
    cipher = CIPHERS.get(uri)
    if cipher is None:
        raise MessageRefused(reason="encryption-algorithm", detail=next(shown((uri,))))
    if cipher.is_cbc and not service.allows_cbc:
        detail = f"{uri!r}: ask the provider for AES-GCM, or set allow_cbc_encryption"
        raise MessageRefused(reason="encryption-algorithm", detail=detail)
    return cipher


def _key_transport(encrypted_key: etree._Element) -> padding.OAEP:
    method = _method(encrypted_key)
    uri = method.get("Algorithm", "")
    digests = [child.get("Algorithm", "") for child in method if child.tag == _DIGEST_METHOD]
    masks = [child.get("Algorithm", "") for child in method if child.tag == _MASK]
    digest = OAEP_DIGESTS.get(digests[0] if digests else DS + "sha1")
    mask = MASKS.get(masks[0] if masks and uri == OAEP else XENC11 + "mgf1sha1")
    is_known = uri in (OAEP, OAEP_MGF1P) and len(digests) <= 1 and len(masks) <= 1
    if not is_known or digest is None or mask is None or len(method) > len(digests + masks):
        raise MessageRefused(reason="encryption-algorithm", detail=next(shown((uri,))))
    return padding.OAEP(mgf=padding.MGF1(HASHES[mask]), algorithm=HASHES[digest], label=None)


def _cipher_value(element: etree._Element) -> bytes:
    value = element.find(f"{tag(XENC, 'CipherData')}/{tag(XENC, 'CipherValue')}")
    try:
        if value is None:
            raise ValueError
        return b64decode("".join(text_of(value).split()), validate=True)
    except (Base64Error, ValueError):
        detail = "no CipherValue in base64"
        raise MessageRefused(reason="encryption-form", detail=detail) from None


def _content_key(
    encrypted: bytes, oaep: padding.OAEP, cipher: ContentCipher, private_key: bytes
) -> bytes:
    ours = load_private_key(private_key)
    if not isinstance(ours, rsa.RSAPrivateKey):
        raise MessageRefused(reason="encryption-unexpected", detail="our key is not an RSA key")
    instead = hmac.digest(_seed(ours), encrypted, "sha256")[: cipher.key_bytes]
    try:
        key = ours.decrypt(encrypted, oaep)
    except ValueError:
        return instead
    return key if len(key) == cipher.key_bytes else instead


def _seed(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _opened(content: bytes, key: bytes, cipher: ContentCipher) -> bytes:
    if cipher.is_cbc:
        return _opened_cbc(content, key)
    # The tag has 16 bytes whatever the message says; anything shorter is no tag (SA-18).
    return AESGCM(key).decrypt(content[:NONCE_BYTES], content[NONCE_BYTES:], None)


def _opened_cbc(content: bytes, key: bytes) -> bytes:
    vector, blocks = content[:BLOCK_BYTES], content[BLOCK_BYTES:]
    if not blocks or len(blocks) % BLOCK_BYTES or len(vector) != BLOCK_BYTES:
        raise ValueError("no whole blocks")
    decryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).decryptor()
    padded = decryptor.update(blocks) + decryptor.finalize()
    # XML Encryption, section 5.2: the last byte tells how many to drop, the others are arbitrary.
    surplus = padded[-1]
    if not 1 <= surplus <= BLOCK_BYTES:
        raise ValueError("no padding")
    return padded[:-surplus]


_DIGEST_METHOD: Final = tag(DS, "DigestMethod")
_MASK: Final = tag(XENC11, "MGF")
