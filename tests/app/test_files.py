"""Files that an application sends: static ones, and those of a view."""

import os

import pytest

from costrel import Costrel, send_file, send_from_directory
from costrel.http.errors import NotFound


@pytest.fixture
def site(tmp_path):
    folder = tmp_path / "static"
    (folder / ".hidden").mkdir(parents=True)
    (folder / "plain.txt").write_text("plain")
    (folder / ".env").write_text("secret")
    (folder / ".hidden" / "file.txt").write_text("secret")
    (tmp_path / "outside.txt").write_text("outside")
    os.symlink(tmp_path / "outside.txt", folder / "leads_out.txt")
    os.symlink(folder / "plain.txt", folder / "leads_in.txt")
    return Costrel(__name__, root_path=str(tmp_path))


def fetch(app, path):
    with app.test_client().get(path) as response:
        return response.status_code, response.data if response.status_code == 200 else None


def test_a_static_file_is_sent(site):
    assert fetch(site, "/static/plain.txt") == (200, b"plain")
    assert fetch(site, "/static/missing.txt") == (404, None)
    assert fetch(site, "/static/nul%00.txt") == (404, None)


def test_without_a_static_folder_there_is_nothing_to_send(site):
    site.static_folder = None

    with site.test_request_context("/"), pytest.raises(RuntimeError) as caught:
        site.send_static_file("plain.txt")

    assert str(caught.value) == "'static_folder' must be set to serve static_files."


@pytest.mark.parametrize("allowed", [True, False])
def test_dotfiles_may_be_kept_back(site, allowed):
    site.config["STATIC_DOTFILES"] = allowed
    expected = (200, b"secret") if allowed else (404, None)

    assert fetch(site, "/static/.env") == expected
    assert fetch(site, "/static/.hidden/file.txt") == expected
    assert fetch(site, "/static/plain.txt") == (200, b"plain")


@pytest.mark.parametrize("followed", [True, False])
def test_links_out_of_the_folder_may_be_kept_back(site, followed):
    site.config["STATIC_FOLLOW_SYMLINKS"] = followed

    assert fetch(site, "/static/leads_out.txt") == ((200, b"outside") if followed else (404, None))
    assert fetch(site, "/static/leads_in.txt") == (200, b"plain")
    assert fetch(site, "/static/nul%00.txt") == (404, None)


def test_a_view_sends_a_file_below_the_root_path(site):
    site.config["SEND_FILE_MAX_AGE_DEFAULT"] = 60

    with site.test_request_context("/"):
        response = send_file("outside.txt")
        response.direct_passthrough = False
        assert response.data == b"outside"
        assert type(response) is site.response_class
        assert response.cache_control.max_age == 60
        response.close()


def test_a_view_sends_a_file_from_a_folder(site):
    with site.test_request_context("/"):
        response = send_from_directory("static", "plain.txt", as_attachment=True, max_age=5)
        assert response.headers["Content-Disposition"] == "attachment; filename=plain.txt"
        assert response.cache_control.max_age == 5
        response.close()
        with pytest.raises(NotFound):
            send_from_directory("static", "../outside.txt")


def test_sending_a_file_needs_a_request():
    with pytest.raises(RuntimeError, match="Working outside of request context"):
        send_file("outside.txt")


def test_a_class_may_decide_how_long_a_file_is_kept(tmp_path):
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "a.css").write_text("")

    class Patient(Costrel):
        def get_send_file_max_age(self, filename):
            return 100 if filename == "a.css" else None

    with Patient(__name__, root_path=str(tmp_path)).test_client().get("/static/a.css") as response:
        assert response.cache_control.max_age == 100


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("inside/plain.txt", (200, b"plain")),  # the folder is a link to the one that it stands in
        ("inside/inside/leads_in.txt", (200, b"plain")),
        ("inside/leads_out.txt", (404, None)),
        ("up/outside.txt", (404, None)),
        ("up/static/plain.txt", (200, b"plain")),  # out and in again: what counts is where it ends
        ("loop", (404, None)),
        ("dangling", (404, None)),
        ("inside", (404, None)),
        ("plain.txt/x", (404, None)),
    ],
)
def test_what_a_link_leads_to_decides(site, tmp_path, path, expected):
    folder = tmp_path / "static"
    os.symlink(folder, folder / "inside")
    os.symlink("..", folder / "up")
    os.symlink("loop", folder / "loop")
    os.symlink("nowhere", folder / "dangling")
    assert fetch(site, f"/static/{path}") == expected


def test_the_static_folder_itself_may_be_a_link(site, tmp_path):
    os.symlink(tmp_path / "static", tmp_path / "current")
    site.static_folder = "current"
    assert fetch(site, "/static/plain.txt") == (200, b"plain")
    assert fetch(site, "/static/leads_out.txt") == (404, None)


def test_a_change_on_the_disk_is_seen_at_the_next_request(site, tmp_path):
    client, file = site.test_client(), tmp_path / "static" / "plain.txt"

    def fetch_again(tag):
        with client.get("/static/plain.txt", headers={"If-None-Match": tag}) as response:
            return response.status_code, response.get_data(), response.headers["ETag"]

    status, text, tag = fetch_again("none")
    assert (status, text) == (200, b"plain")
    assert fetch_again(tag) == (304, b"", tag)
    file.write_text("another")
    status, text, changed = fetch_again(tag)
    assert (status, text, changed != tag) == (200, b"another", True)
    file.unlink()
    os.symlink(tmp_path / "outside.txt", file)
    assert fetch(site, "/static/plain.txt") == (404, None)
