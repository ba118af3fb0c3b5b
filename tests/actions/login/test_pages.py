"""Pages that people see; nothing that they show can do anything."""

from __future__ import annotations

import json
from html.parser import HTMLParser

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
