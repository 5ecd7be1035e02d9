"""`costrel check`: views that change data on GET, forms that send secrets by GET, and ignored findings."""

import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from costrel import Costrel, redirect, render_template, request, url_for
from costrel.audit import audit
from costrel.cli import FlaskGroup
from costrel.views import MethodView, View

KEY = "0123456789abcdef" * 2
db = sqlite3.connect(":memory:", check_same_thread=False)
store = shop = form = service = None


def make(tmp_path=None, **settings):
    app = Costrel("shop", static_folder=None, root_path=None if tmp_path is None else str(tmp_path))
    app.config.from_mapping({"SECRET_KEY": KEY, "TRUSTED_HOSTS": ["example.org"], **settings})
    return app


def found(app):
    return [(finding.place, finding.problem.partition(")")[0].partition("(")[2]) for finding in audit(app)]


def commits(id):
    shop.session.delete(id)
    shop.session.commit()
    return redirect(url_for("index"))


def executes(id):
    db.execute("delete from bottles where id = ?", [id])
    return "done"


def executes_text(id):
    db.execute(store.text(f"UPDATE bottles SET sold = {id}"))
    return "done"


def removes_file(id):
    os.remove(f"/uploads/{id}")
    return "done"


def removes_folder(id):
    shutil.rmtree(f"/uploads/{id}")
    return "done"


def unlinks(id):
    path = Path("/uploads") / id
    path.unlink()
    return "done"


def delete_bottle(id):
    service.delete(id)
    return redirect("/")


def logs_in_and_commits(id):
    if request.method == "POST":
        shop.session.commit()
    return "form"


def validates(id):
    if form.validate_on_submit():
        shop.session.commit()
    return "form"


def reads(id):
    return str(db.execute("SELECT * FROM bottles").fetchall())


def shows(id):
    return render_template("bottle.html", id=id, deleted=False)


def cache_only(id):
    store.delete(id)
    return "fine"


@pytest.mark.parametrize(
    ("view", "evidence"),
    [
        (commits, "it calls shop.session.commit"),
        (executes, "it calls db.execute"),
        (executes_text, "it calls db.execute"),
        (removes_file, "it calls os.remove"),
        (removes_folder, "it calls shutil.rmtree"),
        (unlinks, "it calls path.unlink"),
        (delete_bottle, "by its name and by service.delete"),
    ],
)
def test_a_view_that_changes_something_on_get(view, evidence):
    app = make()
    app.add_url_rule("/bottles/<id>", "bottle", view)
    if view is delete_bottle:
        assert [] == found(app)
        app = make()
        app.add_url_rule("/bottles/<id>/delete", "bottle", view)
    (finding,) = audit(app)
    assert finding.place == "bottle"
    assert evidence in finding.problem
    assert "If it changes nothing, list 'bottle' in CHECK_IGNORE." in finding.remedy


@pytest.mark.parametrize("view", [reads, shows, cache_only])
def test_a_view_that_does_not(view):
    app = make()
    app.add_url_rule("/bottles/<id>", "bottle", view)
    assert [] == found(app)


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [("/delete/<id>", "ask"), ("/delete/<id>", "b"), ("/remove/<id>/confirm", "x"), ("/removed/<id>", "old")],
)
def test_nor_does_one_that_shows_or_asks(path, endpoint):
    app = make()
    app.add_url_rule(path, endpoint, shows if endpoint != "x" else delete_bottle)
    assert [] == found(app)


@pytest.mark.parametrize("view", [logs_in_and_commits, validates])
def test_one_that_tells_its_methods_apart_is_believed(view):
    app = make()
    app.add_url_rule("/bottles/<id>", "bottle", view, methods=["GET", "POST"])
    assert [] == found(app)


def test_one_that_does_not_is_not():
    app = make()
    app.add_url_rule("/bottles/<id>", "bottle", commits, methods=["GET", "POST"])
    assert [("bottle", "it calls shop.session.commit(")] == found(app)


def test_only_post_is_fine():
    app = make()
    app.add_url_rule("/bottles/<id>/delete", "bottle", commits, methods=["POST"])
    assert [] == found(app)


def test_a_page_that_asks_beside_the_one_that_does():
    app = make()
    app.add_url_rule("/bottles/<id>/delete", "page", delete_bottle)
    app.add_url_rule("/bottles/<id>/delete", "done", commits, methods=["POST"])
    assert [] == found(app)


def test_class_based_views():
    class Bottles(MethodView):
        def get(self):
            return "bottles"

        def post(self):
            shop.session.commit()
            return "sold"

    class Sale(View):
        def dispatch_request(self):
            shop.session.commit()
            return "sold"

    app = make()
    app.add_url_rule("/bottles", view_func=Bottles.as_view("bottles"))
    app.add_url_rule("/sale", view_func=Sale.as_view("sale"))
    assert [("sale", "it calls shop.session.commit(")] == found(app)


def test_views_without_a_source_are_passed_over():
    app = make()
    names = {}
    exec("def delete(id):\n    shop.session.commit()\n", names)
    app.add_url_rule("/a/<id>", "a", names["delete"])
    app.add_url_rule("/b/<id>", "b", len)
    app.add_url_rule("/c/<id>", "c", lambda id: shop.session.commit())
    app.add_url_rule("/d/<id>", "d")
    app.add_url_rule("/delete/<id>", "e", pytest.fail)  # of a package that is installed
    assert {"c"} >= {place for place, _ in found(app)}


def test_what_is_listed_is_left_out():
    app = make(CHECK_IGNORE=["bottle", "TRUSTED_HOSTS"], TRUSTED_HOSTS=None)
    app.add_url_rule("/bottles/<id>", "bottle", commits)
    assert [] == audit(app)
    app.config["CHECK_IGNORE"] = "bottle"
    assert ["TRUSTED_HOSTS"] == [finding.place for finding in audit(app)]


def write(tmp_path, **pages):
    (tmp_path / "templates").mkdir()
    for name, text in pages.items():
        (tmp_path / "templates" / f"{name}.html").write_text(text)


def test_it_tells_which_templates_lead_there(tmp_path):
    write(
        tmp_path,
        links="<a href=\"{{ url_for('bottle', id=1) }}\">delete</a>",
        form="<form action=\"{{ url_for('bottle', id=1) }}\"><button>Delete</button></form>",
        other="<a href=\"{{ url_for('bottles') }}\">all</a>",
    )
    app = make(tmp_path)
    app.add_url_rule("/bottles/<id>", "bottle", commits)
    (finding,) = audit(app)
    assert ", and form.html, links.html lead to it." in finding.problem


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ('<form>\n<input type="password" name="p"></form>', 'type="password'),
        ("<form method=get><input name=p type=password>", "type=password"),
        ('<FORM METHOD="GET" action="/x">{{ form.hidden_tag() }}</FORM>', "hidden_tag("),
        ("<form action='/x'>{{ csrf_token() }}</form>", "csrf_token"),
        ('<form method="post"><input type=password></form>', None),
        ("<form method='{{ how }}'><input type=password></form>", None),
        ('<form role="search"><input name="q"></form><input type=password>', None),
        ("<p>type=password</p>", None),
    ],
)
def test_a_form_that_sends_a_secret_in_the_url(tmp_path, text, secret):
    write(tmp_path, page=f"<html>\n{text}")
    findings = audit(make(tmp_path))
    if secret is None:
        assert [] == findings
    else:
        assert [f"the form in line 2 sends a secret ({secret}) by GET, in the URL."] == [
            finding.problem for finding in findings
        ]


def shadowed(app):
    app.add_url_rule("/<name>", "page", shows)
    app.add_url_rule("/<other>", "never", shows)


def unescaped(app):
    write(Path(app.root_path), page="{% autoescape false %}{% endautoescape %}")


def in_the_repository(app):
    (Path(app.root_path) / "settings.py").write_text(f"SECRET_KEY = {KEY!r}\n")
    for command in (["init", "-q"], ["add", "settings.py"]):
        subprocess.run(["git", *command], cwd=app.root_path, check=True)


ITEMS = {
    "routes that shadow each other": (shadowed, "/<other>: GET never reaches 'never'"),
    "a view that no request can call": (
        lambda app: app.add_url_rule("/y/<id>", "open", lambda number: ""),
        "/y/<id>: The view <lambda>() of the rule '/y/<id>' has the parameter 'number', but the variable",
    ),
    "escaping switched off": (unescaped, "page.html: it turns escaping off."),
    "debug left on": (lambda app: app.config.update(DEBUG=True), "DEBUG: debug mode is on"),
    "a short key": (lambda app: app.config.update(SECRET_KEY="k" * 31), "SECRET_KEY: it has 31 bytes"),
    "a key in the repository": (in_the_repository, "SECRET_KEY: it is in settings.py, which Git tracks."),
    "a key that is well known": (
        lambda app: app.config.update(SECRET_KEY="changeme"),
        "SECRET_KEY: it is a well-known value",
    ),
    "a change on GET": (lambda app: app.add_url_rule("/x/<id>", "sell", commits), "sell: GET /x/<id> seems to change"),
    "a misspelt setting": (lambda app: app.config.update(SECRECT_KEY=KEY), "Did you mean SECRET_KEY?"),
}


@pytest.mark.parametrize("item", ITEMS)
def test_before_a_deployment_each_of_these_is_a_failure(item, invoke, tmp_path):
    break_it, told = ITEMS[item]
    app = make(tmp_path)
    group = FlaskGroup(create_app=lambda: app)
    before = invoke(group, "check", "--deploy")
    assert (0, "No weaknesses found.\n") == (before.exit_code, before.output)
    break_it(app)
    result = invoke(group, "check", "--deploy")
    assert 1 == result.exit_code
    assert told in result.output
    assert 0 == invoke(group, "check").exit_code
