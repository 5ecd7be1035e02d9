"""Settings under `costrel serve`: wrong ones prevent the start, misspelt ones are named."""

import pytest

from .served import serving, started

pytestmark = pytest.mark.ci

APP = """\
import costrel

app = costrel.Costrel("shop")
app.config.update({settings})

@app.get("/")
def index():
    return "ok"
"""


@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"SECRET_KEY": "short"}, "SECRET_KEY: The secret key has 5 bytes"),
        ({"MAX_CONTENT_LENGTH": "16 MB"}, "MAX_CONTENT_LENGTH: it is of type str, but must be int or None"),
    ],
)
def test_a_wrong_setting_prevents_the_start(tmp_path, interface, settings, message):
    (tmp_path / "shop.py").write_text(APP.format(settings=settings))
    arguments = ("shop:app", "--bind", "127.0.0.1:0", "--workers", "1", "--interface", interface)
    with started(tmp_path, *arguments) as served:
        served.wait_for(message)
        assert served.status() == 1


def test_a_misspelt_setting_is_named(tmp_path):
    (tmp_path / "shop.py").write_text(APP.format(settings={"SECRECT_KEY": "k" * 32}))
    with serving(tmp_path, workers=1) as served:
        assert served.get() == (200, "ok")
        assert served.end() == 0
    assert [line for line in served.lines if "Unknown setting 'SECRECT_KEY': did you mean 'SECRET_KEY'?" in line]
