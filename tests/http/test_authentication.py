"""Credentials of clients and challenges of servers."""

import pytest

from costrel.http.authentication import Authorization, WWWAuthenticate


def test_basic_credentials_read_and_write():
    authorization = Authorization.from_header("Basic dXNlcjpwYTpzcw==")
    assert (authorization.username, authorization.password) == ("user", "pa:ss")
    assert str(authorization) == "Basic dXNlcjpwYTpzcw=="
    assert repr(authorization) == "<Authorization Basic dXNlcjpwYTpzcw==>"


@pytest.mark.parametrize("header", [None, "", "Basic !", "Basic dXNlcg", "Basic é", "Basic /w=="])
def test_credentials_that_cannot_be_read_are_none(header):
    assert Authorization.from_header(header) is None


def test_a_bearer_presents_a_token():
    authorization = Authorization.from_header("Bearer abc.def==")
    assert (authorization.type, authorization.token, authorization.parameters) == ("bearer", "abc.def==", {})
    assert authorization.to_header() == "Bearer abc.def=="


def test_other_schemes_have_parameters():
    authorization = Authorization.from_header('Digest username="a b", nc=1')
    assert (authorization["username"], authorization.nc, authorization.realm) == ("a b", "1", None)
    assert ("nc" in authorization, authorization.get("x", "y")) == (True, "y")
    assert authorization.to_header() == 'Digest username="a b", nc=1'
    assert authorization == Authorization("digest", {"username": "a b", "nc": "1"})
    assert authorization != "Digest"


def test_names_of_pythons_protocols_are_no_parameters():
    for value in (Authorization("basic"), WWWAuthenticate("basic")):
        with pytest.raises(AttributeError, match="has no attribute '__setstate__'"):
            value.__setstate__


def test_a_challenge_reports_its_changes_once():
    seen = []
    challenge = WWWAuthenticate("basic", {"realm": "x"})
    challenge._on_update = lambda changed: seen.append(str(changed))
    challenge.realm = "a b"
    challenge["charset"] = "UTF-8"
    challenge.charset = None
    challenge.parameters["a"] = "b"
    del challenge["a"]
    del challenge.realm
    del challenge["nonesuch"]
    assert seen == [
        'Basic realm="a b"',
        'Basic realm="a b", charset=UTF-8',
        'Basic realm="a b"',
        'Basic realm="a b", a=b',
        'Basic realm="a b"',
        "Basic",
    ]


def test_a_digest_challenge_quotes_what_rfc_7616_wants_quoted():
    challenge = WWWAuthenticate("digest", {"realm": "x", "nonce": "n", "algorithm": "MD5"})
    assert str(challenge) == 'Digest realm="x", nonce="n", algorithm=MD5'
    assert repr(WWWAuthenticate("digest")) == "<WWWAuthenticate Digest>"


def test_a_challenge_reads():
    assert WWWAuthenticate.from_header(None) is None
    assert WWWAuthenticate.from_header("Negotiate abc==").to_header() == "Negotiate abc=="
    challenge = WWWAuthenticate.from_header('Basic realm="x"')
    assert (challenge.realm, challenge["realm"], challenge.get("a", 1), "realm" in challenge) == ("x", "x", 1, True)
    assert (challenge.type, challenge.token) == ("basic", None)
    assert challenge != "Basic"
