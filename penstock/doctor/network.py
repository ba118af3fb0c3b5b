"""Asks providers what the proxy would ask, as it would, and says what came of it in words."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from penstock.doctor.finding import Finding, doubtful, fine, unseen, wrong
from policy.effect import Fetch, Fetched, FetchFailed
from proxy.fetcher import (
    ADDRESS_BLOCKED,
    BROKEN_ANSWER,
    ENCODED,
    NOT_CONNECTED,
    TIMED_OUT,
    TLS_FAILED,
    TOO_LARGE,
    URL_REFUSED,
    Fetcher,
)

TIMEOUT_S: Final = 10.0
MAX_ANSWER: Final = 512 * 1024
# Tokens that are further off are refused; from half of that on it is a matter of time.
MAX_SKEW_S: Final = 60
NOTABLE_SKEW_S: Final = 20

WHY: Final[Mapping[str, tuple[str, str]]] = {
    NOT_CONNECTED: (
        "no connection",
        "check the host's name, DNS and the firewall between here and the provider",
    ),
    TLS_FAILED: (
        "its certificate is not accepted",
        "renew it at the provider, or add its authority to this system's trust store",
    ),
    TIMED_OUT: ("no answer in time", "the provider is overloaded, or a firewall drops packets"),
    TOO_LARGE: ("the answer is too large", "that is no OpenID document: check the URL"),
    ENCODED: ("the answer is compressed, unasked", "tell the provider, or what is in front of it"),
    BROKEN_ANSWER: ("the answer is no HTTP", "check host and port of the URL"),
    URL_REFUSED: ("the URL is refused", "only https is asked; http only on 127.0.0.1 and [::1]"),
    ADDRESS_BLOCKED: (
        "its address is private, on another host than the issuer's",
        "let the provider publish it on its own host name",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a URL answered, and when that was (seconds since the epoch)."""

    url: str
    result: Fetched | FetchFailed
    at_s: float


async def ask(fetcher: Fetcher, fetch: Fetch) -> Answer:
    """Make one request."""
    result = await fetcher.fetch(fetch)
    return Answer(url=fetch.url, result=result, at_s=time.time())


def get(url: str, *, is_host_trusted: bool = True) -> Fetch:
    """Ask for a document."""
    return Fetch(
        url=url,
        headers=(("Accept", "application/json"),),
        limit_bytes=MAX_ANSWER,
        timeout_s=TIMEOUT_S,
        is_host_trusted=is_host_trusted,
    )


def check_reached(check: str, answer: Answer) -> Finding | None:
    """Find out why there was no answer; None if there was one."""
    if isinstance(answer.result, Fetched):
        return None
    detail, remedy = WHY.get(answer.result.reason, (answer.result.reason, "check the URL"))
    return wrong(check, f"{answer.url}: {detail}", remedy)


def check_answered(check: str, answer: Answer) -> Finding | None:
    """Find out why there is no document; None if there is one."""
    unreached = check_reached(check, answer)
    if unreached is not None or not isinstance(answer.result, Fetched):
        return unreached
    status = answer.result.status_code
    if status == 200:
        return None
    remedy = "look into the provider's log"
    if 300 <= status < 400:
        target = header(answer.result, "location") or "nowhere"
        remedy = f"redirects are not followed: use the URL that it leads to, {target}"
    elif status == 404:
        remedy = "check the URL: the part behind the host names realm, tenant or application"
    return wrong(check, f"{answer.url}: status {status}", remedy)


def check_clock(answers: list[Answer]) -> Finding:
    """Compare the provider's clock with ours: tokens from the future or the past are refused."""
    skews = [skew for skew in map(skew_s, answers) if skew is not None]
    if not skews:
        return unseen("clock", "no answer says what time it is there")
    skew = min(skews, key=abs)
    detail = f"the provider's is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} ours"
    remedy = "run a time service (NTP) here; if it runs, tell the provider"
    if abs(skew) > MAX_SKEW_S:
        return wrong("clock", f"{detail}; {MAX_SKEW_S} s are allowed", remedy)
    if abs(skew) > NOTABLE_SKEW_S:
        return doubtful("clock", detail, remedy)
    return fine("clock", "agrees with ours")


def skew_s(answer: Answer) -> float | None:
    """Return by how much the other side's clock is ahead; None if it does not say."""
    text = header(answer.result, "date") if isinstance(answer.result, Fetched) else ""
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - datetime.fromtimestamp(answer.at_s, UTC)).total_seconds()


def header(fetched: Fetched, name: str) -> str:
    """Return a field's first value, "" for none."""
    return next((value for field, value in fetched.headers if field.lower() == name), "")
