"""`penstock` with one more action, which counts its requests in the store.

`python -m tests.proxy.store.counting start --config FILE`
"""

from __future__ import annotations

import os
from collections.abc import Generator
from dataclasses import replace
from typing import Any

import proxy.assembly
from actions import ACTIONS, LANGUAGE
from penstock.__main__ import main
from policy.action import Action, ActionConfig, Respond, always
from policy.effect import Effect
from policy.exchange import Exchange
from policy.phase import Phase
from policy.store import ABSENT, Kind, StoreGet, StorePut, StoreUnavailable

COUNTS: Kind[int] = Kind(
    name="count",
    encode=lambda count: str(count).encode(),
    decode=lambda data: int(data.decode()),
    max_entries=10,
)


class Config(ActionConfig):
    """There is nothing to configure."""


def run(_config: Config, _exchange: Exchange) -> Generator[Effect, Any, Respond[None]]:
    """Answer with how many requests there were, and who has counted this one."""
    while True:
        found = yield StoreGet(kind=COUNTS, key="requests")
        if isinstance(found, StoreUnavailable):
            return answer(503, found.reason)
        count, version = (1, ABSENT) if found is None else (found.value + 1, found.version)
        written = yield StorePut(
            kind=COUNTS, key="requests", value=count, ttl_s=600, if_version=version
        )
        if isinstance(written, StoreUnavailable):
            return answer(503, written.reason)
        if written is not None:
            return answer(200, f"{count} {os.getpid()}")


def answer(status_code: int, text: str) -> Respond[None]:
    body = text.encode()
    return Respond(status_code=status_code, reason="counted", body=body)


COUNT = Action(
    name="count",
    phases=frozenset({Phase.ON_HTTP_REQUEST}),
    config=Config,
    run=run,
    terminates=always,
)

if __name__ == "__main__":
    proxy.assembly.LANGUAGE = replace(  # type: ignore[attr-defined]
        LANGUAGE, actions={**ACTIONS, COUNT.name: COUNT}
    )
    main()
