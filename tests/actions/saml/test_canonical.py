from __future__ import annotations

from typing import Any

import pytest
from lxml import etree

from actions.saml.canonical import canonical, inclusive_prefixes, without
from actions.saml.refusal import MessageRefused

EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
TEXT = '<r xmlns:x="urn:x" xmlns:y="urn:y"><x:a b="2" a="1">one<c/>two<d/>three</x:a>tail</r>'


def inner() -> Any:
    return etree.fromstring(TEXT)[0]


def test_an_element_stands_alone_in_its_canonical_form() -> None:
    alone = b'<x:a xmlns:x="urn:x" a="1" b="2">one<c></c>two<d></d>three</x:a>'
    assert canonical(inner(), ()) == alone
    with_y = alone.replace(b' a="1"', b' xmlns:y="urn:y" a="1"')
    assert canonical(inner(), ("y", "unknown")) == with_y


def test_what_has_no_canonical_form_is_refused_sa_13() -> None:
    root = etree.fromstring('<a xmlns:r="relative"><r:b/></a>')
    with pytest.raises(MessageRefused) as caught:
        canonical(root, ())
    assert caught.value.reason == "canonical-form"


@pytest.mark.parametrize(
    ("position", "left"), [(0, b"<a>onetwo<d></d>three</a>"), (1, b"<a>one<c></c>twothree</a>")]
)
@pytest.mark.parametrize("nested", [False, True])
def test_only_the_child_goes_and_the_text_behind_it_stays(
    position: int, left: bytes, *, nested: bool
) -> None:
    text = "<a>one<c/>two<d/>three</a>"
    root = etree.fromstring(f"<r><z/>{text}</r>" if nested else text)
    element = root[1] if nested else root
    before = etree.tostring(root)
    assert canonical(without(element, element[position]), ()) == left
    assert etree.tostring(root) == before


def test_text_may_be_missing_around_it() -> None:
    root = etree.fromstring("<a><b/></a>")
    assert canonical(without(root, root[0]), ()) == b"<a></a>"


@pytest.mark.parametrize(
    ("inside", "prefixes"),
    [
        ("", ()),
        ('<e:InclusiveNamespaces PrefixList=""/>', ()),
        ("<e:InclusiveNamespaces/>", ()),
        ('<e:InclusiveNamespaces PrefixList=" xs  saml #default"/>', ("xs", "saml", "#default")),
    ],
)
def test_prefixes_to_carry_along_are_read(inside: str, prefixes: tuple[str, ...]) -> None:
    root = etree.fromstring(f'<t xmlns:e="{EXCLUSIVE}">{inside}</t>')
    assert inclusive_prefixes(root) == prefixes


@pytest.mark.parametrize(
    "inside",
    [
        "<e:Other/>",
        "<InclusiveNamespaces/>",
        '<e:InclusiveNamespaces PrefixList="a"><x/></e:InclusiveNamespaces>',
        '<e:InclusiveNamespaces PrefixList="a" other="b"/>',
        '<e:InclusiveNamespaces PrefixList="a:b"/>',
        '<e:InclusiveNamespaces PrefixList="#other"/>',
        f'<e:InclusiveNamespaces PrefixList="{"a " * 33}"/>',
        f'<e:InclusiveNamespaces PrefixList="{"a" * 65}"/>',
        "<e:InclusiveNamespaces/><e:InclusiveNamespaces/>",
    ],
)
def test_unusual_lists_of_prefixes_are_refused_sa_12(inside: str) -> None:
    root = etree.fromstring(f'<t xmlns:e="{EXCLUSIVE}">{inside}</t>')
    with pytest.raises(MessageRefused):
        inclusive_prefixes(root)


def test_the_default_namespace_may_be_named_where_that_changes_nothing() -> None:
    for text in ("<a/>", '<a xmlns="urn:d"><b/></a>'):
        assert canonical(etree.fromstring(text), ("#default",))
    unused = etree.fromstring('<a xmlns="urn:d"><x:b xmlns:x="urn:x"/></a>')
    with pytest.raises(MessageRefused):
        canonical(unused, ("#default",))
