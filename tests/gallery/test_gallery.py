"""The gallery as its visitors use it, by the test client."""

import io
import re
import sys

import pytest
from click.testing import CliRunner
from examples.gallery import create_app, wire

from costrel.cli import FlaskGroup

from .conftest import png


def upload(client, data=None, name="boat.png", title="A boat"):
    return client.post(
        "/upload", data={"title": title, "picture": (io.BytesIO(data or png()), name)}, follow_redirects=True
    )


def test_an_empty_gallery_invites(client):
    page = client.get("/")
    assert page.status_code == 200
    assert "Upload the first picture" in page.text


def test_the_samples_are_there_at_the_first_start(tmp_path):
    client = create_app({"INSTANCE": str(tmp_path)}).test_client()
    pictures = client.get("/api/pictures").json["pictures"]
    assert len(pictures) == 6
    assert client.get(pictures[0]["file"]).content_type == "image/jpeg"


def test_signing_up_in_and_out(client):
    page = client.post("/sign-up", data={"name": "ada", "password": "a long password"}, follow_redirects=True)
    assert "Welcome, ada!" in page.text
    assert "Sign in" in client.post("/sign-out", follow_redirects=True).text
    page = client.post("/sign-in", data={"name": "ada", "password": "a long password"}, follow_redirects=True)
    assert "Welcome back, ada!" in page.text


@pytest.mark.parametrize(
    ("name", "password", "says"),
    [
        ("", "a long password", "Choose a name"),
        ("ada", "short", "8 characters or more"),
        ("\0", "a long password", "letters, digits, spaces and punctuation"),
        ("a\nb", "a long password", "letters, digits, spaces and punctuation"),
        ("Taken", "a long password", "Taken is taken"),
    ],
)
def test_what_cannot_be_an_account(client, name, password, says):
    client.post("/sign-up", data={"name": "taken", "password": "a long password"})
    client.post("/sign-out")
    page = client.post("/sign-up", data={"name": name, "password": password})
    assert page.status_code == 400
    assert says in page.text


def test_the_password_rule_is_there_before_an_error_and_the_wrong_field_has_the_focus(client):
    assert "8 characters or more." in client.get("/sign-up").text
    page = client.post("/sign-up", data={"name": "ada", "password": "short"}).text
    name, password = (line for line in page.splitlines() if "<label>" in line)
    assert ("autofocus" in name, "autofocus" in password) == (False, True)


def test_the_title_of_a_picture_is_a_typed_form(ada, app):
    upload(ada, title="A boat")
    page = ada.get("/picture/1/title").text
    assert re.search(r'<label for="title">Title</label>', page)
    assert re.search(r'<input type="text" id="title" name="title" .*value="A boat"', page)

    page = ada.post("/picture/1/title", data={"title": ' "<b>" ' * 20})
    assert page.status_code == 422
    assert 'aria-describedby="title-hint title-error" aria-invalid="true"' in page.text
    assert "&lt;b&gt;" in page.text
    assert "<b>" not in page.text
    assert ada.post("/picture/1/title", data={"title": "   "}).status_code == 422

    assert ada.post("/picture/1/title", data={"title": " Two <boats> "}).headers["Location"] == "/picture/1"
    assert "Two &lt;boats&gt;" in ada.get("/picture/1").text

    bob = app.test_client()
    assert bob.get("/picture/1/title").status_code == 302
    bob.post("/sign-up", data={"name": "bob", "password": "a long password"})
    assert bob.get("/picture/1/title").status_code == 403
    assert bob.post("/picture/1/title", data={"title": "mine"}).status_code == 403


@pytest.mark.parametrize("number", ["99999999999999999999", "9223372036854775808", "9223372036854775807", "0"])
def test_a_picture_that_cannot_be(ada, number):
    paths = [("GET", f"/picture/{number}"), ("GET", f"/api/pictures/{number}")]
    paths += [("POST", f"/picture/{number}/comments"), ("POST", f"/picture/{number}/delete")]
    assert [ada.open(path, method=method).status_code for method, path in paths] == [404] * 4


def test_the_grid_has_pages(ada, monkeypatch):
    monkeypatch.setattr("examples.gallery.pictures.PAGE", 2)
    for number in range(5):
        upload(ada, title=f"Picture {number}")

    def titles(path):
        page = ada.get(path).text
        older = re.search(r'href="([^"]+)">Older pictures', page)
        return re.findall(r"<strong>(Picture \d)</strong>", page), older and older[1]

    first, second = titles("/"), titles(titles("/")[1])
    last = titles(second[1])
    assert [first[0], second[0], last] == [
        ["Picture 4", "Picture 3"],
        ["Picture 2", "Picture 1"],
        (["Picture 0"], None),
    ]
    assert "There are no older pictures" in ada.get("/?before=1").text
    assert ada.get("/?before=99999999999999999999").status_code == 200


@pytest.mark.parametrize("name", ["ada", "nobody"])
def test_a_wrong_password_and_an_unknown_name_look_alike(ada, name):
    ada.post("/sign-out")
    page = ada.post("/sign-in", data={"name": name, "password": "wrong"})
    assert page.status_code == 400
    assert "The name or the password is wrong." in page.text


def test_signing_in_leads_back_but_never_to_another_site(client):
    client.post("/sign-up", data={"name": "ada", "password": "a long password"})
    form = {"name": "ada", "password": "a long password"}
    assert client.post("/sign-in?next=/upload", data=form).headers["Location"] == "/upload"
    for elsewhere in ("https://example.com", "//example.com", "/\\example.com"):
        assert client.post("/sign-in", query_string={"next": elsewhere}, data=form).headers["Location"] == "/"


def test_uploading_needs_an_account(client):
    assert client.get("/upload").headers["Location"] == "/sign-in?next=/upload"


def test_an_upload_is_shown_and_listed(ada):
    page = upload(ada)
    assert "“A boat” is in the gallery." in page.text
    assert "A boat" in ada.get("/").text
    listed = ada.get("/api/pictures").json["pictures"]
    assert [(p["title"], p["author"]) for p in listed] == [("A boat", "ada")]
    assert ada.get(listed[0]["file"]).data == png()


def test_what_is_no_picture_is_refused(ada):
    page = upload(ada, b"MZ this is a program", "boat.png")
    assert page.status_code == 400
    assert "Browsers cannot show this file" in page.text


def test_a_file_name_cannot_leave_the_folder(ada, tmp_path):
    upload(ada, name="../../../boat.png")
    assert [path.name.partition("-")[2] for path in (tmp_path / "pictures").iterdir()] == ["boat.png"]


def test_a_picture_over_the_limit_gets_a_page_that_says_so(ada):
    page = upload(ada, png() + b"\0" * 6_000_000)
    assert page.status_code == 413
    assert "up to 5 MB" in page.text


def test_comments_are_escaped(ada):
    upload(ada)
    ada.post("/picture/1/comments", data={"text": "<script>alert(1)</script>"})
    page = ada.get("/picture/1")
    assert "&lt;script&gt;" in page.text
    assert "<script>" not in page.text
    assert ada.get("/api/pictures/1").json["comments"][0]["author"] == "ada"


def test_only_ones_own_pictures_can_be_deleted(ada, tmp_path):
    upload(ada)
    ada.post("/sign-out")
    ada.post("/sign-up", data={"name": "grace", "password": "a long password"})
    assert ada.post("/picture/1/delete").status_code == 403
    ada.post("/sign-out")
    ada.post("/sign-in", data={"name": "ada", "password": "a long password"})
    assert "was deleted" in ada.post("/picture/1/delete", follow_redirects=True).text
    assert list((tmp_path / "pictures").iterdir()) == []


def test_a_missing_page_has_the_gallerys_own_face_and_the_api_speaks_json(client):
    page = client.get("/picture/99")
    assert page.status_code == 404
    assert "Page not found" in page.text
    answer = client.get("/api/pictures/99")
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
    assert answer.get_json()["title"] == "There is no such resource."


def test_a_wrong_method_has_json_in_the_api_alone(client):
    answer = client.post("/api/pictures")
    assert (answer.status_code, answer.content_type) == (405, "application/problem+json")
    assert answer.get_json() == {"status": 405, "title": "The method is not allowed for the requested URL."}
    assert set(answer.allow) == {"GET", "HEAD", "OPTIONS"}
    answer = client.post("/picture/99", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.mimetype) == (405, "text/html")


def test_redis_is_asked_for_where_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "redis", None)
    group = FlaskGroup(create_app=lambda: create_app({"INSTANCE": str(tmp_path), "REDIS_URL": "redis://localhost"}))
    result = CliRunner().invoke(group, ["routes"])
    assert (result.exit_code, result.stderr) == (1, f"Error: {wire.NO_REDIS}\n")
    assert wire.NO_REDIS.startswith("REDIS_URL needs the package redis: pip install 'costrel[redis]'")


def test_pages_name_static_files_by_their_content(client, ada):
    urls = re.findall(r'(?:href|src)="(/static/[^"]*)"', client.get("/").text + ada.get("/live").text)

    assert {re.sub(r"\.[0-9a-f]{12}\.", ".", url) for url in urls} >= {"/static/style.css", "/static/icon.svg"}
    for url in urls:
        response = client.get(url)
        assert (response.status_code, response.cache_control.immutable) == (200, True)
