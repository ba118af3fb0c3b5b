"""The schema of protocol messages, as the OASIS published it (D3-3).

It comes with python3-saml, is compiled once, and never reaches out: it names its parts by files.
"""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from importlib.resources import as_file, files
from threading import Lock
from typing import Any, Final

from lxml import etree

from actions.saml.names import XENC, XENC11, tag
from actions.saml.refusal import MessageRefused

_PROTOCOL: Final = "saml-schema-protocol-2.0.xsd"
# A compiled schema keeps the errors of its last use: one message at a time.
_ONE_AT_A_TIME: Final = Lock()


def check_schema(root: etree._Element) -> None:
    """Refuse a protocol message that does not have the form that the standard gives it."""
    checked = _without_younger_elements(root)
    with _ONE_AT_A_TIME:
        schema = _protocol_schema()
        if schema.validate(checked):
            return
        # Any: the stubs leave out what a log of errors holds.
        errors: Any = schema.error_log
        first = errors[0].message if len(errors) else "it has another form"
    raise MessageRefused(reason="schema", detail=first)


def _without_younger_elements(root: etree._Element) -> etree._Element:
    # XML Encryption 1.1 is younger than the schema, which wants to know every element that stands
    # in an EncryptionMethod.
    path = f".//{tag(XENC, 'EncryptionMethod')}/{{{XENC11}}}*"
    if root.find(path) is None:
        return root
    copy = deepcopy(root)
    for element in copy.findall(path):
        parent = element.getparent()
        if parent is not None:
            parent.remove(element)
    return copy


@cache
def _protocol_schema() -> etree.XMLSchema:
    with as_file(files("onelogin.saml2").joinpath("schemas")) as folder:
        return etree.XMLSchema(etree.parse(folder / _PROTOCOL, etree.XMLParser(no_network=True)))
