"""What stands in for the network in `penstock eval`: files with what would be fetched."""

from __future__ import annotations

from pathlib import Path

from policy.effect import FetchFailed
from policy.evaluation import Contents
from proxy.documents import document_path, read_document
from proxy.failure import Failure

URL_STARTS = ("https://", "http://")


def given_contents(flags: list[str]) -> Contents:
    """Read --jwks flags, each `FILE` or `URL=FILE`; raises Failure for a file of no use.

    A policy's own `file:` URLs are read as the proxy would.
    """
    by_url: dict[str, bytes] = {}
    for flag in flags:
        url, path = split_flag(flag)
        by_url[url] = content_of(path)

    def contents(url: str) -> bytes | None:
        own = document_path(url)
        if own is not None and url not in by_url:
            return content_of(own)
        return by_url.get(url, by_url.get(""))

    return contents


def split_flag(flag: str) -> tuple[str, Path]:
    """Return URL and file; the URL is "" for a file that stands for every URL."""
    url, separator, path = flag.rpartition("=")
    if separator and url.startswith(URL_STARTS):
        return url, Path(path)
    return "", Path(flag)


def content_of(path: Path) -> bytes:
    """Read a file; raises Failure."""
    content = read_document(path)
    if isinstance(content, FetchFailed):
        raise Failure(f"{path}: {content.reason}", hint="name a file that holds a key set")
    return content
