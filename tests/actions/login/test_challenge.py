"""What a program is told that has no session: one challenge that can be read in one way only."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.login.session import PENDING_LOGINS, digest
from policy.store import StoreFind
from policy.url import UrlError
from tests.actions.login.rig import Browser, Site, field_of, status

# RFC 9110, sections 5.6.4 and 11.4: a token, then parameters with quoted strings.
CHALLENGE = re.compile(r'Login realm="([^"\\]*)", login_uri="([^"\\]*)"')
SCRIPT = (("Accept", "application/json"), ("Sec-Fetch-Mode", "cors"))
TARGETS = [
    "/",
    "/a?b=%22c%22&d=1",
    "/a?b='c'",
    "/a?b=\\c",
    "/a?x=%0d%0aSet-Cookie:%20a=b",
    "/" + "x" * 3000,
    "/a,b;c=d",
]


def told(target: str) -> tuple[str, str]:
    answer = Browser(Site()).get(target, headers=SCRIPT)
    assert status(answer) == 401
    found = CHALLENGE.fullmatch(field_of(answer, "www-authenticate"))
    assert found is not None
    assert answer.response is not None
    assert json.loads(answer.response.body)["login_url"] == found[2]
    return found[1], found[2]


@pytest.mark.parametrize("target", TARGETS)
def test_a_challenge_is_well_formed_whatever_was_asked_for(target: str) -> None:
    realm, url = told(target)
    parts = urlsplit(url)
    assert realm == parts.hostname == "orders.example.com"
    assert (parts.scheme, parts.path) == ("https", "/ngrok/login")
    assert all(each.startswith("/") for each in parse_qs(parts.query).get("redirect_path", []))


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=60))
def test_no_target_gets_out_of_its_quotes(text: str) -> None:
    try:
        told(f"/{text}")
    except UrlError:
        # A request that never gets this far.
        return


def test_oa_13_a_401_keeps_nothing_and_sets_nothing() -> None:
    site = Site()
    answer = Browser(site).get(headers=SCRIPT)
    assert field_of(answer, "set-cookie") == ""
    assert field_of(answer, "cache-control") == "no-store"
    assert site.provider.challenges == []


@pytest.mark.parametrize(
    "query", ["prompt=none", "max_age=0", "login_hint=eve", "acr_values=0", "scope=all", "nonce=1"]
)
def test_d2_6_what_a_visitor_adds_to_the_login_path_goes_to_no_provider(query: str) -> None:
    site = Site()
    answer = Browser(site).get(f"/ngrok/login?{query}&redirect_path=/x")
    assert status(answer) == 302
    [challenge] = site.provider.challenges
    assert query not in field_of(answer, "location")
    assert challenge.force


def test_d2_3_what_is_kept_of_an_unfinished_login_answers_no_challenge() -> None:
    site = Site()
    Browser(site).get("/")
    [challenge] = site.provider.challenges
    [record] = site.store.answer(StoreFind(kind=PENDING_LOGINS))
    kept = PENDING_LOGINS.encode(record.value).decode() + record.key
    assert challenge.nonce not in kept
    assert challenge.state not in kept
    assert record.value.nonce_digest == digest(challenge.nonce)
