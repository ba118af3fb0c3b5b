"""User agents: the values that policies of the language rely on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.user_agent import UserAgent, parse_user_agent

EDGE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/120.0.0.0 Safari/537.36 Edg/120.0.2210.91"
)
SAFARI = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.0 Safari/605.1.15"
)
PHONE = (
    "Mozilla/5.0 (Linux; Android 13; SM-S901B) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/112.0.0.0 Mobile Safari/537.36"
)
TABLET = (
    "Mozilla/5.0 (iPad; CPU OS 13_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "CriOS/87.0.4280.77 Mobile/15E148 Safari/604.1"
)
CHATGPT = (
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0; "
    "+https://openai.com/bot"
)


@pytest.mark.parametrize(
    ("field_value", "expected"),
    [
        (EDGE, {"name": "Edge", "os": "Windows", "is_desktop": True}),
        (SAFARI, {"name": "Safari", "version": "17.0", "os": "macOS", "is_desktop": True}),
        (PHONE, {"os": "Android", "is_mobile": True, "is_tablet": False, "is_bot": False}),
        (TABLET, {"is_tablet": True, "is_mobile": False, "is_desktop": False}),
        (
            CHATGPT,
            {
                "name": "ChatGPT-User",
                "version": "1.0",
                "url": "https://openai.com/bot",
                "is_bot": True,
                "is_desktop": False,
            },
        ),
        ("OAI-SearchBot/1.0; +https://openai.com/searchbot", {"name": "OAI-SearchBot"}),
        ("curl/8.1.2", {"name": "curl", "version": "8.1.2", "is_desktop": False}),
        ("", {"name": "", "is_bot": False}),
    ],
    ids=["edge", "safari", "phone", "tablet", "chatgpt", "search-bot", "curl", "empty"],
)
def test_parts(field_value: str, expected: dict[str, object]) -> None:
    agent = parse_user_agent(field_value)
    assert {name: getattr(agent, name) for name in expected} == expected


def test_android_devices_say_android() -> None:
    assert "Android" in parse_user_agent(PHONE).device


@given(st.text(max_size=3000))
def test_any_text_is_read(text: str) -> None:
    assert isinstance(parse_user_agent(text), UserAgent)
