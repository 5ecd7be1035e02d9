"""Each snippet and each statement of the notes about behaviour, as written there, with what it is said to do.

Run with ``pytest -p costrel.as_flask.pytest``: `flask` and `werkzeug` are Costrel here.
"""

import io
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import flask
import pytest
from flask import (
    Flask,
    abort,
    after_this_request,
    flash,
    get_flashed_messages,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)

PROJECT = Path(__file__).parent / "project"


@pytest.fixture
def app():
    app = Flask("notes", root_path=str(PROJECT))
    app.secret_key = b'_5#y2L"F4Q8z\n\xec]/'
    app.config["TESTING"] = True
    return app


def run(snippet, **names):
    """Run a snippet unchanged, and return the names that it defines."""
    exec(textwrap.dedent(snippet), names)
    return names


def test_flask_is_costrel():
    assert "costrel" in flask.Flask.__mro__[1].__module__


ROUTING = """
    @app.route('/')
    def index():
        return 'Index Page'
    @app.route('/hello')
    def hello():
        return 'Hello, World'
"""


def test_route_binds_a_function_to_a_url(app):
    run(ROUTING, app=app)
    client = app.test_client()
    assert client.get("/").text == "Index Page"
    assert client.get("/hello").text == "Hello, World"


VARIABLE_RULES = """
    @app.route('/user/<username>')
    def show_user_profile(username):
        # show the user profile for that user
        return 'User %s' % username
    @app.route('/post/<int:post_id>')
    def show_post(post_id):
        # show the post with the given id, the id is an integer
        return 'Post %d' % post_id
"""


def test_variable_rules(app):
    run(VARIABLE_RULES, app=app)
    client = app.test_client()
    assert client.get("/user/ada").text == "User ada"
    assert client.get("/post/7").text == "Post 7"
    assert client.get("/post/seven").status_code == 404


@pytest.mark.parametrize(
    ("rule", "path", "value"),
    [
        ("string", "text", "text"),
        ("int", "42", 42),
        ("float", "1.5", 1.5),
        ("path", "a/b/c", "a/b/c"),
        ("any(red,blue)", "blue", "blue"),
        ("uuid", "12345678-1234-5678-1234-567812345678", "12345678-1234-5678-1234-567812345678"),
    ],
)
def test_the_converters_that_exist(app, rule, path, value):
    app.add_url_rule(f"/x/<{rule}:value>", "x", lambda value: jsonify(value=str(value), type=type(value).__name__))
    answer = app.test_client().get(f"/x/{path}").json
    assert str(value) == answer["value"]


def test_a_chinese_note_binds_an_int_as_keyword_argument(app):
    @app.route("/hello/<int:id>")
    def hello(id):
        return f"{id + 1}"

    assert app.test_client().get("/hello/41").text == "42"


def test_projects_with_a_trailing_slash_are_canonical(app):
    app.add_url_rule("/projects/", "projects", lambda: "The project page")
    app.add_url_rule("/about", "about", lambda: "The about page")
    client = app.test_client()
    moved = client.get("/projects")
    assert moved.status_code == 308
    assert moved.headers["Location"] == "http://localhost/projects/"
    assert client.get("/about/").status_code == 404


def test_unknown_variable_parts_become_the_query(app):
    app.add_url_rule("/login", "login", lambda: "login")
    app.add_url_rule("/user/<username>", "profile", lambda username: username)
    with app.test_request_context():
        assert url_for("login", next="/") == "/login?next=/"
        assert url_for("profile", username="John Doe") == "/user/John%20Doe"


def test_a_route_answers_only_get_unless_methods_say_more(app):
    app.add_url_rule("/get", "get", lambda: "got")
    app.add_url_rule("/both", "both", lambda: request.method, methods=["GET", "POST"])
    client = app.test_client()
    assert client.post("/get").status_code == 405
    assert client.post("/both").text == "POST"
    assert client.head("/get").data == b""
    assert {"GET", "HEAD", "OPTIONS"} == set(client.options("/get").allow)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH"])
def test_the_http_methods(app, method):
    app.add_url_rule("/any", "any", lambda: request.method, methods=[method])
    assert method == app.test_client().open("/any", method=method).text


def test_static_files_are_found_by_their_url(app):
    with app.test_request_context():
        assert url_for("static", filename="style.css") == "/static/style.css"
    with app.test_client().get("/static/style.css") as answer:
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/css; charset=utf-8")


def test_a_template_gets_its_variables_and_sees_request_session_and_g(app):
    @app.route("/page")
    def page():
        session["who"] = "ada"
        flask.g.x = "something"
        flash("saved", "info")
        return render_template("index.html", name="<World>")

    text = app.test_client().get("/page").text
    assert "<h1>Hello &lt;World&gt;</h1>/page ada something" in text
    assert '<p class="info">saved</p>' in text
    assert 'href="/static/style.css"' in text


def test_form_args_and_values(app):
    @app.route("/", methods=["GET", "POST"])
    def index():
        searchword = request.args.get("key", "")
        return jsonify(form=request.form.get("username"), key=searchword, values=sorted(request.values))

    answer = app.test_client().post("/?key=value", data={"username": "ada"}).json
    assert answer | {"values": ["key"]} == {"form": "ada", "key": "value", "values": ["key"]}


def test_a_missing_form_key_is_a_key_error_and_else_a_400(app):
    @app.route("/caught", methods=["POST"])
    def caught():
        try:
            return request.form["username"]
        except KeyError:
            return "caught"

    @app.route("/not-caught", methods=["POST"])
    def not_caught():
        return request.form["username"]

    client = app.test_client()
    assert client.post("/caught").text == "caught"
    assert client.post("/not-caught").status_code == 400


UPLOAD = """
    from flask import request
    @app.route('/upload', methods=['GET', 'POST'])
    def upload_file():
        if request.method == 'POST':
            f = request.files['the_file']
            f.save('/var/www/uploads/uploaded_file.txt')
        ...
        return 'saved'
"""

UPLOAD_BY_NAME = """
    from flask import request
    from werkzeug.utils import secure_filename
    @app.route('/upload', methods=['GET', 'POST'])
    def upload_file():
        if request.method == 'POST':
            f = request.files['the_file']
            f.save('/var/www/uploads/' + secure_filename(f.filename))
        ...
        return 'saved'
"""


@pytest.mark.parametrize(("snippet", "saved_as"), [(UPLOAD, "uploaded_file.txt"), (UPLOAD_BY_NAME, "etc_passwd")])
def test_uploads_are_saved(app, tmp_path, snippet, saved_as):
    # The notes save to /var/www/uploads; a test has a folder of its own.
    run(snippet.replace("/var/www/uploads", str(tmp_path)), app=app)
    client = app.test_client()
    answer = client.post("/upload", data={"the_file": (io.BytesIO(b"content"), "../../../etc/passwd")})
    assert answer.text == "saved"
    assert (tmp_path / saved_as).read_bytes() == b"content"


def test_secure_filename():
    from werkzeug.utils import secure_filename

    assert secure_filename("My cool movie.mov") == "My_cool_movie.mov"
    assert secure_filename("../../../etc/passwd") == "etc_passwd"
    assert secure_filename("i contain cool \xfcml\xe4uts.txt") == "i_contain_cool_umlauts.txt"
    assert secure_filename("..") == ""


def test_a_file_over_the_configured_size_is_refused(app):
    app.config["UPLOAD_FOLDER"] = "/tmp"
    app.config["MAX_CONTENT_LENGTH"] = 100
    app.add_url_rule("/", "up", lambda: request.files["f"].filename, methods=["POST"])
    answer = app.test_client().post("/", data={"f": (io.BytesIO(b"x" * 200), "big.txt")})
    assert answer.status_code == 413


COOKIES = """
    from flask import make_response
    @app.route('/')
    def index():
        resp = make_response(render_template('index.html'))
        resp.set_cookie('username', 'the username')
        return resp
"""


def test_cookies_are_stored_read_and_deleted(app):
    run(COOKIES, app=app, render_template=render_template)

    @app.route("/read")
    def read():
        return request.cookies.get("username", "none")

    @app.route("/set-for-a-minute")
    def set_for_a_minute():
        response = make_response("")
        response.set_cookie("username", "short", max_age=60)
        return response

    @app.route("/delete")
    def delete():
        response = make_response("")
        response.delete_cookie("username")
        return response

    client = app.test_client()
    client.get("/")
    assert client.get("/read").text == "the username"
    assert "Max-Age=60" in client.get("/set-for-a-minute").headers["Set-Cookie"]
    client.get("/delete")
    assert client.get("/read").text == "none"


def test_a_cookie_where_no_response_exists_yet(app):
    @app.before_request
    def detect_language():
        @after_this_request
        def remember(response):
            response.set_cookie("lang", "en")
            return response

    app.add_url_rule("/", "index", lambda: "ok")
    assert "lang=en" in app.test_client().get("/").headers["Set-Cookie"]


def test_session_variables_are_set_read_and_released(app):
    @app.route("/set")
    def set_it():
        session["username"] = "ada"
        return "set"

    app.add_url_rule("/get", "get", lambda: session.get("username", "nobody"))
    app.add_url_rule("/pop", "pop", lambda: session.pop("username", None) or "nobody")
    client = app.test_client()
    client.get("/set")
    assert client.get("/get").text == "ada"
    assert client.get("/pop").text == "ada"
    assert client.get("/get").text == "nobody"


def test_a_session_without_a_secret_key_says_so(app):
    app.secret_key = None

    @app.route("/")
    def index():
        session["a"] = 1
        return ""

    with pytest.raises(RuntimeError, match="secret key"):
        app.test_client().get("/")


def test_the_command_that_makes_a_secret_key():
    out = subprocess.run(
        [sys.executable, "-c", "import os; print(os.urandom(16))"], capture_output=True, text=True, check=True
    ).stdout
    assert out.startswith(("b'", 'b"'))


def test_redirect_and_abort(app):
    @app.route("/")
    def index():
        return redirect(url_for("login"))

    @app.route("/login")
    def login():
        abort(401)

    client = app.test_client()
    answer = client.get("/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login")
    assert client.get("/login").status_code == 401


def test_the_application_can_redirect_and_abort_too(app):
    with app.test_request_context():
        assert app.redirect("/x", 301).status_code == 301
        with pytest.raises(flask.Flask.aborter_class().mapping[403]):
            app.aborter(403)


def test_a_page_for_404(app):
    @app.errorhandler(404)
    def page_not_found(error):
        return render_template("404.html"), 404

    answer = app.test_client().get("/nowhere")
    assert (answer.status_code, answer.text.strip()) == (404, "<h1>There is nothing here</h1>")


def test_what_views_return_becomes_a_response(app):
    app.add_url_rule("/str", "str", lambda: "text")
    app.add_url_rule("/dict", "dict", lambda: {"a": 1})
    app.add_url_rule("/status", "status", lambda: ("created", 201))
    app.add_url_rule("/headers", "headers", lambda: ("x", {"X-A": "b"}))
    app.add_url_rule("/all", "all", lambda: ("x", 202, [("X-A", "b")]))
    app.add_url_rule("/response", "response", lambda: make_response("made"))

    def wsgi(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"from WSGI"]

    app.add_url_rule("/wsgi", "wsgi", lambda: wsgi)
    client = app.test_client()
    assert (client.get("/str").text, client.get("/str").content_type) == ("text", "text/html; charset=utf-8")
    assert (client.get("/dict").json, client.get("/dict").content_type) == ({"a": 1}, "application/json")
    assert client.get("/status").status_code == 201
    assert client.get("/headers").headers["X-A"] == "b"
    assert (client.get("/all").status_code, client.get("/all").headers["X-A"]) == (202, "b")
    assert client.get("/response").text == "made"
    assert client.get("/wsgi").text == "from WSGI"


def test_flashed_messages_are_there_on_the_next_request_and_only_then(app):
    @app.route("/flash")
    def flash_it():
        flash("You were logged in", "info")
        flash("Careful", "error")
        return ""

    app.add_url_rule(
        "/all", "all", lambda: jsonify(get_flashed_messages(with_categories=True, category_filter=["info"]))
    )
    client = app.test_client()
    client.get("/flash")
    assert client.get("/all").json == [["info", "You were logged in"]]
    assert client.get("/all").json == []


def test_middleware_is_put_around_wsgi_app(app):
    from werkzeug.middleware.proxy_fix import ProxyFix

    app.wsgi_app = ProxyFix(app.wsgi_app)
    app.add_url_rule("/", "ip", lambda: request.remote_addr)
    assert app.test_client().get("/", headers={"X-Forwarded-For": "203.0.113.9"}).text == "203.0.113.9"


def test_a_request_is_bound_for_a_unit_test(app):
    with app.test_request_context("/hello", method="POST"):
        assert request.path == "/hello"
        assert request.method == "POST"


def test_the_attributes_of_the_request_that_the_notes_name(app):
    with app.test_request_context("/nowhere?a=1", method="PUT", data=b"raw", headers={"Cookie": "c=d"}):
        assert request.data == b"raw"
        assert request.args.to_dict() == {"a": "1"}
        assert request.cookies.to_dict() == {"c": "d"}
        assert request.environ["REQUEST_METHOD"] == "PUT"
        assert request.routing_exception.code == 404
        assert not request.files
        assert not hasattr(request, "module")  # gone since Flask 0.7: `request.blueprint` is what it became
        assert request.blueprint is None
        assert not hasattr(request, "cookie")  # a slip in a note: `request.cookies`


def flask_routes(folder, **variables):
    """Run ``flask routes`` in a folder."""
    command = [sys.executable, "-m", "flask", "routes"]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )


def test_the_commands_that_start_the_server(tmp_path):
    (tmp_path / "hello.py").write_text("from flask import Flask\napp = Flask(__name__)\n" + textwrap.dedent(ROUTING))
    out = flask_routes(tmp_path, FLASK_APP="hello", FLASK_DEBUG="1")
    assert out.returncode == 0, out.stderr
    assert "/hello" in out.stdout


def test_a_wrong_import_name_is_an_import_error_that_names_it(tmp_path):
    out = flask_routes(tmp_path, FLASK_APP="helo")
    assert out.returncode != 0
    assert "helo" in out.stderr
