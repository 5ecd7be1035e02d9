"""The page with information about the environment of an application."""

import sys

from costrel.legacy import info_page
from costrel.testing import Client


def test_it_shows_interpreter_packages_and_environ_escaped() -> None:
    page = Client(info_page.test_app).get("/", headers={"X-Evil": "<script>"}).text
    assert "<h1>WSGI Information</h1>" in page
    assert f"<tr><th>API version<td>{sys.api_version}" in page
    assert "HTTP_X_EVIL" in page
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    assert "<li>Jinja2 <small>" in page or "<li>jinja2 <small>" in page


def test_the_load_path_says_what_is_missing_and_what_was_relative(monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "path", ["", "/not/there", str(tmp_path / "lib")])
    (tmp_path / "lib").mkdir()
    assert list(info_page.iter_sys_path()) == [("~", False, True), ("/not/there", True, False), ("~/lib", False, False)]
