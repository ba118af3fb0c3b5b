"""The octets that a signature is about: exclusive canonical XML, without comments."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any, Final

from lxml import etree

from actions.saml.names import EXCLUSIVE_C14N, tag
from actions.saml.refusal import MessageRefused

INCLUSIVE_NAMESPACES: Final = tag(EXCLUSIVE_C14N, "InclusiveNamespaces")
MAX_PREFIXES: Final = 32
_DEFAULT: Final = "#default"
_PREFIX = re.compile(r"[A-Za-z_][A-Za-z0-9._-]{0,63}")


def canonical(element: etree._Element, prefixes: tuple[str, ...]) -> bytes:
    """Return an element's canonical octets, never none (SA-13); raises MessageRefused."""
    # Any: the stubs know nothing of the arguments for canonical XML.
    tostring: Any = etree.tostring
    try:
        octets: bytes = tostring(
            element,
            method="c14n",
            exclusive=True,
            inclusive_ns_prefixes=_without_default(element, prefixes),
            with_comments=False,
            with_tail=False,
        )
    except (etree.LxmlError, ValueError) as error:
        raise MessageRefused(reason="canonical-form", detail=str(error)) from None
    if not octets.startswith(b"<"):
        raise MessageRefused(reason="canonical-form", detail="the canonical form is empty")
    return octets


def without(element: etree._Element, child: etree._Element) -> etree._Element:
    """Return a copy of an element, in a copy of its document, without one of its children.

    The text behind the child stays, as the enveloped signature transform has it.
    """
    parent = element.getparent()
    copy = deepcopy(element.getroottree().getroot())
    if parent is not None:
        copy = copy[parent.index(element)]
    gone = copy[element.index(child)]
    before = gone.getprevious()
    if before is None:
        copy.text = (copy.text or "") + (gone.tail or "") or None
    else:
        before.tail = (before.tail or "") + (gone.tail or "") or None
    copy.remove(gone)
    return copy


def inclusive_prefixes(transform: etree._Element) -> tuple[str, ...]:
    """Read which namespaces a transform or canonicalisation carries along in any case."""
    if len(transform) == 0:
        return ()
    child = transform[0]
    if len(transform) > 1 or child.tag != INCLUSIVE_NAMESPACES or len(child):
        raise MessageRefused(reason="signature-transform", detail=f"{child.tag} in a transform")
    prefixes = child.get("PrefixList", "").split()
    if set(child.attrib) - {"PrefixList"} or len(prefixes) > MAX_PREFIXES:
        raise MessageRefused(reason="signature-transform", detail="an unusual InclusiveNamespaces")
    for prefix in prefixes:
        if not (prefix == _DEFAULT or _PREFIX.fullmatch(prefix)):
            detail = f"{prefix[:40]!r} in a PrefixList"
            raise MessageRefused(reason="signature-transform", detail=detail)
    return tuple(prefixes)


def _without_default(element: etree._Element, prefixes: tuple[str, ...]) -> list[str]:
    # The canonicaliser below does not know "#default". The word changes nothing, and can go, where
    # every element that sees a default namespace is in it; elsewhere it would have to be obeyed.
    if _DEFAULT in prefixes and any(
        None in each.nsmap and each.prefix is not None for each in element.iter()
    ):
        detail = "'#default' in a PrefixList, and an unused default namespace"
        raise MessageRefused(reason="signature-transform", detail=detail)
    return [prefix for prefix in prefixes if prefix != _DEFAULT]
