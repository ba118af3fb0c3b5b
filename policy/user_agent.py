"""What a User-Agent field says about the client. Its own claim: it proves nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ua_parser import Parser

# The patterns are linear-time, yet there are a thousand of them: long fields are cut, which
# bounds the work, and no real client comes near this length.
MAX_PARSED_CHARACTERS = 1024
CACHED_AGENTS = 4096

# Agents that name themselves behind a browser's preamble, where the parser finds other words.
NAMED_BOTS = re.compile(
    r"\b(ChatGPT-User|OAI-SearchBot|GPTBot|ClaudeBot|PerplexityBot)(?:/([\w.]+))?"
)
BOT_WORDS = re.compile(r"bot\b|crawl|spider|slurp|\bfetch|monitor|archiver", re.IGNORECASE)
CONTACT_URL = re.compile(r"\+?(https?://[^\s;,()]+)")
OS_NAMES = {"Mac OS X": "macOS"}
DESKTOP_OS = frozenset({"Windows", "macOS", "Linux", "Ubuntu", "Fedora", "Debian", "Chrome OS"})
TABLET_WORDS = re.compile(r"iPad|Tablet|Kindle|Nexus (?:7|9|10)\b|SM-T\d|SM-X\d", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserAgent:
    """The parts of a user agent; "" for what it does not tell."""

    name: str = ""
    version: str = ""
    os: str = ""
    os_version: str = ""
    device: str = ""
    url: str = ""
    is_mobile: bool = False
    is_tablet: bool = False
    is_desktop: bool = False
    is_bot: bool = False


@lru_cache(maxsize=CACHED_AGENTS)
def parse_user_agent(field_value: str) -> UserAgent:
    """Read a User-Agent field (RFC 9110, section 10.1.5). Anything is accepted."""
    text = field_value[:MAX_PARSED_CHARACTERS].encode("utf-8", "replace").decode()
    if not text:
        return UserAgent()
    parsed = parser().parse(text)
    agent, system, device = parsed.user_agent, parsed.os, parsed.device
    named = NAMED_BOTS.search(text)
    os_name = OS_NAMES.get(system.family, system.family) if system else ""
    is_bot = bool(named or BOT_WORDS.search(text) or (device and device.family == "Spider"))
    is_tablet = bool(TABLET_WORDS.search(text)) or (os_name == "Android" and "Mobile" not in text)
    is_mobile = not is_tablet and ("Mobi" in text or os_name in {"Android", "iOS"})
    url = CONTACT_URL.search(text)
    return UserAgent(
        name=named[1] if named else (agent.family if agent else ""),
        version=(named[2] or "") if named else dotted(agent, "major", "minor", "patch"),
        os=os_name,
        os_version=dotted(system, "major", "minor", "patch"),
        device=device_text(device.family if device else "", os_name),
        url=url[1] if url else "",
        is_mobile=is_mobile and not is_bot,
        is_tablet=is_tablet and not is_bot,
        is_desktop=os_name in DESKTOP_OS and not (is_bot or is_mobile or is_tablet),
        is_bot=is_bot,
    )


@cache
def parser() -> Parser:
    """Build the parser at its first use: its patterns take a quarter of a second to compile."""
    from ua_parser import Parser, loaders
    from ua_parser.re2 import Resolver

    return Parser(Resolver(loaders.load_lazy_builtins()))


def device_text(family: str, os_name: str) -> str:
    """Name the device; policies written for the language look for `Android` in it."""
    return f"Android {family}".strip() if os_name == "Android" else family


def dotted(part: object, *names: str) -> str:
    """Join the version numbers that are known."""
    numbers = [getattr(part, name, None) for name in names]
    return ".".join(number for number in numbers if number is not None)
