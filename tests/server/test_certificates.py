"""Certificates made for development, and those in files."""

import os
import ssl
import stat
import sys

import pytest
from cryptography import x509

from costrel.devserver import certificates


def common_name(certificate):
    (attribute,) = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return attribute.value


def read_certificate(path):
    with open(path, "rb") as stream:
        return x509.load_pem_x509_certificate(stream.read())


def test_a_certificate_for_any_host():
    certificate, key = certificates.generate_adhoc_ssl_pair()

    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert common_name(certificate) == "*"
    assert names.get_values_for_type(x509.DNSName) == ["*", "*.*"]
    assert key.key_size == 2048
    assert certificate.public_key() == key.public_key()


def test_a_certificate_for_one_host():
    certificate, _ = certificates.generate_adhoc_ssl_pair("example.com")

    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["example.com", "*.example.com"]


@pytest.mark.parametrize(
    ("options", "name"), [({"host": "a.example"}, "a.example"), ({"cn": "b.example"}, "b.example"), ({}, "*")]
)
def test_a_certificate_in_files(tmp_path, options, name):
    cert_file, key_file = certificates.make_ssl_devcert(str(tmp_path / "dev"), **options)

    assert (cert_file, key_file) == (str(tmp_path / "dev.crt"), str(tmp_path / "dev.key"))
    assert common_name(read_certificate(cert_file)) == name
    assert isinstance(certificates.load_ssl_context(cert_file, key_file), ssl.SSLContext)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_only_the_user_may_read_the_key(tmp_path):
    _, key_file = certificates.make_ssl_devcert(str(tmp_path / "dev"))

    assert stat.S_IMODE(os.stat(key_file).st_mode) == 0o600


def test_a_context_made_on_the_spot_leaves_no_files(tmp_path, monkeypatch):
    monkeypatch.setattr(certificates.tempfile, "tempdir", str(tmp_path))

    assert isinstance(certificates.generate_adhoc_ssl_context(), ssl.SSLContext)
    assert list(tmp_path.iterdir()) == []


def test_without_cryptography_no_certificate_can_be_made(monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(TypeError) as caught:
        certificates.generate_adhoc_ssl_context()

    assert str(caught.value) == "Generating a certificate requires the cryptography library: pip install cryptography"


def test_errors_of_tls():
    assert certificates.is_ssl_error(ssl.SSLError())
    assert not certificates.is_ssl_error(ValueError())
    assert not certificates.is_ssl_error()
    try:
        raise ssl.SSLError
    except ssl.SSLError:
        assert certificates.is_ssl_error()
