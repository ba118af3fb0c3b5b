"""Identity providers of others, each in a process of its own.

They are on 127.0.0.2, which for a browser is another site than 127.0.0.1, where Penstock is.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

from cryptography.hazmat.primitives import serialization

from tests.e2e import debian, node, pypi
from tests.e2e.processes import free_port, running
from tests.saml import idp, ours

HERE = Path(__file__).parent
ELSEWHERE = "127.0.0.2"
PYSAML2 = "pysaml2==7.5.5"
SIMPLESAMLPHP = Path("/usr/share/simplesamlphp")


@dataclass(frozen=True, kw_only=True)
class SamlProvider:
    """Where it is. `log` has what it did; `name_format` and `groups` are what it can give."""

    url: str
    metadata_url: str
    log: Path
    name_format: str
    groups_attribute: str
    more: str = ""


@dataclass(frozen=True, kw_only=True)
class Ours:
    """What providers have to know about us."""

    folder: Path
    origin: str
    metadata: Path

    @property
    def acs(self) -> str:
        return f"{self.origin}/ngrok/saml/acs"

    @property
    def entity_id(self) -> str:
        return f"{self.origin}/ngrok/saml/metadata"


Start = Callable[..., AbstractContextManager[SamlProvider]]


def write_keys(folder: Path) -> None:
    """Write the provider's key and certificate, and ours."""
    for name, party in (("idp", idp()), ("sp", ours())):
        (folder / f"{name}.key").write_bytes(party.pem)
        (folder / f"{name}.crt").write_text(party.certificate_pem)
    (folder / "sp.pub").write_bytes(
        ours()
        .key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


@contextmanager
def saml_idp(we: Ours, *, is_encrypted: bool = False) -> Iterator[SamlProvider]:
    """Run npm's saml-idp, whose only user is whoever its form says."""
    program, installed = node.need_program(HERE / "saml_idp")
    folder, port = we.folder, free_port()
    command = [
        program, str(installed / "node_modules/saml-idp/bin/run.js"),
        "--host", ELSEWHERE, "--port", str(port),
        "--issuer", "urn:example:idp",
        "--acsUrl", we.acs,
        "--sloUrl", f"{we.origin}/ngrok/saml/slo",
        "--audience", we.entity_id,
        "--key", str(folder / "idp.key"), "--cert", str(folder / "idp.crt"),
    ]  # fmt: skip
    if is_encrypted:
        command += [
            "--encryptAssertion",
            "--encryptionCert", str(folder / "sp.crt"),
            "--encryptionPublicKey", str(folder / "sp.pub"),
        ]  # fmt: skip
    log, url = folder / "saml-idp.log", f"http://{ELSEWHERE}:{port}"
    with running(command, host=ELSEWHERE, port=port, log=log):
        if is_encrypted:
            # The command line knows AES-CBC only, which its own libraries refuse by now.
            cipher = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
            form = urlencode({"encryptionAlgorithm": cipher}).encode()
            urlopen(f"{url}/settings", data=form, timeout=10).close()
        yield SamlProvider(
            url=url,
            metadata_url=f"{url}/metadata",
            log=log,
            name_format="email",
            groups_attribute="groups",
        )


@contextmanager
def pysaml2(we: Ours, *, is_encrypted: bool = False) -> Iterator[SamlProvider]:
    """Run an identity provider made of pysaml2, whose only user is signed in at once."""
    xmlsec, python = debian.need("xmlsec1", "xmlsec1"), pypi.need_python(PYSAML2)
    port, log = free_port(), we.folder / "pysaml2.log"
    settings = {
        "host": ELSEWHERE,
        "port": port,
        "xmlsec": xmlsec,
        "key": str(we.folder / "idp.key"),
        "certificate": str(we.folder / "idp.crt"),
        "sp_metadata": str(we.metadata),
        "sp": we.entity_id,
        "acs": we.acs,
        "sign_response": not is_encrypted,
        "encrypt": is_encrypted,
    }
    command = [str(python), str(HERE / "pysaml2_idp.py"), json.dumps(settings)]
    with running(command, host=ELSEWHERE, port=port, log=log):
        url = f"http://{ELSEWHERE}:{port}"
        yield SamlProvider(
            url=url,
            metadata_url=f"{url}/metadata",
            log=log,
            name_format="persistent",
            groups_attribute="urn:oid:1.3.6.1.4.1.5923.1.1.1.7",
        )


SIMPLE_CONFIG = """<?php
$config = [
    'baseurlpath' => '{url}/',
    'certdir' => '{folder}/',
    'metadatadir' => '{folder}/metadata/',
    'loggingdir' => '{folder}/',
    'datadir' => '{folder}/',
    'tempdir' => '{folder}/temp',
    'timezone' => 'UTC',
    'secretsalt' => 'only-for-tests',
    'auth.adminpassword' => 'only-for-tests-too',
    'logging.level' => SimpleSAML\\Logger::DEBUG,
    'logging.handler' => 'file',
    'enable.saml20-idp' => true,
    'module.enable' => ['exampleauth' => true, 'core' => true, 'saml' => true],
    'session.cookie.secure' => false,
    'session.cookie.samesite' => null,
    'language.default' => 'en',
    'language.cookie.secure' => false,
    'language.cookie.samesite' => null,
    'store.type' => 'phpsession',
    'metadata.sources' => [
        ['type' => 'flatfile'], ['type' => 'xml', 'file' => '{metadata}'],
    ],
];
"""
SIMPLE_SOURCES = """<?php
$config = [
    'people' => [
        'exampleauth:UserPass',
        'ada:secret' => [
            'uid' => ['ada-4711'],
            'mail' => ['ada@example.com'],
            'displayName' => ['Ada Lovelace'],
            'groups' => ['staff', 'eng'],
        ],
    ],
];
"""
SIMPLE_HOSTED = """<?php
$metadata['{url}/idp'] = [
    'host' => '__DEFAULT__',
    'privatekey' => 'idp.key',
    'certificate' => 'idp.crt',
    'auth' => 'people',
    'validate.authnrequest' => true,
    'validate.logout' => true,
    'sign.logout' => true,
    'saml20.sign.assertion' => true,
    'assertion.encryption' => {encrypted},
    'NameIDFormat' => 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
    'authproc' => [
        3 => ['class' => 'saml:AttributeNameID', 'attribute' => 'uid',
              'Format' => 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'],
    ],
];
"""


@contextmanager
def simplesamlphp(we: Ours, *, is_encrypted: bool = False) -> Iterator[SamlProvider]:
    """Run Debian's simplesamlphp, which reads our metadata as it is. Its user is ada, secret."""
    php = debian.need("php", "php-cli")
    for package in ("php-xml", "php-mbstring", "simplesamlphp"):
        debian.need_package(package)
    port, folder = free_port(), we.folder / "simplesamlphp"
    url = f"http://{ELSEWHERE}:{port}"
    (folder / "metadata").mkdir(parents=True)
    write_keys(folder)
    given = {"url": url, "folder": folder, "metadata": we.metadata}
    (folder / "config.php").write_text(SIMPLE_CONFIG.format(**given))
    (folder / "authsources.php").write_text(SIMPLE_SOURCES)
    hosted = SIMPLE_HOSTED.format(url=url, encrypted="true" if is_encrypted else "false")
    (folder / "metadata" / "saml20-idp-hosted.php").write_text(hosted)
    environment = {
        **os.environ,
        "SIMPLESAMLPHP_CONFIG_DIR": str(folder),
        "PHP_CLI_SERVER_WORKERS": "4",
    }
    command = [
        php, "-d", f"session.save_path={folder}", "-S", f"{ELSEWHERE}:{port}",
        "-t", str(SIMPLESAMLPHP / "www"),
    ]  # fmt: skip
    log = folder / "simplesamlphp.log"
    with running(
        command, host=ELSEWHERE, port=port, log=folder / "php.log", environment=environment
    ):
        yield SamlProvider(
            url=url,
            metadata_url=f"{url}/saml2/idp/metadata.php",
            log=log,
            name_format="persistent",
            groups_attribute="groups",
            # It knows no other encryption than AES-CBC.
            more="allow_cbc_encryption: true" if is_encrypted else "",
        )
