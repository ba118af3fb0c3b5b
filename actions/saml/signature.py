"""XML signatures: what is signed, by whom, and nothing that could be taken for more (D3-4 to D3-7).

A signature must have the one form that SAML knows (SAML core, section 5.4): a child of what it
signs, with a single reference to its parent's `ID`, the enveloped and the exclusive canonical
transform. Then the reference is not followed, it is known: the parent's canonical octets are made
here, their digest is compared, and they are parsed again for whoever asks what was signed.
`KeyInfo` is not read: a message can't say whose signature counts.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import new as new_hash
from hmac import compare_digest
from typing import Final

from lxml import etree

from actions.saml import library
from actions.saml.algorithms import Algorithms, Method
from actions.saml.canonical import canonical, inclusive_prefixes, without
from actions.saml.keys import PublicKey, has_signed, usable_key
from actions.saml.markup import parse, text_of
from actions.saml.names import DS, ENVELOPED, EXCLUSIVE_C14N, tag
from actions.saml.refusal import MessageRefused, shown

SIGNATURE: Final = tag(DS, "Signature")
MAX_CERTIFICATES: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedInfo:
    """What a signature says about itself, read from the octets that are signed."""

    method: Method
    digest: str
    digest_value: bytes
    prefixes: tuple[str, ...]


def signatures_in(root: etree._Element) -> list[etree._Element]:
    """Return all signatures of a document, wherever they are."""
    return list(root.iter(SIGNATURE))


def verify(
    element: etree._Element, certificates: Sequence[bytes], algorithms: Algorithms
) -> etree._Element:
    """Return what a provider signed, as a document of its own; raises MessageRefused.

    `element` has been parsed by `markup.parse`, and is the root or a child of the root. What is
    returned was parsed from exactly the octets that the digest is of, without the signature.
    """
    signature = _own_signature(element)
    signed_info = signature[0]
    octets = canonical(signed_info, _canonicalisation(signed_info[0]))
    info = _read_signed_info(parse(octets), element.get("ID", ""), algorithms)

    content = canonical(without(element, signature), info.prefixes)
    if not compare_digest(new_hash(info.digest, content).digest(), info.digest_value):
        detail = f"what {element.tag} holds is not what was signed"
        raise MessageRefused(reason="signature-digest", detail=detail)
    usable = {each: usable_key(each, algorithms) for each in certificates[:MAX_CERTIFICATES]}
    keys = {each: key for each, key in usable.items() if key is not None}
    _check_value(octets, _decoded(text_of(signature[1])), info.method, list(keys.values()))
    library.check_signature(signature, tuple(keys))
    return parse(content)


def _own_signature(element: etree._Element) -> etree._Element:
    signatures = [child for child in element if child.tag == SIGNATURE]
    if len(signatures) != 1:
        detail = f"{element.tag} has {len(signatures)} signatures"
        raise MessageRefused(reason="signature-missing", detail=detail)
    if not element.get("ID"):
        raise MessageRefused(reason="signature-reference", detail=f"{element.tag} has no ID")
    signature = signatures[0]
    _check_form(signature, ("SignedInfo", "SignatureValue"), optional="KeyInfo")
    _check_form(signature[0], ("CanonicalizationMethod", "SignatureMethod", "Reference"))
    return signature


def _check_form(element: etree._Element, names: Sequence[str], optional: str | None = None) -> None:
    """Refuse anything but the wanted children: an Object could hold a second document."""
    wanted = [tag(DS, name) for name in names]
    found = [child.tag for child in element]
    if optional is not None and len(found) == len(wanted) + 1:
        wanted.append(tag(DS, optional))
    if found != wanted or set(element.attrib) - {"Id"}:
        detail = f"{element.tag} holds {len(found)} elements, or other ones than {', '.join(names)}"
        raise MessageRefused(reason="signature-form", detail=detail)


def _canonicalisation(method: etree._Element) -> tuple[str, ...]:
    if method.get("Algorithm") != EXCLUSIVE_C14N:
        detail = next(shown((method.get("Algorithm"),)))
        raise MessageRefused(reason="signature-transform", detail=detail)
    return inclusive_prefixes(method)


def _read_signed_info(
    signed_info: etree._Element, identifier: str, algorithms: Algorithms
) -> SignedInfo:
    names = ("CanonicalizationMethod", "SignatureMethod", "Reference")
    _check_form(signed_info, names)
    _canonicalisation(signed_info[0])
    method = algorithms.method(_bare_algorithm(signed_info[1]))
    if method is None:
        detail = next(shown((signed_info[1].get("Algorithm"),)))
        raise MessageRefused(reason="signature-algorithm", detail=detail)
    reference = signed_info[2]
    if reference.get("URI") != f"#{identifier}" or set(reference.attrib) - {"URI", "Id", "Type"}:
        detail = "{} where {} is signed".format(*shown((reference.get("URI"), f"#{identifier}")))
        raise MessageRefused(reason="signature-reference", detail=detail)
    if [child.tag for child in reference] != [
        tag(DS, name) for name in ("Transforms", "DigestMethod", "DigestValue")
    ]:
        raise MessageRefused(reason="signature-form", detail="an unusual Reference")
    digest = algorithms.digest(_bare_algorithm(reference[1]))
    if digest is None:
        detail = next(shown((reference[1].get("Algorithm"),)))
        raise MessageRefused(reason="signature-algorithm", detail=detail)
    return SignedInfo(
        method=method,
        digest=digest,
        digest_value=_decoded(text_of(reference[2])),
        prefixes=_read_transforms(reference[0]),
    )


def _read_transforms(transforms: etree._Element) -> tuple[str, ...]:
    algorithms = [child.get("Algorithm") for child in transforms]
    if (
        [child.tag for child in transforms] != [tag(DS, "Transform")] * 2
        or algorithms != [ENVELOPED, EXCLUSIVE_C14N]
        or len(transforms[0])
    ):
        detail = ", ".join(shown(algorithms))
        raise MessageRefused(reason="signature-transform", detail=detail)
    return inclusive_prefixes(transforms[1])


def _bare_algorithm(element: etree._Element) -> str | None:
    """Return an algorithm; one with parameters, such as the length of an HMAC, is none of ours."""
    return None if len(element) else element.get("Algorithm")


def _decoded(text: str) -> bytes:
    try:
        return b64decode("".join(text.split()), validate=True)
    except (Base64Error, ValueError):
        raise MessageRefused(reason="signature-form", detail="a value is no base64") from None


def _check_value(octets: bytes, value: bytes, method: Method, keys: Sequence[PublicKey]) -> None:
    if not keys:
        detail = "no configured certificate has a key that is strong enough"
        raise MessageRefused(reason="signature-key", detail=detail)
    if not any(has_signed(key, octets, value, method) for key in keys):
        detail = f"made by none of the {len(keys)} configured certificates"
        raise MessageRefused(reason="signature-invalid", detail=detail)
