"""The public HTTP/1.1 probe, driven through the proxy to an origin that echoes."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.proxy.rig import LOOPBACK, Received, origin, proxy, served

CORPUS = (
    Path(os.environ.get("PENSTOCK_CORPORA", Path(__file__).parents[3] / "shared" / "corpora"))
    / "http"
    / "http11probe.json"
)
ROWS: list[dict[str, Any]] = json.loads(CORPUS.read_text()) if CORPUS.exists() else []

# What only an origin can answer: it would have to know cookies, methods and content types.
ORIGINS_BUSINESS = {
    "COMP-405-ALLOW", "COMP-NO-CL-IN-204", "COMP-OPTIONS-ALLOW", "COMP-CONTENT-TYPE",
    "COOK-PARSED-BASIC", "COOK-PARSED-MULTI", "COOK-ECHO",
}  # fmt: skip
# Unscored or optional rows that go another way here, each with its reason.
OTHERWISE = {
    "COMP-HTTP12-VERSION": "any version but 1.0 and 1.1 is refused with 400 (T-SM-12)",
    "SMUG-GET-CL-PREFIX-DESYNC": "a GET with a length has a body, which is read as one",
}
# How long nothing must come before it is taken for an answer, or for the end of one.
NO_ANSWER_S = 1.5
END_OF_ANSWER_S = 0.4


async def echo(received: Received) -> bytes:
    body = b"" if received.method == "HEAD" else received.body
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(received.body), body)


async def drive(row: dict[str, Any], port: int) -> tuple[list[bytes], bool]:
    """Play a row's steps on one connection; returns the answer to each, and whether it closed."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    answers: list[bytes] = []
    closed = False
    try:
        for step in row["steps_b64"]:
            writer.write(base64.b64decode(step).replace(b"\x01HOST\x01", b"localhost:%d" % port))
            data = b""
            try:
                while not closed:
                    async with asyncio.timeout(END_OF_ANSWER_S if data else NO_ANSWER_S):
                        more = await reader.read(65536)
                    data += more
                    closed = not more
            except TimeoutError:
                pass
            except ConnectionError:
                closed = True
            answers.append(data)
            if closed:
                break
    finally:
        writer.close()
    return answers, closed


def statuses(data: bytes) -> list[int]:
    found = [int(code) for code in re.findall(rb"HTTP/1\.[01] (\d{3}) ", data)]
    return [code for code in found if code != 100]


def acceptable(row: dict[str, Any], status: int | None, *, closed: bool) -> bool:
    """Judge a single answer by the row's verdict in words: what comes before a warning passes."""
    words = row["expect_text"] or row["expect"] or ""
    words = re.sub(r"[^,;]*(?:\(warn\)|warns)", "", words)
    if status is None:
        drops = "close" in words or row["allow_close"] or "Reject/drop" in words
        return (closed and drops) or (not closed and "timeout" in words)
    return (
        str(status) in words
        or f"{status // 100}xx" in words
        or (words.strip() == "!101" and status != 101)
        or ("non-101" in words and status != 101)
        or ("not 414" in words and status != 414)
        or ("non-1xx" in words and status >= 200)
        or ("Reject/drop" in words and status >= 400)
        or ("echo" in words and status == 200)
        or not re.search(r"\d", words)
    )


def judge_sequence(row: dict[str, Any], answers: list[bytes], *, closed: bool) -> bool:
    """Judge several steps: no message may be answered twice, and no desync may stay open."""
    first = statuses(answers[0])
    if len(first) > 1:
        return False
    if closed or (first and first[0] >= 400):
        return True
    words = row["expect_text"] or ""
    if "pass-through" in words or "417/400/close" in words or "2xx + 2xx" in words:
        return len(answers) > 1 and len(statuses(answers[1])) == 1
    return row["category"] != "Smuggling" and bool(first)


@pytest.mark.skipif(not ROWS, reason="the probe corpus is not here; set PENSTOCK_CORPORA")
async def test_every_row_of_the_probe_passes() -> None:
    failed: dict[str, object] = {}
    async with origin(echo) as upstream, proxy(served(upstream.port)) as running:
        several = asyncio.Semaphore(16)

        async def play(row: dict[str, Any]) -> None:
            async with several:
                answers, closed = await drive(row, running.port)
            codes = statuses(answers[0])
            if row.get("kind") == "sequence":
                good = judge_sequence(row, answers, closed=closed)
            else:
                good = acceptable(row, codes[0] if codes else None, closed=closed)
            if not good and row["id"] not in ORIGINS_BUSINESS | OTHERWISE.keys():
                failed[row["id"]] = (
                    row["level"],
                    codes,
                    closed,
                    row["expect_text"] or row["expect"],
                )

        await asyncio.gather(*(play(row) for row in ROWS))
    assert failed == {}


@pytest.mark.skipif(not ROWS, reason="the probe corpus is not here; set PENSTOCK_CORPORA")
def test_the_rows_that_go_another_way_exist_and_are_no_must() -> None:
    levels = {row["id"]: (row["level"], row["scored"]) for row in ROWS}
    assert all(levels[each][0] != "Must" for each in OTHERWISE)
