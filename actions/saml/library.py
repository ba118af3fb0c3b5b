"""What python3-saml and xmlsec say about a message, with settings that nobody can loosen.

A second judge: what it refuses is refused, and what it accepts is only accepted if our own checks
do as well. It is asked about structure and signatures. Its other checks read the clock, and let
pass what must not pass (exact recipients, audiences that are missing); they are made elsewhere.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from typing import Any

import xmlsec
from lxml import etree
from onelogin.saml2.errors import OneLogin_Saml2_Error, OneLogin_Saml2_ValidationError
from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings
from onelogin.saml2.utils import OneLogin_Saml2_Utils

from actions.saml.algorithms import STRICT, Algorithms
from actions.saml.keys import pem_of
from actions.saml.names import DS, RSA_SHA256, SAML, SAMLP, SHA256
from actions.saml.refusal import MessageRefused

# The library's own.
_PREFIXES = {SAML: "saml", SAMLP: "samlp", DS: "ds"}
_ERRORS = (OneLogin_Saml2_Error, OneLogin_Saml2_ValidationError, xmlsec.Error, etree.LxmlError)


def check_signature(signature: etree._Element, certificates: tuple[bytes, ...]) -> None:
    """Refuse a signature that xmlsec can't verify with any of the certificates (DER)."""
    steps = [signature, *signature.iterancestors()]
    is_valid: Any = OneLogin_Saml2_Utils.validate_sign(
        signature.getroottree().getroot(),
        multicerts=[pem_of(each) for each in certificates],
        xpath="/" + "/".join(_step(each) for each in reversed(steps)),
        raise_exceptions=False,
    )
    if is_valid is not True:
        raise MessageRefused(reason="signature-invalid", detail="xmlsec does not accept it")


def check_structure(root: etree._Element, algorithms: Algorithms) -> None:
    """Refuse a response that the library finds put together wrongly. Nothing in it is encrypted."""
    settings = _settings(refuses_deprecated=algorithms == STRICT)
    try:
        response = OneLogin_Saml2_Response(settings, b64encode(etree.tostring(root)))
        response.check_status()
        is_fine = response.validate_num_assertions()
        is_fine = is_fine and bool(response.process_signed_elements())
        is_fine = is_fine and response.check_one_condition()
        is_fine = is_fine and response.check_one_authnstatement()
    except _ERRORS as error:
        raise MessageRefused(reason="library-refused", detail=str(error)) from None
    if not is_fine:
        raise MessageRefused(reason="library-refused", detail="its parts are not in their places")


def _step(element: etree._Element) -> str:
    name = etree.QName(element)
    return f"{_PREFIXES[name.namespace or '']}:{name.localname}"


@cache
def _settings(*, refuses_deprecated: bool) -> OneLogin_Saml2_Settings:
    # The parties are made up: what the library is asked here does not depend on who they are, and
    # it takes no names of hosts but public ones.
    place = "https://library.example.com/"
    return OneLogin_Saml2_Settings(
        {
            "strict": True,
            "debug": False,
            "sp": {"entityId": place, "assertionConsumerService": {"url": place}},
            "idp": {
                "entityId": place,
                "singleSignOnService": {"url": place},
                "x509cert": "given with each signature",
            },
            "security": {
                "wantAssertionsSigned": True,
                "wantMessagesSigned": True,
                "wantNameId": True,
                "allowRepeatAttributeName": False,
                "rejectDeprecatedAlgorithm": refuses_deprecated,
                "signatureAlgorithm": RSA_SHA256,
                "digestAlgorithm": SHA256,
            },
        }
    )
