"""Ends what was chosen, one after the other, and tells how that went."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import quote

import typer

from penstock.output import BAD, GOOD, Span, line, show
from penstock.people.admin_client import AdminClient
from penstock.people.options import print_json


@dataclass(slots=True)
class Revoked:
    """What came of it, by id."""

    revoked: list[str] = field(default_factory=list)
    not_found: list[str] = field(default_factory=list)


def revoke(client: AdminClient, path: str, ids: Iterable[str]) -> Revoked:
    """End each; one that is not there any more is told apart. Raises Failure."""
    result = Revoked()
    for each in ids:
        found = client.delete(f"{path}/{quote(each, safe='')}")
        (result.revoked if found else result.not_found).append(each)
    return result


def report(result: Revoked, *, noun: str, as_json: bool, may_be_none: bool) -> None:
    """Tell what was ended, and end the command: with 1 if something was not there."""
    if as_json:
        print_json({"revoked": result.revoked, "not_found": result.not_found})
    else:
        show(line(Span("revoked", GOOD), f" {each}") for each in result.revoked)
        nothing = not (result.revoked or result.not_found)
        missing = [f"no such {noun}: {each}" for each in result.not_found]
        show((line(Span(each, BAD)) for each in missing), to=sys.stderr)
        if nothing:
            show([line(f"no {noun} to revoke")], to=sys.stderr)
    is_fine = not result.not_found and (may_be_none or bool(result.revoked))
    raise typer.Exit(0 if is_fine else 1)
