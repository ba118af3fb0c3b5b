"""Pages that people see; nothing that they show can do anything."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.login import pages
from tests import exchanges


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src", "action")]
        assert not [name for name, _ in attrs if name.startswith("on")]


EXPECTED = [
    "html", "head", "meta", "meta", "title", "style", "body", "main", "h1", "p", "a", "footer",
    "code",
]  # fmt: skip


@given(st.text(max_size=60), st.text(max_size=60))
def test_oa_19_no_text_becomes_markup(title: str, text: str) -> None:
    words = pages.Words(title=title, text=text)
    link = pages.Link(text=text, path=f"/{title}")
    read = Tags()
    read.feed(pages.page(words, reference=text or "x", link=link).decode())
    assert read.tags == EXPECTED
    assert len(read.links) == 1


def test_the_style_is_the_one_that_the_content_policy_names() -> None:
    fields = dict(pages.PAGE_FIELDS)
    assert f"'sha256-{pages.STYLE_HASH}'" in fields["content-security-policy"]
    assert "script-src" not in fields["content-security-policy"]
    assert "<" not in pages.STYLE


def test_a_reference_is_made_once() -> None:
    exchange = exchanges.exchange()
    assert pages.reference_of(exchange) == pages.reference_of(exchange) == "AAAAAAAA"


def test_programs_read_json() -> None:
    content = json.loads(pages.data("login-required", "R1", login_url="/x"))
    assert content == {"error": "login-required", "login_url": "/x", "reference": "R1"}


def test_every_status_of_a_refused_login_has_words() -> None:
    assert set(pages.REFUSED) == {400, 403, 500, 502, 503}


def colours(style: str) -> dict[str, str]:
    return dict(re.findall(r"--(\w+):#([0-9a-f]+)", style))


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    long = "".join(2 * each for each in colour) if len(colour) == 3 else colour
    parts = [int(long[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


LIGHT, _, DARK = pages.STYLE.partition("@media")


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"), [("ink", "card"), ("ink", "paper"), ("soft", "card"), ("on", "key")]
)
def test_text_can_be_read_in_light_and_dark(scheme: str, text: str, ground: str) -> None:
    found = colours(scheme)
    dark, light = sorted((luminance(found[text]), luminance(found[ground])))
    # WCAG 2.2, success criterion 1.4.3.
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_a_page_says_its_language_its_title_and_has_one_heading() -> None:
    page = pages.page(pages.SIGNED_OUT).decode()
    assert page.startswith('<!doctype html><html lang="en">')
    assert page.count("<h1>") == page.count("<title>") == page.count("<main>") == 1
    assert 'name="viewport"' in page


@pytest.mark.parametrize("fields", [pages.PAGE_FIELDS, pages.TRAVEL_FIELDS])
def test_oa_23_no_page_of_ours_can_be_framed_or_kept(fields: tuple[tuple[str, str], ...]) -> None:
    found = dict(fields)
    assert "frame-ancestors 'none'" in found["content-security-policy"]
    assert found["x-frame-options"] == "DENY"
    assert found["cache-control"] == "no-store"
