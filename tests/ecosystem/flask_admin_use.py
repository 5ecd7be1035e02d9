"""Flask-Admin: the pages of a SQLAlchemy model, its form, its export, and a view with restricted access."""

import pytest
from flask import Flask, abort, redirect, request, url_for
from flask_admin import Admin, AdminIndexView, BaseView, expose
from flask_admin.contrib.sqla import ModelView
from flask_babel import Babel
from flask_sqlalchemy import SQLAlchemy
from wtforms.validators import Length


@pytest.fixture
def app(tmp_path):
    app = Flask(__name__)
    app.config.update(TESTING=True, SECRET_KEY="a key for tests", SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path}/a.db")
    Babel(app)  # Flask-Admin asks for it where it is installed
    db = SQLAlchemy(app)

    class Book(db.Model):
        id = db.Column(db.Integer, primary_key=True)
        title = db.Column(db.String(80), nullable=False)
        pages = db.Column(db.Integer)

    class Books(ModelView):
        column_searchable_list = ["title"]
        column_filters = ["pages"]
        column_editable_list = ["pages"]
        can_export = True
        form_args = {"title": {"validators": [Length(min=2)]}}

    class Index(AdminIndexView):
        def is_accessible(self):
            return request.args.get("key") != "wrong"

        def inaccessible_callback(self, name, **kwargs):
            return redirect("/login")

    class Figures(BaseView):
        @expose("/")
        def index(self):
            return self.render("figures.html", where=url_for(".index"))

        @expose("/raw", methods=["POST"])
        def raw(self):
            return abort(418)

    app.jinja_loader.searchpath.append(str(tmp_path))
    (tmp_path / "figures.html").write_text(
        "{% extends 'admin/master.html' %}{% block body %}figures at {{ where }}{% endblock %}"
    )
    admin = Admin(app, name="Library", index_view=Index())
    admin.add_view(Books(Book, db, endpoint="books", url="books"))
    admin.add_view(Figures("Figures", endpoint="figures", category="More"))
    with app.app_context():
        db.create_all()
        db.session.add_all([Book(title="Dune", pages=412), Book(title="Emma", pages=160)])
        db.session.commit()
    yield app
    with app.app_context():
        db.engine.dispose()


def test_the_list(app):
    page = app.test_client().get("/admin/books/").text

    assert "Dune" in page
    assert "Emma" in page
    assert "Library" in page


def test_search_sort_and_filter(app):
    client = app.test_client()

    assert "Dune" not in client.get("/admin/books/?search=emma").text
    assert "Emma" not in client.get("/admin/books/?flt0_2=400").text
    page = client.get("/admin/books/?sort=2&desc=1").text
    assert page.index("Dune") < page.index("Emma")


def test_create_edit_and_delete(app):
    client = app.test_client()

    assert 'name="title"' in client.get("/admin/books/new/").text
    created = client.post("/admin/books/new/", data={"title": "Ulysses", "pages": "730"})
    assert (302, "/admin/books/") == (created.status_code, created.location)
    page = client.get("/admin/books/").text
    assert "Ulysses" in page
    assert "Record was successfully created." in page
    client.post("/admin/books/edit/?id=3", data={"title": "Finnegans Wake", "pages": "628"})
    assert "Finnegans Wake" in client.get("/admin/books/").text
    client.post("/admin/books/delete/", data={"id": "3"})
    assert "Finnegans Wake" not in client.get("/admin/books/").text


def test_a_form_that_is_wrong_comes_back(app):
    page = app.test_client().post("/admin/books/new/", data={"title": "U", "pages": "x"})

    assert 200 == page.status_code
    assert "Field must be at least 2 characters long." in page.text
    assert "Not a valid integer value." in page.text


def test_one_field_at_a_time_and_an_action_for_several(app):
    client = app.test_client()

    assert (
        "Record was successfully saved."
        == client.post("/admin/books/ajax/update/", data={"list_form_pk": "1", "pages": "500"}).text
    )
    client.post("/admin/books/action/", data={"action": "delete", "rowid": ["1", "2"]})

    assert "There are no items in the table." in client.get("/admin/books/").text


def test_the_export_is_streamed(app):
    answer = app.test_client().get("/admin/books/export/csv/")

    assert "text/csv" == answer.mimetype
    assert "Title,Pages\r\nDune,412\r\nEmma,160\r\n" == answer.text


def test_views_of_its_own_and_static_files(app):
    client = app.test_client()

    assert "figures at /admin/figures/" in client.get("/admin/figures/").text
    assert 418 == client.post("/admin/figures/raw").status_code
    assert "/login" == client.get("/admin/?key=wrong").location
    with client.get("/admin/static/admin/js/form.js") as script:
        assert 200 == script.status_code
