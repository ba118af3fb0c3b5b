"""Appends what an ASGI server's parser makes of each request to a file: one JSON line each."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Awaitable, Callable
from typing import Any


async def application(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    if scope["type"] != "http":
        return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    query = scope["query_string"]
    target = scope["raw_path"].split(b"?", 1)[0] + (b"?" + query if query else b"")
    seen = {
        "method": scope["method"],
        "target": target.decode("latin-1"),
        "body": base64.b64encode(body).decode("ascii"),
    }
    with open(os.environ["RECORD"], "a", encoding="ascii") as file:  # noqa: ASYNC230, PTH123
        file.write(json.dumps(seen) + "\n")
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
    )
    await send({"type": "http.response.body", "body": b"ok"})
