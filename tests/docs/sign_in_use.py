"""Runs docs/sign-in.md against a small OpenID provider on loopback, in a process of its own: it needs the name flask.

python sign_in_use.py SNIPPETS
"""

import base64
import hashlib
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from joserfc import jwt
from joserfc.jwk import RSAKey

KEY = RSAKey.generate_key(2048, {"kid": "1"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "1"})


class Provider(ThreadingHTTPServer):
    """An OpenID provider whose user has always agreed. `forgery` spoils the next ID token."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server_address[1]}"
        self.codes = {}
        self.forgery = None
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def id_token(self, asked):
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": asked["client_id"],
            "sub": "ada@provider",
            "email": "ada@example.org",
            "nonce": asked["nonce"],
            "iat": now,
            "exp": now + 60,
        }
        changes = {
            "nonce": {"nonce": "other"},
            "audience": {"aud": "another-client"},
            "issuer": {"iss": "https://elsewhere.example"},
            "expired": {"iat": now - 7200, "exp": now - 3600},
        }
        key = OTHER_KEY if self.forgery == "signature" else KEY
        return jwt.encode({"alg": "RS256", "kid": "1"}, {**claims, **changes.get(self.forgery, {})}, key)


class Handler(BaseHTTPRequestHandler):
    def log_message(self, format, *args):
        pass

    def answer(self, value, status=200, headers=()):
        body = json.dumps(value).encode()
        self.send_response(status)
        for name, text in (("Content-Type", "application/json"), ("Content-Length", str(len(body))), *headers):
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        url, issuer = urlsplit(self.path), self.server.issuer
        if url.path == "/.well-known/openid-configuration":
            self.answer(
                {
                    "issuer": issuer,
                    "authorization_endpoint": f"{issuer}/authorize",
                    "token_endpoint": f"{issuer}/token",
                    "jwks_uri": f"{issuer}/keys",
                    "id_token_signing_alg_values_supported": ["RS256"],
                }
            )
        elif url.path == "/keys":
            self.answer({"keys": [KEY.as_dict(private=False)]})
        else:
            asked = {name: values[0] for name, values in parse_qs(url.query).items()}
            code = f"code-{len(self.server.codes)}"
            self.server.codes[code] = asked
            back = urlencode({"code": code, "state": asked["state"]})
            self.answer({}, 302, [("Location", f"{asked['redirect_uri']}?{back}")])

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        sent = {name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()}
        asked = self.server.codes.pop(sent.get("code"), None)
        digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if asked is None or asked["code_challenge"] != challenge or asked["redirect_uri"] != sent["redirect_uri"]:
            self.answer({"error": "invalid_grant"}, 400)
            return
        found = {"access_token": "access", "token_type": "Bearer"}
        if self.server.forgery != "no token":
            found["id_token"] = self.server.id_token(asked)
        self.answer(found)


def the_app(snippets):
    names = {"__name__": "sign_in"}
    exec(compile(snippets, "sign-in.md", "exec"), names)
    return names


def back_from_provider(client):
    """The path of the callback to which the provider redirects the browser."""
    there = client.get("/sign-in-with")
    assert there.status_code == 302, there.text
    back = requests.get(there.headers["Location"], allow_redirects=False, timeout=30)
    url = urlsplit(back.headers["Location"])
    return f"{url.path}?{url.query}"


def check_openid(names, provider):
    app, users = names["app"], names["USERS"]
    client, stranger = app.test_client(), app.test_client()
    assert client.get("/").status_code == 401

    path = back_from_provider(client)
    assert stranger.get(path).status_code == 400  # login CSRF: the state belongs to another session
    assert client.get(path).headers["Location"] == "/"
    assert client.get("/").text == "Hello ada@example.org"
    assert client.get(path).status_code == 400  # the state was used
    again = app.test_client()
    assert again.get(back_from_provider(again)).status_code == 302
    assert [user.subject for user in users.values()] == ["ada@provider"]

    for forgery in ("signature", "nonce", "audience", "issuer", "expired", "no token"):
        provider.forgery = forgery
        other = app.test_client()
        found = other.get(back_from_provider(other))
        assert found.status_code == 400, (forgery, found.status_code)
        assert other.get("/").status_code == 401
    provider.forgery = None
    assert stranger.get("/signed-in-with?error=access_denied&state=x").status_code == 400
    assert stranger.get("/signed-in-with").status_code == 400


def check_passwords(names):
    app, users, user = names["app"], names["USERS"], names["User"]
    users[7] = user(7, "bob@example.org", names["generate_password_hash"]("the first password"))
    users[8] = user(8, "eve@example.org")  # signs in by a provider only
    client = app.test_client()

    def signs_in(email, password):
        return app.test_client().post("/sign-in", data={"email": email, "password": password}).status_code == 302

    assert signs_in("bob@example.org", "the first password")
    assert not signs_in("bob@example.org", "another password")
    assert not signs_in("eve@example.org", "")
    assert not signs_in("nobody@example.org", "the first password")

    unknown = client.post("/forgotten", data={"email": "nobody@example.org"})
    known = client.post("/forgotten", data={"email": "bob@example.org"})
    assert (unknown.status_code, unknown.text) == (known.status_code, known.text)
    [(email, link)] = names["outbox"]
    path = urlsplit(link).path
    assert email == "bob@example.org"
    assert client.post("/forgotten", data={"email": email}, headers={"Host": "evil.example"}).status_code == 400

    page = client.get(path)
    assert (page.status_code, page.headers["Referrer-Policy"]) == (200, "no-referrer")
    assert client.get(path[:-1] + ("A" if path[-1] != "A" else "B")).status_code == 400
    assert client.post(path, data={"password": "short"}).status_code == 422
    assert client.post(path, data={"password": "the second password"}).status_code == 302
    assert client.get("/").text == "Hello bob@example.org"
    assert client.get(path).status_code == 400
    assert client.post(path, data={"password": "the third password"}).status_code == 400
    assert signs_in(email, "the second password")
    assert not signs_in(email, "the first password")
    client.post("/sign-out")
    assert client.get("/").status_code == 401

    client.post("/forgotten", data={"email": email})
    path = urlsplit(names["outbox"][-1][1]).path
    client.post("/forgotten", data={"email": email})
    names["RESET_SECONDS"] = -1
    assert client.get(path).status_code == 400  # expired


def main():
    provider = Provider()
    os.environ["OIDC_ISSUER"] = provider.issuer
    names = the_app(Path(sys.argv[1]).read_text())
    check_openid(names, provider)
    check_passwords(names)
    provider.shutdown()
    print("signed in")


if __name__ == "__main__":
    main()
