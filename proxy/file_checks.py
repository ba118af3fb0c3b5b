"""Reads the files that a configuration names, and says what is wrong with them and their rights."""

from __future__ import annotations

import stat
from pathlib import Path

from policy.problem import Place, PolicyError, Problem, Severity
from policy.source import DOCUMENT_LIMIT_BYTES
from proxy.failure import Failure
from proxy.plan import FileReference


def read_document_file(reference: FileReference) -> bytes:
    """Return a document's bytes. Raises PolicyError where a document names it, else Failure."""
    try:
        with reference.path.open("rb") as file:
            # One byte more than is allowed is enough to see that a document is too large.
            return file.read(DOCUMENT_LIMIT_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise file_error(
            reference, f"can't read {reference.name!r}: {reason}", _hint(error, reference)
        ) from None


def file_error(reference: FileReference, message: str, hint: str) -> PolicyError | Failure:
    """Make the error for a file: with a place where a document names it."""
    if reference.place is None:
        return Failure(message, hint=hint)
    return PolicyError(
        [Problem(code="file-unusable", message=message, hint=hint, place=reference.place)]
    )


def _hint(error: OSError, reference: FileReference) -> str:
    absolute = str(reference.path.absolute())
    if isinstance(error, FileNotFoundError) and absolute != reference.name:
        return f"looked for {absolute}"
    if isinstance(error, PermissionError):
        return "the user that runs Penstock needs the right to read it"
    return "name a file that can be read"


def permission_warnings(path: Path, *, name: str, secret: bool) -> tuple[Problem, ...]:
    """Warn of a file that others can write or, if it is secret, read (security T-YA-10)."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return ()
    found: list[tuple[str, str, str]] = []
    if mode & stat.S_IWOTH:
        found.append(("world-writable", "any user of this machine can change it", "o-w"))
    if secret and mode & (stat.S_IROTH | stat.S_IRGRP):
        found.append(("readable-by-others", "other users of this machine can read it", "go-r"))
    place = Place(file=name, line=1, column=1, end_column=1, source_line="")
    return tuple(
        Problem(
            code=code,
            message=message,
            place=place,
            severity=Severity.WARNING,
            hint=f"chmod {change} {name}",
        )
        for code, message, change in found
    )
