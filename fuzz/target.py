"""What there is to fuzz: a function of bytes that returns, whatever the bytes are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One parser under test. `run` fails with an exception that the parser does not promise.

    `seeds` are inputs to start from; `words` are put into inputs as they are.
    """

    name: str
    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...]
    words: tuple[str, ...] = ()


def text_of(data: bytes) -> str:
    """Decode as the proxy does: bytes that are no UTF-8 become lone surrogates (PEP 383)."""
    return data.decode("utf-8", "surrogateescape")
