"""Certificates for HTTPS: generated for development, or read from files."""

from __future__ import annotations

import os
import ssl
import sys
import tempfile
import typing as t
from datetime import UTC, datetime, timedelta

if t.TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKeyWithSerialization
    from cryptography.x509 import Certificate

SSLContextArgument: t.TypeAlias = "ssl.SSLContext | tuple[str, str | None] | t.Literal['adhoc'] | None"
"""The values of ``ssl_context``: a context, the paths of certificate and key, "adhoc" to generate one, or None."""

_VALID_FOR = timedelta(days=365)
_KEY_BITS = 2048


def generate_adhoc_ssl_pair(cn: str | None = None) -> tuple[Certificate, RSAPrivateKeyWithSerialization]:
    """A self-signed certificate for the host name `cn` (or any host) and its key.

    Raises TypeError if cryptography is not installed.
    """
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import rsa
    except ImportError:
        raise TypeError(
            "Generating a certificate requires the cryptography library: pip install cryptography"
        ) from None

    host = "*" if cn is None else cn
    key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    name = x509.Name(
        [
            x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Dummy Certificate"),
            x509.NameAttribute(x509.NameOID.COMMON_NAME, host),
        ]
    )
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + _VALID_FOR)
        .add_extension(x509.ExtendedKeyUsage([x509.OID_SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host), x509.DNSName(f"*.{host}")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate, key


def make_ssl_devcert(base_path: str, host: str | None = None, cn: str | None = None) -> tuple[str, str]:
    """Write a self-signed certificate to ``base_path.crt`` and its key to ``base_path.key``. Returns both paths.

    The certificate is valid for `host` or `cn`; without them, for any host. Only the user can read the key file.
    """
    return _write_pair(base_path, host if host is not None else cn)


def generate_adhoc_ssl_context() -> ssl.SSLContext:
    """A context with a newly generated certificate. Raises TypeError if cryptography is not installed."""
    with tempfile.TemporaryDirectory(prefix="costrel-") as folder:
        return load_ssl_context(*_write_pair(os.path.join(folder, "adhoc"), None))


def load_ssl_context(cert_file: str, pkey_file: str | None = None, protocol: int | None = None) -> ssl.SSLContext:
    """A context with the certificate and key from two PEM files, or from one file that contains both."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if protocol is None else protocol)
    context.load_cert_chain(cert_file, pkey_file)
    return context


def is_ssl_error(error: Exception | None = None) -> bool:
    """Whether `error` (by default, the exception being handled) is a TLS error."""
    return isinstance(sys.exc_info()[1] if error is None else error, ssl.SSLError)


def _write_pair(base_path: str, cn: str | None) -> tuple[str, str]:
    certificate, key = generate_adhoc_ssl_pair(cn)
    from cryptography.hazmat.primitives import serialization

    cert_file, key_file = f"{base_path}.crt", f"{base_path}.key"
    with open(cert_file, "wb") as stream:
        stream.write(certificate.public_bytes(serialization.Encoding.PEM))
    with open(key_file, "wb", opener=_private_file) as stream:
        stream.write(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.TraditionalOpenSSL,
                serialization.NoEncryption(),
            )
        )
    return cert_file, key_file


def _private_file(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
