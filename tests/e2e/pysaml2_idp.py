"""An identity provider made of pysaml2, run by a Python that has it.

/metadata         what it is
/sso              takes requests, and signs everybody in as the one user
/start?relay=...  begins a sign-in by itself
/slo              takes requests and answers of a single logout, by both bindings
/end?post=1       begins a single logout by itself; what came of it is at /ended
"""

from __future__ import annotations

import json
import sys
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import saml2.entity
from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
from saml2.config import IdPConfig
from saml2.metadata import entity_descriptor
from saml2.saml import NAMEID_FORMAT_PERSISTENT, NameID
from saml2.server import Server

SETTINGS = json.loads(sys.argv[1])
BASE = f"http://{SETTINGS['host']}:{SETTINGS['port']}"
USER = "ada-4711"
IDENTITY = {
    "mail": ["ada@example.com"],
    "displayName": ["Ada <Lovelace> & Co"],
    "eduPersonEntitlement": ["staff", "eng"],
}
# It would use SHA-1, which we refuse; and asks for this in each place anew.
ALGORITHMS = {
    "sign_alg": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "digest_alg": "http://www.w3.org/2001/04/xmlenc#sha256",
}
CONTEXT = {
    "class_ref": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
    "authn_auth": BASE,
}


def configuration() -> IdPConfig:
    both = [BINDING_HTTP_REDIRECT, BINDING_HTTP_POST]
    return IdPConfig().load(
        {
            "entityid": f"{BASE}/metadata",
            "xmlsec_binary": SETTINGS["xmlsec"],
            "key_file": SETTINGS["key"],
            "cert_file": SETTINGS["certificate"],
            "signing_algorithm": ALGORITHMS["sign_alg"],
            "digest_algorithm": ALGORITHMS["digest_alg"],
            "metadata": {"local": [SETTINGS["sp_metadata"]]},
            "service": {
                "idp": {
                    "endpoints": {
                        "single_sign_on_service": [(f"{BASE}/sso", BINDING_HTTP_REDIRECT)],
                        "single_logout_service": [(f"{BASE}/slo", each) for each in both],
                    },
                    "name_id_format": [NAMEID_FORMAT_PERSISTENT],
                    "want_authn_requests_signed": True,
                    "want_authn_requests_only_with_valid_cert": False,
                    "policy": {"default": {"attribute_restrictions": None}},
                }
            },
        }
    )


IDP = Server(config=configuration())
# It knows no setting for the cipher, and would use Triple DES.
saml2.entity.pre_encryption_part = partial(
    saml2.entity.pre_encryption_part, msg_enc="http://www.w3.org/2009/xmlenc11#aes256-gcm"
)
IDP.sec.encrypt_assertion = partial(IDP.sec.encrypt_assertion, key_type="aes-256")
NOTES: list[str] = []
LAST: dict[str, str] = {}


def name_id() -> NameID:
    service = SETTINGS["sp"]
    return NameID(text=USER, format=NAMEID_FORMAT_PERSISTENT, sp_name_qualifier=service)


def sign_in(in_response_to: str | None, destination: str, relay_state: str) -> Any:
    response = IDP.create_authn_response(
        IDENTITY,
        in_response_to,
        destination,
        SETTINGS["sp"],
        name_id=name_id(),
        authn=CONTEXT,
        sign_assertion=True,
        sign_response=SETTINGS["sign_response"],
        encrypt_assertion=SETTINGS["encrypt"],
        encrypted_advice_attributes=False,
        **ALGORITHMS,
    )
    return IDP.apply_binding(
        BINDING_HTTP_POST, str(response), destination, relay_state, response=True
    )


class Handler(BaseHTTPRequestHandler):
    """Answers one browser at a time."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.handle_message(parts.path, parse_qs(parts.query), BINDING_HTTP_REDIRECT)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.handle_message(urlsplit(self.path).path, parse_qs(body), BINDING_HTTP_POST)

    def handle_message(self, path: str, fields: dict[str, list[str]], binding: str) -> None:
        given = {name: values[0] for name, values in fields.items()}
        match path:
            case "/metadata":
                self.show(str(entity_descriptor(IDP.config)), "application/xml")
            case "/sso":
                self.sso(given)
            case "/start":
                self.pass_on(sign_in(None, SETTINGS["acs"], given.get("relay", "")))
            case "/slo" if "SAMLRequest" in given:
                self.slo_request(given, binding)
            case "/slo":
                answer = IDP.parse_logout_request_response(given["SAMLResponse"], binding)
                NOTES.append(f"logout answered: {answer.status_ok()}")
                self.show("<h1>Signed out at the provider</h1>")
            case "/end":
                self.end(BINDING_HTTP_POST if "post" in given else BINDING_HTTP_REDIRECT)
            case "/notes":
                self.show(json.dumps(NOTES), "application/json")
            case _:
                self.send_error(404)

    def sso(self, given: dict[str, str]) -> None:
        request = IDP.parse_authn_request(
            given["SAMLRequest"],
            BINDING_HTTP_REDIRECT,
            relay_state=given["RelayState"],
            sigalg=given["SigAlg"],
            signature=given["Signature"],
        )
        message = request.message
        NOTES.append(f"asked by {message.issuer.text}, force {message.force_authn}")
        self.pass_on(
            sign_in(message.id, message.assertion_consumer_service_url, given["RelayState"])
        )

    def slo_request(self, given: dict[str, str], binding: str) -> None:
        request = IDP.parse_logout_request(
            given["SAMLRequest"],
            binding,
            relay_state=given.get("RelayState"),
            sigalg=given.get("SigAlg"),
            signature=given.get("Signature"),
        )
        name = request.message.name_id
        NOTES.append(f"logout asked for {name.text} {bool(request.message.session_index)}")
        # By the redirect binding the query is signed, and the message itself must not be.
        is_inside = binding == BINDING_HTTP_POST
        response = IDP.create_logout_response(
            request.message, [binding], sign=is_inside, **(ALGORITHMS if is_inside else {})
        )
        found = IDP.response_args(request.message, [binding])
        self.pass_on(
            IDP.apply_binding(
                found["binding"],
                str(response),
                found["destination"],
                given.get("RelayState", ""),
                response=True,
                sign=True,
                sigalg=ALGORITHMS["sign_alg"],
            )
        )

    def end(self, binding: str) -> None:
        _, destination = IDP.pick_binding(
            "single_logout_service", [binding], "spsso", entity_id=SETTINGS["sp"]
        )
        statements = [
            each for some in IDP.session_db.get_authn_statements(name_id()) for each in some
        ]
        _, request = IDP.create_logout_request(
            destination,
            SETTINGS["sp"],
            name_id=name_id(),
            session_indexes=[statements[-1].session_index],
            sign=binding == BINDING_HTTP_POST,
            **(ALGORITHMS if binding == BINDING_HTTP_POST else {}),
        )
        self.pass_on(
            IDP.apply_binding(
                binding,
                str(request),
                destination,
                "from-the-provider",
                sign=True,
                sigalg=ALGORITHMS["sign_alg"],
            )
        )

    def pass_on(self, arguments: dict[str, Any]) -> None:
        headers = dict(arguments["headers"])
        if "Location" in headers:
            self.send_response(302)
            self.send_header("Location", headers["Location"])
            self.end_headers()
            return
        data = arguments["data"]
        self.show(data if isinstance(data, str) else "".join(data))

    def show(self, text: str, content_type: str = "text/html") -> None:
        content = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


if __name__ == "__main__":
    HTTPServer((SETTINGS["host"], SETTINGS["port"]), Handler).serve_forever()
