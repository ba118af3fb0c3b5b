"""What it takes to judge a SAML response, beside python3-saml alone on the same one.

Both do all their checks, with the certificate of the provider at hand. python3-saml reads the
clock itself, so the response is made for now. Processor time of one core; the rounds take turns.

    python bench/saml.py [--responses N] [--rounds N] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from actions.saml.response import Accepted, validate_response
from tests import saml

REQUEST = {"https": "on", "http_host": "app.example.com", "script_name": "/ngrok/saml/acs"}


def at(seconds: float) -> str:
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def response(groups: int) -> saml.Response:
    """Return a response that is good for the next half hour."""
    end = at(1800)
    names = (f"group-{number}" for number in range(groups))
    return saml.Response(
        issued=at(-1),
        assertion=saml.Assertion(
            issued=at(-1),
            confirmation=f'Recipient="{saml.ACS}" InResponseTo="{saml.REQUEST_ID}" '
            f'NotOnOrAfter="{end}"',
            window=f'NotBefore="{at(-60)}" NotOnOrAfter="{end}"',
            authn=f'AuthnInstant="{at(-2)}" SessionIndex="s-1"',
            attributes=saml.attribute("groups", *names),
        ),
    )


def settings() -> OneLogin_Saml2_Settings:
    key = saml.ours().pem.decode()
    return OneLogin_Saml2_Settings(
        {
            "strict": True,
            "sp": {
                "entityId": saml.SP,
                "assertionConsumerService": {"url": saml.ACS},
                "privateKey": key,
                "x509cert": saml.ours().certificate_pem,
            },
            "idp": {
                "entityId": saml.IDP,
                "singleSignOnService": {"url": "https://idp.example.com/sso"},
                "x509cert": saml.idp().certificate_pem,
            },
            "security": {"wantAssertionsSigned": True, "rejectDeprecatedAlgorithm": True},
        }
    )


@dataclass
class Case:
    """One kind of response, and how long each of the two takes with it, in milliseconds."""

    name: str
    encoded: str
    ours_ms: list[float] = field(default_factory=list)
    theirs_ms: list[float] = field(default_factory=list)


def by_penstock(encoded: str) -> Callable[[], None]:
    provider, service = saml.provider(), saml.service()

    def judge() -> None:
        verdict = validate_response(encoded, provider, service, saml.EXPECTED, time.time_ns())
        assert isinstance(verdict, Accepted), verdict

    return judge


def by_python3_saml(encoded: str) -> Callable[[], None]:
    chosen = settings()

    def judge() -> None:
        found = OneLogin_Saml2_Response(chosen, encoded)
        found.is_valid(REQUEST, saml.REQUEST_ID, raise_exceptions=True)
        found.get_nameid()
        found.get_attributes()

    return judge


def took_ms(judge: Callable[[], None], responses: int) -> float:
    began = time.process_time()
    for _ in range(responses):
        judge()
    return (time.process_time() - began) / responses * 1000


def measure(responses: int, rounds: int) -> list[Case]:
    cases = [
        Case("assertion signed", saml.posted(saml.signed(response(5)))),
        Case("both signed", saml.posted(saml.signed(response(5), what="both"))),
        Case("both, 200 groups", saml.posted(saml.signed(response(200), what="both"))),
        Case("encrypted", saml.posted(saml.encrypted(response(5)))),
    ]
    for case in cases:
        ours, theirs = by_penstock(case.encoded), by_python3_saml(case.encoded)
        for number in range(rounds + 1):
            both = took_ms(ours, responses), took_ms(theirs, responses)
            if number:  # the first round only warms up
                case.ours_ms.append(both[0])
                case.theirs_ms.append(both[1])
    return cases


def report(cases: list[Case]) -> dict[str, dict[str, float]]:
    rows = {}
    print(f"{'CPU ms per response':22}{'penstock':>10}{'python3-saml':>14}{'ratio':>8}")
    for case in cases:
        pairs = zip(case.ours_ms, case.theirs_ms, strict=True)
        ratio = statistics.median(ours / theirs for ours, theirs in pairs)
        ours, theirs = statistics.median(case.ours_ms), statistics.median(case.theirs_ms)
        print(f"{case.name:22}{ours:>10.2f}{theirs:>14.2f}{ratio:>8.2f}")
        rows[case.name] = {"ms": ours, "python3_saml_ms": theirs, "ratio": ratio}
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description="measure what judging a SAML response takes")
    parser.add_argument("--responses", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = report(measure(options.responses, options.rounds))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
