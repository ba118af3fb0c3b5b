"""XML from strangers: every limit holds before a parser sees a byte, and nothing is repaired.

What makes XML dangerous or ambiguous has no use in SAML and is refused by its first characters:
document types and entities, comments and CDATA, which parsers split text at, processing
instructions, encodings other than UTF-8 (SA-10, SA-11). What remains is elements, attributes,
text, and references to characters. Names of namespaces must be absolute: canonical XML has no
form for relative ones (SA-13).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from actions.saml.names import DS, SAML, SAMLP, XENC, XINCLUDE
from actions.saml.refusal import MessageRefused

# XML 1.0, sections 2.3 and 2.8; names in ASCII, as all of ours are.
_NAME = r"[A-Za-z_][A-Za-z0-9._-]*+(?::[A-Za-z_][A-Za-z0-9._-]*+)?+"
_ATTRIBUTE = rf"""\s++({_NAME})\s*+=\s*+("[^"<]*+"|'[^'<]*+')"""
_TAG = re.compile(rf"<(?:/{_NAME}\s*+|{_NAME}((?:{_ATTRIBUTE})*+)\s*+(/?+))>")
_ONE_ATTRIBUTE = re.compile(_ATTRIBUTE)
_DECLARATION = re.compile(
    r"""<\?xml\s++version\s*+=\s*+(?:"1\.0"|'1\.0')"""
    r"""(?:\s++encoding\s*+=\s*+(?:"utf-8"|'utf-8'))?+"""
    r"""(?:\s++standalone\s*+=\s*+(?:"(?:yes|no)"|'(?:yes|no)'))?+\s*+\?>""",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"<!--(?:[^-]|-(?!-))*+-->")
_REFERENCE = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});)")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_ABSOLUTE_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*+:[^\s&]++")
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
# Where else than in `ID` an element may have an identifier, by which something could refer to it.
_OTHER_IDS: Final = frozenset(
    f"{{{namespace}}}{name}"
    for namespace, name in ((DS, "Signature"), (XENC, "EncryptedData"), (XENC, "EncryptedKey"))
)
_WITH_ID: Final = frozenset({SAML, SAMLP})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a document may hold. Namespaces count once however often they are declared."""

    max_bytes: int
    max_elements: int
    max_depth: int = 32
    max_attributes_each: int = 32
    max_namespaces: int = 64
    # Comments and a byte order mark: providers' published metadata often has them.
    allows_ornaments: bool = False


MESSAGE: Final = Limits(max_bytes=262_144, max_elements=10_000)
METADATA: Final = Limits(
    max_bytes=4_194_304, max_elements=100_000, max_namespaces=256, allows_ornaments=True
)


def parse(data: bytes, limits: Limits = MESSAGE) -> etree._Element:
    """Parse one document; raises MessageRefused. Its elements and text are all there is in it."""
    data = _scanned(data, limits)
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        no_network=True,
        huge_tree=False,
        recover=False,
        strip_cdata=False,
        remove_comments=limits.allows_ornaments,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.LxmlError, ValueError) as error:
        raise MessageRefused(reason="xml-malformed", detail=str(error)) from None
    for node in root.iter():
        if not isinstance(node.tag, str):
            raise MessageRefused(reason="xml-malformed", detail="more than elements and text")
    return root


def check_ids(root: etree._Element) -> None:
    """Refuse identifiers in unusual places, or twice (SA-9): what is signed is named by one."""
    seen: set[str] = set()
    for element in root.iter():
        namespace = etree.QName(element).namespace
        # Any: the stubs also expect bytes here, which only other parsers than ours give.
        attributes: Any = element.attrib
        for name, value in attributes.items():
            if etree.QName(name).localname.lower() != "id":
                continue
            is_usual = (name == "ID" and namespace in _WITH_ID) or (
                name == "Id" and element.tag in _OTHER_IDS
            )
            if not is_usual:
                detail = f"{name} of {element.tag}"
                raise MessageRefused(reason="xml-id-misplaced", detail=detail)
            if value in seen:
                raise MessageRefused(reason="xml-id-repeated", detail=f"{value!r} twice")
            seen.add(value)


def text_of(element: etree._Element) -> str:
    """Return an element's text, which must be all that it holds (SA-10)."""
    if len(element):
        detail = f"{element.tag} holds more than text"
        raise MessageRefused(reason="xml-not-plain-text", detail=detail)
    return element.text or ""


def _scanned(data: bytes, limits: Limits) -> bytes:
    if len(data) > limits.max_bytes:
        detail = f"{len(data)} bytes, at most {limits.max_bytes}"
        raise MessageRefused(reason="message-too-large", detail=detail)
    if data.startswith(_BYTE_ORDER_MARK):
        if not limits.allows_ornaments:
            raise MessageRefused(reason="xml-encoding", detail="a byte order mark")
        data = data.removeprefix(_BYTE_ORDER_MARK)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise MessageRefused(reason="xml-encoding", detail="no UTF-8") from None
    if control := _CONTROL.search(text):
        raise MessageRefused(reason="xml-malformed", detail=f"the character {control[0]!r}")
    _scan(_without_ornaments(text, limits), limits)
    return data


def _without_ornaments(text: str, limits: Limits) -> str:
    if text.startswith("<?xml") and text[5:6].isspace():
        declaration = _DECLARATION.match(text)
        if declaration is None:
            raise MessageRefused(reason="xml-encoding", detail="declared as other than UTF-8")
        text = text[declaration.end() :]
    if limits.allows_ornaments:
        text = _COMMENT.sub("", text)
    if "<?" in text:
        raise MessageRefused(reason="xml-processing-instruction", detail="a '<?'")
    if (start := text.find("<!")) >= 0:
        if text.startswith("<!--", start):
            raise MessageRefused(reason="xml-comment", detail="a comment")
        if text.startswith("<![CDATA[", start):
            raise MessageRefused(reason="xml-cdata", detail="a CDATA section")
        raise MessageRefused(reason="xml-document-type", detail="a '<!'")
    if reference := _REFERENCE.search(text):
        found = text[reference.start() : reference.start() + 20]
        raise MessageRefused(reason="xml-entity", detail=f"{found!r}")
    return text


def _scan(text: str, limits: Limits) -> None:
    tags = depth = closing = 0
    namespaces: set[tuple[str, str]] = set()
    for match in _TAG.finditer(text):
        tags += 1
        attributes, _, _, is_empty = match.groups()
        if is_empty is None:
            depth -= 1
            closing += 1
        else:
            if attributes:
                _scan_attributes(attributes, namespaces, limits)
            depth += not is_empty
        if depth > limits.max_depth or tags - closing > limits.max_elements:
            raise MessageRefused(reason="xml-too-complex", detail="too deep, or too many elements")
    # There is one "<" in each tag: with another one somewhere, something else is no tag.
    if text.count("<") != tags:
        raise MessageRefused(reason="xml-malformed", detail="a '<' that begins no tag")


def _scan_attributes(text: str, namespaces: set[tuple[str, str]], limits: Limits) -> None:
    found = _ONE_ATTRIBUTE.findall(text)
    if len(found) > limits.max_attributes_each:
        raise MessageRefused(reason="xml-too-complex", detail=f"{len(found)} attributes")
    for name, quoted in found:
        if name == "xmlns" or name.startswith("xmlns:"):
            uri = quoted[1:-1]
            if not _ABSOLUTE_URI.fullmatch(uri) or uri == XINCLUDE or name == "xmlns:xml":
                detail = f"{name}={uri[:100]!r}"
                raise MessageRefused(reason="xml-namespace", detail=detail)
            namespaces.add((name, uri))
    if len(namespaces) > limits.max_namespaces:
        raise MessageRefused(reason="xml-too-complex", detail=f"{len(namespaces)} namespaces")
