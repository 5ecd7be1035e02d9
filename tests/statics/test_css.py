"""The references of stylesheets."""

import time

import pytest

from costrel.services.statics.css import Stylesheet


def renamed(css):
    """The stylesheet with NEW before the extension of each file that it refers to."""

    def name_of(reference):
        stem, dot, extension = reference.path.rpartition(".")
        return f"{stem}.NEW{dot}{extension}"

    return Stylesheet(css.encode()).renamed(name_of).decode()


@pytest.mark.parametrize(
    ("css", "expected"),
    [
        ("a{b:url(x.png)}", 'a{b:url("x.NEW.png")}'),
        ("a{b:url( 'x.png' )}", 'a{b:url( "x.NEW.png" )}'),
        ('a{b:URL("../i/x.png")}', 'a{b:URL("../i/x.NEW.png")}'),
        ('a{b:url("./x.png")}', 'a{b:url("./x.NEW.png")}'),
        ("a{src:url(f.eot?#iefix),url(f.svg#name)}", 'a{src:url("f.NEW.eot?#iefix"),url("f.NEW.svg#name")}'),
        ("a{b:url(x.png?v=1)}", 'a{b:url("x.NEW.png?v=1")}'),
        ("@import 'x.css' screen;", '@import "x.NEW.css" screen;'),
        ('@IMPORT/* why */"x.css";', '@IMPORT/* why */"x.NEW.css";'),
        ("@import url(x.css) layer(a);", '@import url("x.NEW.css") layer(a);'),
        (r"a{b:url(my\ x.png)}", 'a{b:url("my%20x.NEW.png")}'),
        (r'a{b:url("\78 .png")}', 'a{b:url("x.NEW.png")}'),
        ("a{b:url('a (1).png')}", 'a{b:url("a%20(1).NEW.png")}'),
        ("a{b:url(my%20x.png)}", 'a{b:url("my%20x.NEW.png")}'),
        ("a{b:url(100%25.png)}", 'a{b:url("100%25.NEW.png")}'),
        ("a{b:url(ü.png)}", 'a{b:url("%C3%BC.NEW.png")}'),
        ("a{--b:url(x.png)}", 'a{--b:url("x.NEW.png")}'),
        ("a{b:url(x.png) url(y.png)}", 'a{b:url("x.NEW.png") url("y.NEW.png")}'),
    ],
)  # fmt: skip
def test_relative_references_are_renamed(css, expected):
    assert expected == renamed(css)


@pytest.mark.parametrize(
    "css",
    [
        "a{b:url(data:image/png;base64,iVBORw0KGgo=)}",
        "a{b:url(https://cdn.example/x.png)}",
        "a{b:url(//cdn.example/x.png)}",
        "a{b:url(/static/x.png)}",
        "a{b:url(#shape)}",
        "a{b:url(?x.png)}",
        "a{b:url()} a{b:url('')}",
        "@import 'https://fonts.example/css';",
        "/* url(x.png) @import 'x.css' */",
        "a{content:'url(x.png)'} b{content:\"@import 'x.css'\"}",
        "a{content:'it\\'s url(x.png)'}",
        "a{b:my-url(x.png)} a{b:curl(x.png)}",
        "a{b:url(x.png",
        "a{b:url('x.png)}",
        "/* url(x.png)",
        "a{b:url(x y.png)}",
        "a{b:'x.png'} @media 'x.css';",
        "a{b:url(blob:x)} a{b:url(about:blank)}",
    ],
)
def test_anything_else_stays_as_it_is(css):
    assert css == renamed(css)


def test_bytes_that_are_no_utf8_stay_as_they_are():
    css = b"@charset 'latin-1'; a{content:'\xe4'} b{c:url(x.png)}"

    assert Stylesheet(css).renamed(lambda reference: "y.png") == css.replace(b"url(x.png)", b'url("y.png")')


def test_utf16_is_left_alone():
    css = "a{b:url(x.png)}".encode("utf-16")

    assert Stylesheet(css).renamed(lambda reference: "y.png") == css


@pytest.mark.parametrize(
    "piece", ["url(", "/*", "'", '"', "@import/*", "@import ", "url(a", "url('", "\\", "@import'\\"]
)
def test_long_nonsense_takes_linear_time(piece):
    css = (piece * 30_000).encode()
    began = time.process_time()

    assert Stylesheet(css).renamed(lambda reference: None) == css
    assert time.process_time() - began < 20  # quadratic time would be hours
