"""Salted password hashes, in the format that Werkzeug stores: ``method$salt$hash``."""

from __future__ import annotations

SALT_CHARS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
DEFAULT_PBKDF2_ITERATIONS = 1_000_000
_DEFAULT_SCRYPT_COST = ("32768", "8", "1")


def gen_salt(length: int) -> str:
    """Return `length` random letters and digits. Raises ValueError if `length` is below 1."""
    if length <= 0:
        raise ValueError("Salt length must be at least 1.")
    from secrets import choice  # takes 5 ms with what it loads, and `costrel` exports this module's functions

    return "".join([choice(SALT_CHARS) for _ in range(length)])


def generate_password_hash(password: str, method: str = "scrypt", salt_length: int = 16) -> str:
    """Hash a password for storing, with a new salt of `salt_length` characters.

    `method` is ``scrypt`` or ``scrypt:n:r:p`` (RFC 7914; n a power of 2), or ``pbkdf2:digest:iterations`` (RFC 8018;
    by default SHA-256 and `DEFAULT_PBKDF2_ITERATIONS`). Raises ValueError for any other method. The result contains
    the parameters, so the defaults can be raised later without invalidating stored hashes.
    """
    salt = gen_salt(salt_length)
    hexdigest, stored_method = _hashed(method, salt, password)
    return f"{stored_method}${salt}${hexdigest}"


def check_password_hash(pwhash: str, password: str) -> bool:
    """Whether `pwhash` is a hash of `password`. The hashes are compared in constant time.

    Raises ValueError if `pwhash` has a method that `generate_password_hash` does not know.
    """
    try:
        method, salt, expected = pwhash.split("$", 2)
    except ValueError:
        return False
    from hmac import compare_digest

    actual, _ = _hashed(method, salt, password)
    return compare_digest(actual.encode(), expected.encode())


def _hashed(method: str, salt: str, password: str) -> tuple[str, str]:
    """Return the hexadecimal hash, and the method with all of its parameters."""
    name, *parameters = method.split(":")
    if name == "scrypt":
        return _scrypt(parameters, salt.encode(), password.encode())
    if name == "pbkdf2":
        return _pbkdf2(parameters, salt.encode(), password.encode())
    raise ValueError(f"Invalid hash method {method!r}. Use 'scrypt:n:r:p' or 'pbkdf2:digest:iterations'.")


def _scrypt(parameters: list[str], salt: bytes, password: bytes) -> tuple[str, str]:
    try:
        n, r, p = map(int, parameters or _DEFAULT_SCRYPT_COST)
    except ValueError:
        raise ValueError("'scrypt' takes 3 arguments: the numbers n, r and p, as in 'scrypt:32768:8:1'.") from None
    from hashlib import scrypt

    memory = 128 * r * (n + p + 2)  # the bytes that OpenSSL needs; its default limit of 32 MiB is too low
    digest = scrypt(password, salt=salt, n=n, r=r, p=p, maxmem=memory)
    return digest.hex(), f"scrypt:{n}:{r}:{p}"


def _pbkdf2(parameters: list[str], salt: bytes, password: bytes) -> tuple[str, str]:
    if len(parameters) > 2:
        raise ValueError("'pbkdf2' takes 2 arguments: a digest and the iterations, as in 'pbkdf2:sha256:1000000'.")
    from hashlib import pbkdf2_hmac

    digest_name = parameters[0] if parameters else "sha256"
    iterations = int(parameters[1]) if len(parameters) > 1 else DEFAULT_PBKDF2_ITERATIONS
    digest = pbkdf2_hmac(digest_name, password, salt, iterations)
    return digest.hex(), f"pbkdf2:{digest_name}:{iterations}"
