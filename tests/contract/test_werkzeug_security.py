"""Password hashes work in both directions, and paths and file names are the same as in Werkzeug."""

import hashlib

import werkzeug.security
import werkzeug.utils
from hypothesis import given
from hypothesis import strategies as st

from costrel.support import passwords, paths

methods = st.one_of(
    st.builds("scrypt:{}:{}:{}".format, st.just(64), st.sampled_from([1, 4]), st.sampled_from([2, 3])),
    st.builds("pbkdf2:{}:{}".format, st.sampled_from(["md5", "sha1", "sha256", "sha512", "SHA256"]), st.integers(1, 9)),
)
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(words, methods)
def test_their_hashes_are_known_here(password, method):
    stored = werkzeug.security.generate_password_hash(password, method)
    assert passwords.check_password_hash(stored, password)
    assert not passwords.check_password_hash(stored, password + "x")


@given(words, methods)
def test_our_hashes_are_known_there(password, method):
    stored = passwords.generate_password_hash(password, method)
    assert werkzeug.security.check_password_hash(stored, password)
    assert not werkzeug.security.check_password_hash(stored, password + "x")


def error_of(call, *args):
    try:
        call(*args)
    except Exception as error:
        return type(error)
    return None


@given(
    st.one_of(methods, st.text("scrypt:bkdf2a0159$", max_size=12), st.from_regex(r"(scrypt|pbkdf2)(:[a-z0-9]{1,3})*"))
)
def test_the_same_methods_are_refused(method):
    if method.startswith("scrypt") and len(method) > 6:
        return  # small costs: OpenSSL needs more memory for them than Werkzeug allows it
    theirs = error_of(werkzeug.security.generate_password_hash, "x", _quick(method))
    assert error_of(passwords.generate_password_hash, "x", _quick(method)) == theirs


def _quick(method):
    return method if method not in ("scrypt", "pbkdf2") and not method.startswith("pbkdf2:s") else "pbkdf2:sha256:1"


@given(st.text("$ab:0é", max_size=10))
def test_damaged_hashes(stored):
    theirs = error_of(werkzeug.security.check_password_hash, stored, "x")
    if theirs is not TypeError:  # they cannot compare text beyond ASCII; here it matches nothing
        assert error_of(passwords.check_password_hash, stored, "x") == theirs


def test_the_defaults_are_the_same():
    assert passwords.DEFAULT_PBKDF2_ITERATIONS == werkzeug.security.DEFAULT_PBKDF2_ITERATIONS
    ours, theirs = (module.generate_password_hash("x") for module in (passwords, werkzeug.security))
    assert ours.split("$")[0] == theirs.split("$")[0]
    assert len(ours) == len(theirs)
    assert passwords.SALT_CHARS == werkzeug.security.SALT_CHARS
    assert hashlib.scrypt


parts = st.lists(
    st.lists(st.sampled_from(["a", "b.c", "..", ".", "...", "", " ", "\\", "NUL", "C:", "é"]), max_size=5).map(
        "/".join
    ),
    max_size=3,
)


@given(st.sampled_from(["", ".", "..", "dir", "/dir", "/dir/", "/"]), parts)
def test_paths(directory, untrusted):
    assert paths.safe_join(directory, *untrusted) == werkzeug.security.safe_join(directory, *untrusted)


@given(st.text())
def test_any_path(untrusted):
    theirs = werkzeug.security.safe_join("dir", untrusted)
    assert paths.safe_join("dir", untrusted) == (None if "\0" in untrusted else theirs)


@given(st.text() | st.text("ab ._-/\\:é\u0301\u0316ﬁ²\0\n"))
def test_file_names(name):
    assert paths.ascii_filename(name) == werkzeug.utils.secure_filename(name)


@given(st.integers(-3, 200))
def test_salts_are_as_long_and_of_the_same_letters(length):
    error = error_of(werkzeug.security.gen_salt, length)
    assert error_of(passwords.gen_salt, length) == error
    if error is None:
        salt = passwords.gen_salt(length)
        assert len(salt) == len(werkzeug.security.gen_salt(length))
        assert set(salt) <= set(werkzeug.security.SALT_CHARS)
