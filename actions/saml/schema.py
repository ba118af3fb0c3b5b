"""The schema of protocol messages, as the OASIS published it (D3-3).

It comes with python3-saml, is compiled once, and never reaches out: it names its parts by files.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files
from threading import Lock
from typing import Any, Final

from lxml import etree

from actions.saml.refusal import MessageRefused

_PROTOCOL: Final = "saml-schema-protocol-2.0.xsd"
# A compiled schema keeps the errors of its last use: one message at a time.
_ONE_AT_A_TIME: Final = Lock()


def check_schema(root: etree._Element) -> None:
    """Refuse a protocol message that does not have the form that the standard gives it."""
    with _ONE_AT_A_TIME:
        schema = _protocol_schema()
        if schema.validate(root):
            return
        # Any: the stubs leave out what a log of errors holds.
        errors: Any = schema.error_log
        first = errors[0].message if len(errors) else "it has another form"
    raise MessageRefused(reason="schema", detail=first)


@cache
def _protocol_schema() -> etree.XMLSchema:
    with as_file(files("onelogin.saml2").joinpath("schemas")) as folder:
        return etree.XMLSchema(etree.parse(folder / _PROTOCOL, etree.XMLParser(no_network=True)))
