"""Appends what a WSGI server's parser makes of each request to a file: one JSON line each."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from typing import Any


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Length", "2")])
    if len(body) < int(environ.get("CONTENT_LENGTH") or 0):
        # The connection broke in mid-body: an application gets what has come as if it were all.
        return [b"??"]
    seen = {
        "method": environ["REQUEST_METHOD"],
        "target": environ["RAW_URI"],
        "body": base64.b64encode(body).decode("ascii"),
    }
    with open(os.environ["RECORD"], "a", encoding="ascii") as file:  # noqa: PTH123
        file.write(json.dumps(seen) + "\n")
    return [b"ok"]
