"""Passwords are kept as salted hashes, with their parameters beside them."""

import re

import pytest

from costrel.support.passwords import SALT_CHARS, check_password_hash, gen_salt, generate_password_hash

QUICK_SCRYPT = "scrypt:16:8:1"
QUICK_PBKDF2 = "pbkdf2:sha256:2"


@pytest.mark.parametrize("method", [QUICK_SCRYPT, QUICK_PBKDF2, "pbkdf2:sha512:3"])
def test_the_password_is_known_again(method):
    stored = generate_password_hash("päss", method)
    assert check_password_hash(stored, "päss")
    assert not check_password_hash(stored, "pass")
    assert stored != generate_password_hash("päss", method)


def test_the_defaults_are_written_into_the_hash():
    assert re.fullmatch(r"scrypt:32768:8:1\$[a-zA-Z0-9]{16}\$[0-9a-f]{128}", generate_password_hash("x"))
    assert re.fullmatch(
        r"pbkdf2:sha256:1000000\$[a-zA-Z0-9]{8}\$[0-9a-f]{64}", generate_password_hash("x", "pbkdf2", 8)
    )
    assert generate_password_hash("x", "pbkdf2:sha1:1").startswith("pbkdf2:sha1:1$")


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("plain", "Invalid hash method 'plain'. Use 'scrypt:n:r:p' or 'pbkdf2:digest:iterations'."),
        ("scrypt:1", "'scrypt' takes 3 arguments: the numbers n, r and p, as in 'scrypt:32768:8:1'."),
        ("scrypt:a:8:1", "'scrypt' takes 3 arguments: the numbers n, r and p, as in 'scrypt:32768:8:1'."),
        (
            "pbkdf2:sha256:1:1",
            "'pbkdf2' takes 2 arguments: a digest and the iterations, as in 'pbkdf2:sha256:1000000'.",
        ),
        ("pbkdf2:sha256:many", "invalid literal for int() with base 10: 'many'"),
        ("scrypt:3:8:1", "n must be a power of 2."),
    ],
)
def test_a_method_that_does_not_exist_is_named(method, message):
    with pytest.raises(ValueError) as error:
        generate_password_hash("x", method)
    assert str(error.value) == message


@pytest.mark.parametrize("stored", ["", "abc", "scrypt$salt", f"{QUICK_SCRYPT}$$", f"{QUICK_PBKDF2}$salt$zz"])
def test_what_is_no_hash_matches_nothing(stored):
    assert not check_password_hash(stored, "x")


def test_a_damaged_hash_matches_nothing():
    assert not check_password_hash(f"{QUICK_SCRYPT}$sält$häsh", "x")


def test_a_salt_has_the_length_that_is_asked_for():
    assert len(gen_salt(5)) == 5
    assert set(gen_salt(1000)) <= set(SALT_CHARS)
    with pytest.raises(ValueError, match=r"^Salt length must be at least 1\.$"):
        gen_salt(0)
