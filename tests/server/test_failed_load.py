"""What is answered while the application cannot be loaded."""

import pytest

from costrel.server.failed_load import describe, failed_application, files_of
from costrel.services.discovery import NoAppException


def broken():
    try:
        compile("def x(:", "/app/views.py", "exec")
    except SyntaxError as error:
        return error


def ask(app, host="localhost", address="127.0.0.1"):
    return app.test_client().get("/any/path", headers={"Host": host}, environ_overrides={"REMOTE_ADDR": address})


def test_this_computer_is_told_the_error():
    response = ask(failed_application(broken()))

    assert response.status_code == 500
    assert response.mimetype == "text/plain"
    assert response.headers["Cache-Control"] == "no-store"
    assert "SyntaxError: invalid syntax" in response.text
    assert 'File "/app/views.py", line 1' in response.text


@pytest.mark.parametrize(("host", "address"), [("evil.example", "127.0.0.1"), ("localhost", "192.0.2.1")])
def test_nobody_else_is(host, address):
    response = ask(failed_application(broken()), host, address)

    assert response.status_code == 500
    assert response.text == ("The application could not be loaded. See the terminal of the server for the error.")


def test_an_error_that_explains_itself_has_no_traceback():
    assert describe(NoAppException("There is no app.")) == "There is no app."


def test_the_files_in_which_the_error_may_be():
    try:
        try:
            raise broken()
        except SyntaxError as error:
            raise NoAppException("broken") from error
    except NoAppException as error:
        files = files_of(error)

    assert files == sorted(["/app/views.py", __file__])
