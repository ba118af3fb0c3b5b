from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.saml.markup import MESSAGE, METADATA, Limits, check_ids, parse, text_of
from actions.saml.names import DS, SAML, SAMLP, XENC
from actions.saml.refusal import MessageRefused

ATTRIBUTES = " ".join(f'a{number}="1"' for number in range(100_000))
NAMESPACES = " ".join(f'xmlns:n{number}="urn:n:{number}"' for number in range(1000))
NESTED_NAMESPACES = "".join(f'<a xmlns:n{number}="urn:n:{number}">' for number in range(1000))


def refused(data: bytes | str, limits: Limits = MESSAGE) -> str:
    with pytest.raises(MessageRefused) as caught:
        parse(data.encode() if isinstance(data, str) else data, limits)
    return caught.value.reason


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("<!DOCTYPE a><a/>", "xml-document-type"),
        ('<!DOCTYPE a SYSTEM "http://127.0.0.1/x"><a/>', "xml-document-type"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "xml-document-type"),
        ('<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;">]><a>&y;</a>', "xml-document-type"),
        ("<a>&x;</a>", "xml-entity"),
        ("<a>&amp</a>", "xml-entity"),
        ('<a b="&x;"/>', "xml-entity"),
        ('<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="x"/></a>',
         "xml-namespace"),
        ("<a>b<!-- c --></a>", "xml-comment"),
        ("<a/><!-- c -->", "xml-comment"),
        ("<a><![CDATA[b]]></a>", "xml-cdata"),
        ("<a><?php echo 1 ?></a>", "xml-processing-instruction"),
        ("<?xml-stylesheet href='x'?><a/>", "xml-processing-instruction"),
        (' <?xml version="1.0"?><a/>', "xml-processing-instruction"),
        ('<?xml version="1.1"?><a/>', "xml-encoding"),
        ('<?xml version="1.0" encoding="UTF-16"?><a/>', "xml-encoding"),
        ('<?xml version="1.0" encoding="UTF-7"?>+ADw-a/+AD4-', "xml-encoding"),
        ('<?xml version="1.0" encoding="latin-1"?><a>\xe9</a>', "xml-encoding"),
        (b"\xef\xbb\xbf<a/>", "xml-encoding"),
        ("<a/>".encode("utf-16"), "xml-encoding"),
        ("<a/>".encode("utf-16-le"), "xml-malformed"),
        (b"<a>\xff</a>", "xml-encoding"),
        (b"<a>\xc0\xbc</a>", "xml-encoding"),
        ("<a>\x00</a>", "xml-malformed"),
        ("<a>&#0;</a>", "xml-malformed"),
        ("<a>&#x1;</a>", "xml-malformed"),
        (f"<a>{'x' * 10_000_000}</a>", "message-too-large"),
        ("<a>" * 10_000 + "</a>" * 10_000, "xml-too-complex"),
        ("<a>" * 33, "xml-too-complex"),
        (f"<a>{'<b/>' * 10_000}</a>", "xml-too-complex"),
        (f"<a {ATTRIBUTES}/>", "message-too-large"),
        (f"<a {ATTRIBUTES[:200_000]}/>", "xml-malformed"),
        (f"<a {' '.join(ATTRIBUTES.split()[:33])}/>", "xml-too-complex"),
        (f"<a {NAMESPACES}/>", "xml-too-complex"),
        (NESTED_NAMESPACES, "xml-too-complex"),
        ("<a>" + "".join(f'<b xmlns="urn:n:{n}"/>' for n in range(65)) + "</a>",
         "xml-too-complex"),
        ('<a xmlns="relative"/>', "xml-namespace"),
        ('<a xmlns=""/>', "xml-namespace"),
        ('<a xmlns:p="../b"/>', "xml-namespace"),
        ('<a xmlns:p="urn:a b"/>', "xml-namespace"),
        ('<a xmlns:xml="urn:x"/>', "xml-namespace"),
        ("<p:a/>", "xml-malformed"),
        ('<a p:b="1"/>', "xml-malformed"),
        ("<a><b></a></b>", "xml-malformed"),
        ("<a/><b/>", "xml-malformed"),
        ("<a b='1' b='2'/>", "xml-malformed"),
        ('<a xmlns:p="urn:x" xmlns:q="urn:x" p:b="1" q:b="2"/>', "xml-malformed"),
        ("<a b=1/>", "xml-malformed"),
        ("<a b='<'/>", "xml-malformed"),
        ("< a/>", "xml-malformed"),
        ("<a", "xml-malformed"),
        ("text", "xml-malformed"),
        ("", "xml-malformed"),
    ],
    ids=lambda value: repr(value[:40]),
)  # fmt: skip
def test_what_is_dangerous_or_ambiguous_is_refused_sa_10_sa_11(
    data: bytes | str, reason: str
) -> None:
    assert refused(data) == reason


def test_refusing_takes_no_longer_than_reading_sa_11() -> None:
    fine = b"<a>" + b"<b c='1'>text</b>" * 9000 + b"</a>"
    begin = time.process_time()
    parse(fine)
    usual = time.process_time() - begin
    hostile = [
        b"<a " + b"b='" * 80_000,
        b"<" * 250_000,
        b"<a" + b" " * 250_000,
        b"<a b" + b"=" * 250_000,
        b"<a " + b'xmlns:x="' * 27_000,
        b"<a>" + b"&" * 250_000,
        b"<!--" + b"-" * 250_000,
        b"<a>" * 83_000,
    ]
    for data in hostile:
        begin = time.process_time()
        refused(data)
        refused(data, METADATA)
        assert time.process_time() - begin < 20 * usual + 0.05


@pytest.mark.parametrize(
    "text",
    [
        "<a/>",
        '<?xml version="1.0"?><a/>',
        "<?xml version='1.0' encoding='utf-8' standalone='yes' ?>\n<a/>",
        "<a b=\"it's\" c='\"'>&lt;&amp;&#233;&#xE9;></a>",
        '<p:a xmlns:p="urn:x"><p:b/>\n</p:a >',
    ],
)
def test_plain_documents_are_read(text: str) -> None:
    assert parse(text.encode()) is not None


def test_a_namespace_counts_once_however_often_it_is_declared() -> None:
    inside = '<b xmlns:xs="urn:xs" xmlns:xsi="urn:xsi"/>' * 500
    assert len(parse(f"<a>{inside}</a>".encode())) == 500


def test_published_metadata_may_have_ornaments() -> None:
    root = parse(b"\xef\xbb\xbf<?xml version='1.0'?><!-- a <b> --><a>b<!-- c -->d</a>", METADATA)
    assert text_of(root) == "bd"
    assert refused("<!DOCTYPE a><a/>", METADATA) == "xml-document-type"
    assert refused("<a><?p?></a>", METADATA) == "xml-processing-instruction"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f'<s:A xmlns:s="{SAML}" ID="1"><s:B ID="1"/></s:A>', "xml-id-repeated"),
        (f'<s:A xmlns:s="{SAML}" ID="1"><d:Signature xmlns:d="{DS}" Id="1"/></s:A>',
         "xml-id-repeated"),
        (f'<s:A xmlns:s="{SAML}" Id="1"/>', "xml-id-misplaced"),
        (f'<s:A xmlns:s="{SAML}" id="1"/>', "xml-id-misplaced"),
        (f'<s:A xmlns:s="{SAML}" xml:id="x"/>', "xml-id-misplaced"),
        (f'<s:A xmlns:s="{SAML}" s:ID="1"/>', "xml-id-misplaced"),
        (f'<d:Object xmlns:d="{DS}" Id="1"/>', "xml-id-misplaced"),
        ('<a ID="1"/>', "xml-id-misplaced"),
    ],
    ids=["twice", "in-signature", "Id", "id", "xml-id", "prefixed", "object", "foreign"],
)  # fmt: skip
def test_identifiers_are_unique_and_in_their_places_sa_9(text: str, reason: str) -> None:
    with pytest.raises(MessageRefused) as caught:
        check_ids(parse(text.encode()))
    assert caught.value.reason == reason


def test_usual_identifiers_are_fine() -> None:
    check_ids(
        parse(
            f'<p:R xmlns:p="{SAMLP}" ID="1"><d:Signature xmlns:d="{DS}" Id="2"/>'
            f'<x:EncryptedData xmlns:x="{XENC}" Id="3"/></p:R>'.encode()
        )
    )


def test_text_is_all_or_nothing_sa_10() -> None:
    with pytest.raises(MessageRefused):
        text_of(parse(b"<a>admin<b/>@example.com</a>"))
    assert text_of(parse(b"<a/>")) == ""


@given(st.binary(max_size=200))
def test_whatever_comes_is_read_or_refused(data: bytes) -> None:
    for limits in (MESSAGE, METADATA):
        try:
            parse(data, limits)
        except MessageRefused as refused_:
            assert refused_.reason


@given(st.text(alphabet="<>/!?-[]&;'\"= abxmlns:#0x", max_size=80))
def test_whatever_looks_like_markup_is_read_or_refused(text: str) -> None:
    try:
        root = parse(text.encode())
    except MessageRefused:
        return
    assert all(isinstance(node.tag, str) for node in root.iter())
