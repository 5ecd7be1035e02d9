"""Names with a hash, and the names that they may stand for."""

import pytest

from costrel.services.statics.names import digest_of, split_name, with_digest

HASH = "3f9c1d27a40b"


@pytest.mark.parametrize(
    ("name", "hashed"),
    [
        ("app.css", f"app.{HASH}.css"),
        ("css/app.min.css", f"css/app.min.{HASH}.css"),
        ("LICENSE", f"LICENSE.{HASH}"),
        (".htaccess", f".htaccess.{HASH}"),
        ("v1.2/LICENSE", f"v1.2/LICENSE.{HASH}"),
        ("a.", f"a.{HASH}."),
        ("archive.tar.gz", f"archive.tar.{HASH}.gz"),
        (f"{HASH}.css", f"{HASH}.{HASH}.css"),
        (f"core.{HASH}", f"core.{HASH}.{HASH}"),
        (f"core.{HASH}.js", f"core.{HASH}.{HASH}.js"),
        ("ü ß.png", f"ü ß.{HASH}.png"),
    ],
)
def test_a_hash_stands_before_the_last_extension(name, hashed):
    assert hashed == with_digest(name, HASH)
    assert split_name(hashed) == (name, HASH)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "app.css",
        HASH,
        f"{HASH}.css",
        f".{HASH}.css",
        f"{HASH}/a",
        f"app.{HASH.upper()}.css",
        f"app.{HASH[1:]}.css",
        f"app.{HASH}0.css",
        f"app.{HASH}.min.css",
    ],
)
def test_other_names_have_no_hash(name):
    assert split_name(name) is None


def test_an_extension_may_look_like_a_hash():
    assert split_name(f"core.{HASH}.aaaaaaaaaaaa") == ("core.aaaaaaaaaaaa", HASH)


def test_the_hash_is_that_of_the_content():
    assert digest_of(b"") == "e3b0c44298fc"  # the SHA-256 of nothing, FIPS 180-4
