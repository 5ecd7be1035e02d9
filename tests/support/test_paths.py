"""No path from outside leads out of its directory, by the rules of the system that it is for."""

import ntpath
import posixpath

import pytest

from costrel.support import paths
from costrel.support.paths import ascii_filename, safe_join, secure_filename

from ..shapes import MUCH, assert_linear


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("static", "app.css"), "static/app.css"),
        (("static", "css/../app.css"), "static/app.css"),
        (("static", "css", "app.css"), "static/css/app.css"),
        (("static", "", "app.css"), "static/app.css"),
        (("static",), "static"),
        (("", "app.css"), "./app.css"),
        (("/srv/static", "."), "/srv/static/."),
        (("static", "..."), "static/..."),
        (("static", "..css"), "static/..css"),
        (("static", "a\\b"), "static/a\\b"),
        (("static", "NUL"), "static/NUL"),
        (("static", "C:x"), "static/C:x"),
    ],
)
def test_what_stays_inside_is_joined(parts, expected):
    assert paths._join_under(posixpath, parts[0], parts[1:]) == expected


@pytest.mark.parametrize(
    "parts",
    [
        ("..",),
        ("../static-private/s.txt",),
        ("css/../../etc/passwd",),
        ("css", "../x"),
        ("/etc/passwd",),
        ("//host/share",),
        ("css", "/etc/passwd"),
        ("a\0b",),
    ],
)
def test_what_leads_out_is_refused_on_every_system(parts):
    assert safe_join("static", *parts) is None
    assert paths._join_under(posixpath, "static", parts) is None
    assert paths._join_under(ntpath, "static", parts) is None


@pytest.mark.parametrize(
    "name",
    [
        "NUL",
        "nul",
        "CON.txt",
        "d/CON.txt",
        "d/con.tar.gz",
        "CON ",
        "CON .txt",
        "CON.",
        "COM1",
        "COM¹",
        "LPT³.x",
        "CONIN$",
        "aux/x",
        "NUL::$DATA",
        "a.txt::$DATA",
        "a.txt:stream",
        "C:x",
        "C:/x",
        "C:\\x",
        "\\x",
        "\\\\host\\share",
        "..\\x",
        "css\\..\\..\\x",
        "a.txt.",
        "a.txt ",
        ".. /x",
        "... ",
    ],
)
def test_what_windows_reads_otherwise_is_refused_there(name):
    assert paths._join_under(ntpath, "static", (name,)) is None


@pytest.mark.parametrize("name", ["app.css", "css/app.css", "console.txt", "nullable", "com0", ".htaccess", "a b/c"])
def test_plain_names_are_joined_on_windows(name):
    assert paths._join_under(ntpath, "static", (name,)) == f"static/{name}"


def test_the_directory_itself_is_joined_on_windows():
    assert paths._join_under(ntpath, "static", (".",)) == "static/."
    assert paths._join_under(ntpath, "static", ("css/..",)) == "static/."


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("My cool movie.mov", "My_cool_movie.mov"),
        ("../../../etc/passwd", "etc_passwd"),
        ("i contain cool \xfcml\xe4uts.txt", "i_contain_cool_umlauts.txt"),
        ("ﬁle.txt", "file.txt"),
        ("日本", ""),
        (".htaccess", "htaccess"),
        ("a\0b:c", "abc"),
        ("..", ""),
        ("CON.txt", "CON.txt"),
    ],
)
def test_a_file_name_is_made_plain(name, expected):
    assert ascii_filename(name) == expected
    assert paths._secure_name(posixpath, name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("My cool movie.mov", "My_cool_movie.mov"),
        ("i contain cool \xfcml\xe4uts.txt", "i_contain_cool_umlauts.txt"),
        ("файл.txt", "da89a48c.txt"),
        ("отчёт 2024.pdf", "2024_1243b988.pdf"),
        ("../файл", "e432bbf3"),
        ("“quoted”.txt", "quoted.txt"),
        ("..", ""),
        ("\ud800.txt", "txt"),
    ],
)
def test_names_that_lose_letters_get_digits_of_a_hash(name, expected):
    assert secure_filename(name) == expected


def test_names_that_lose_letters_stay_different():
    names = ["файл.txt", "другой.txt", "日本.txt", "日本語.txt", "файл.pdf", "1 файл.txt", "2 файл.txt", "файл"]
    secured = {secure_filename(name) for name in names}
    assert (len(secured), all(name.isascii() and "/" not in name for name in secured)) == (len(names), True)


@pytest.mark.parametrize(
    ("name", "expected"), [("a\\b/c", "a_b_c"), ("con.txt", "_con.txt"), ("AUX", "_AUX"), ("console", "console")]
)
def test_a_file_name_is_made_plain_for_windows(name, expected):
    assert paths._secure_name(ntpath, name) == expected


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda n: "\u0300\u0316" * n, id="combining marks"),
        pytest.param(lambda n: "../" * n, id="parents"),
        pytest.param(lambda n: "a/../" * n, id="detours"),
        pytest.param(lambda n: "._" * n, id="dots"),
        pytest.param(lambda n: " \t" * n + "x", id="blanks"),
    ],
)
@pytest.mark.parametrize("call", [secure_filename, lambda name: paths._join_under(ntpath, "static", (name,))])
def test_long_names_take_linear_time(make, call):
    assert_linear(call, 200_000, make, **MUCH)
