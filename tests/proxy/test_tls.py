"""Certificates: what is served, and the message about each one that can't be."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import pytest
import trustme

from proxy.tls import UnusableCertificate, check_readable, server_context, upstream_context


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    for name in ("one", "two"):
        issued = authority.issue_cert(f"{name}.test")
        issued.cert_chain_pems[0].write_to_path(str(folder / f"{name}.crt"))
        issued.private_key_pem.write_to_path(str(folder / f"{name}.key"))
    (folder / "text.pem").write_text("no certificate")
    return folder


def test_a_context_speaks_tls_1_2_and_newer(files: Path) -> None:
    context = server_context(files / "one.crt", files / "one.key")
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_NONE


REFUSED = [
    pytest.param("one.crt", "two.key", "is not the key of", id="key of another certificate"),
    pytest.param("text.pem", "one.key", "no certificate and key in PEM form", id="no certificate"),
    pytest.param("one.crt", "text.pem", "no certificate and key in PEM form", id="no key"),
]


@pytest.mark.parametrize(("certificate", "key", "message"), REFUSED)
def test_an_unusable_pair_is_told(files: Path, certificate: str, key: str, message: str) -> None:
    with pytest.raises(UnusableCertificate, match=message) as raised:
        server_context(files / certificate, files / key)
    assert raised.value.hint


def test_an_encrypted_key_is_refused_without_asking_for_its_passphrase(
    files: Path, tmp_path: Path
) -> None:
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key((files / "one.key").read_bytes(), password=None)
    encrypted = tmp_path / "encrypted.key"
    encrypted.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"passphrase"),
        )
    )
    with pytest.raises(UnusableCertificate, match="is encrypted"):
        server_context(files / "one.crt", encrypted)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnusableCertificate, match="no such file"):
        check_readable(tmp_path / "missing.crt", "certificate")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_rights_is_told(tmp_path: Path) -> None:
    locked = tmp_path / "locked.key"
    locked.touch(mode=0o000)
    with pytest.raises(UnusableCertificate, match="permission denied"):
        check_readable(locked, "private key")


def test_an_upstream_is_verified_unless_told_otherwise(files: Path) -> None:
    assert upstream_context(verify=True).verify_mode is ssl.CERT_REQUIRED
    assert upstream_context(verify=True, authorities=files / "ca.pem").check_hostname
    assert upstream_context(verify=False).verify_mode is ssl.CERT_NONE


def test_authorities_that_are_none_are_told(files: Path) -> None:
    with pytest.raises(UnusableCertificate, match="no certificate authority"):
        upstream_context(verify=True, authorities=files / "text.pem")
    with pytest.raises(UnusableCertificate, match="can't read the authority file"):
        upstream_context(verify=True, authorities=files / "missing.pem")
