"""`penstock eval`: one request through a policy, without a network, and what became of it."""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from penstock.document_file import load_policy_file
from penstock.evaluation_json import evaluation_json, refusal_json, secrets_of
from penstock.evaluation_text import evaluation_lines, refusal_lines
from penstock.given_contents import given_contents
from penstock.loading_bar import loading_bar
from penstock.logged_in import with_logins
from penstock.output import show
from penstock.problem_text import problem_lines
from penstock.saml_rehearsal import rehearsal
from penstock.saml_response import read_saml_response
from penstock.sample_exchange import LOOPBACK, exchange_for, request_of
from penstock.sample_request import field_of, parse_sample, request_from_file, request_from_flags
from policy.evaluation import Ending, Evaluation, UpstreamAnswer, evaluate
from policy.exchange import Exchange
from policy.net import Address, AddressError, parse_address
from proxy.failure import Failure
from proxy.http1.request_head import BadRequest

STANDARD_INPUT = "-"
REFUSAL = 400


def evaluate_request(
    policy: Annotated[Path, typer.Argument(help="Policy file.")],
    request: Annotated[
        Path | None,
        typer.Argument(help="Raw HTTP request to play instead of flags; - is standard input."),
    ] = None,
    *,
    method: Annotated[
        str | None, typer.Option(metavar="NAME", help="Method; GET without it.")
    ] = None,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="URL, or a path on localhost.")
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option("-H", "--header", metavar="FIELD", help="'name: value'; may be repeated."),
    ] = None,
    body: Annotated[str | None, typer.Option(metavar="TEXT", help="Body of the request.")] = None,
    client_ip: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address of the client.")
    ] = LOOPBACK,
    keep_encoded_slashes: Annotated[
        bool, typer.Option("--keep-encoded-slashes", help="Let paths with %2F through.")
    ] = False,
    clock: Annotated[
        str | None,
        typer.Option("--time", metavar="TIME", help="Set the clock, as 2026-07-14T09:30:00Z."),
    ] = None,
    upstream_status: Annotated[
        int, typer.Option(metavar="STATUS", help="Status the upstream answers.", min=200, max=599)
    ] = 200,
    upstream_header: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD", help="'name: value' of its answer; may be repeated."),
    ] = None,
    upstream_body: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Body of its answer.")
    ] = None,
    jwks: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[URL=]FILE",
            help="What would be fetched: from that URL, or from any; may be repeated.",
        ),
    ] = None,
    login: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[AUTH_ID=]FILE",
            help="Who is logged in, by that login or by any; may be repeated.",
        ),
    ] = None,
    saml_response: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="What a SAML provider sent: play the browser that brings it, and explain.",
        ),
    ] = None,
    request_id: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help="Our request that it has to answer; without it, the one it names."
        ),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show every rule and what its expressions saw.")
    ] = False,
    show_secrets: Annotated[
        bool, typer.Option("--show-secrets", help="Show credentials instead of ***.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    exit_code: Annotated[
        bool,
        typer.Option("--exit-code", help="End with 1 when the request is refused."),
    ] = False,
) -> None:
    """Play one request through a policy, without a network.

    All phases run, and nothing is sent anywhere: the --upstream flags say what the upstream
    answers. A request is refused when its connection is closed, or when it is answered here with
    a status from 400.
    """
    flags = (method, url, header or None, body)
    if saml_response is not None and (request is not None or method or header or body):
        raise typer.BadParameter("--saml-response is a whole request; give no other but its --url")
    if request is not None and any(flag is not None for flag in flags):
        raise typer.BadParameter("give a request file, or flags that describe a request, not both")
    with loading_bar() as progress:
        loaded = with_logins(load_policy_file(policy, progress), login or [])
    for warning in loaded.warnings:
        show(problem_lines(warning), to=sys.stderr)
    upstream = upstream_answer(upstream_status, upstream_header or [], upstream_body)
    now_ns = time.time_ns() if clock is None else nanoseconds(clock)
    client = client_address(client_ip)
    contents = given_contents(jwks or [])
    played = None
    if saml_response is not None:
        shown = read_saml_response(saml_response)
        played = rehearsal(loaded, shown, url=url, request_id=request_id)
        data, scheme = played.request()
    elif request is not None:
        data, scheme = request_from_file(read_bytes(request))
    else:
        data, scheme = request_from_flags(
            method="GET" if method is None else method,
            url="/" if url is None else url,
            headers=header or (),
            body=body,
        )

    try:
        sample = parse_sample(data, scheme=scheme, keeps_encoded_slashes=keep_encoded_slashes)
    except BadRequest as refusal:
        if as_json:
            write_json(refusal_json(refusal))
        else:
            show(refusal_lines(refusal))
        raise typer.Exit(int(exit_code)) from None

    def new_exchange() -> Exchange:
        return exchange_for(
            sample, client=client, now_ns=now_ns, keeps_encoded_slashes=keep_encoded_slashes
        )

    store = None
    if played is not None:
        store = played.remembered(new_exchange(), request_of(sample, now_ns=now_ns))
    evaluation = evaluate(
        loaded,
        new_exchange(),
        request_of(sample, now_ns=now_ns),
        sample.body,
        upstream,
        contents=contents,
        store=store,
    )
    explain = explain or played is not None
    secrets = None if show_secrets else secrets_of(evaluation)
    if as_json:
        write_json(evaluation_json(evaluation, loaded, secrets))
    else:
        show(evaluation_lines(evaluation, loaded, explain=explain, secrets=secrets))
    raise typer.Exit(int(exit_code and is_refused(evaluation)))


def read_bytes(path: Path) -> bytes:
    """Read a file, or standard input for `-`."""
    if str(path) == STANDARD_INPUT:
        return sys.stdin.buffer.read()
    try:
        return path.read_bytes()
    except OSError as error:
        raise Failure(
            f"{path}: {error.strerror}", hint="name a file that holds an HTTP request"
        ) from None


def client_address(text: str) -> Address:
    """Read --client-ip; raises typer.BadParameter."""
    try:
        return parse_address(text)
    except AddressError as error:
        raise typer.BadParameter(str(error), param_hint="--client-ip") from None


def nanoseconds(moment: str) -> int:
    """Read --time, an RFC 3339 time; raises typer.BadParameter."""
    try:
        read = datetime.fromisoformat(moment)
    except ValueError:
        read = None
    if read is None or read.tzinfo is None:
        raise typer.BadParameter(
            f"{moment!r} is no time with a zone, such as 2026-07-14T09:30:00Z", param_hint="--time"
        )
    return int(read.timestamp()) * 1_000_000_000 + read.microsecond * 1_000


def upstream_answer(status_code: int, headers: list[str], body: str | None) -> UpstreamAnswer:
    """Make the upstream's answer out of its flags, its length stated as servers do."""
    lines = [field_of(text, flag="--upstream-header") for text in headers]
    content = (body or "").encode("utf-8", "surrogateescape")
    names = {name.lower() for name, _ in lines}
    if body is not None and not names & {"content-length", "transfer-encoding"}:
        lines.append(("content-length", str(len(content))))
    return UpstreamAnswer(status_code=status_code, headers=tuple(lines), body=content)


def is_refused(evaluation: Evaluation) -> bool:
    """Tell whether the policy said no: a closed connection, or its own answer from 400 on."""
    if evaluation.ending is Ending.CLOSE:
        return True
    response = evaluation.response
    refused = response is not None and response.status_code >= REFUSAL
    return refused and evaluation.ending is Ending.RESPOND


def write_json(document: dict[str, object]) -> None:
    """Print one JSON object."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
