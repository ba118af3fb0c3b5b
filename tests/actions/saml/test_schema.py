from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from lxml import etree

from actions.saml.names import XENC11
from actions.saml.refusal import MessageRefused
from actions.saml.schema import check_schema
from tests.saml import Response, encrypted, signed


def form(root: etree._Element) -> str:
    try:
        check_schema(root)
    except MessageRefused as refused:
        return refused.detail
    return ""


def test_messages_have_the_form_of_the_standard_d3_3() -> None:
    assert form(signed(what="both")) == ""
    assert form(encrypted()) == ""
    assert "{urn:x}x" in form(signed(Response(extensions="<x xmlns='urn:x'/>" * 2), what="both"))
    assert form(etree.fromstring("<a/>"))


def test_younger_elements_of_encryption_are_left_out_of_it() -> None:
    root = encrypted(transport="rsa-oaep")
    before = etree.tostring(root)
    assert form(root) == ""
    assert etree.tostring(root) == before
    method = next(root.iter("{*}EncryptionMethod"))
    etree.SubElement(method, f"{{{XENC11}}}Other")
    etree.SubElement(method, f"{{{method.nsmap['xenc']}}}Other")
    assert "Other" in form(root)


@pytest.mark.parametrize("_round", range(3))
def test_threads_do_not_mix_their_messages(_round: int) -> None:
    roots = [signed(what="both"), etree.fromstring("<a/>"), etree.fromstring("<b/>")] * 8
    with ThreadPoolExecutor(4) as pool:
        details = list(pool.map(form, roots))
    assert [detail.count("'") and detail.split("'")[1] for detail in details] == [0, "a", "b"] * 8
