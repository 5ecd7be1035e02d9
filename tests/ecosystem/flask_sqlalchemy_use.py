"""Flask-SQLAlchemy on a sqlite database: models, a session for each request, pages of results, `get_or_404`."""

import pytest
from flask import Flask, abort, jsonify, request
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.record_queries import get_recorded_queries
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


@pytest.fixture
def db(tmp_path):
    class Base(DeclarativeBase):
        pass

    app = Flask(__name__, instance_path=str(tmp_path))
    app.config.update(TESTING=True, SQLALCHEMY_DATABASE_URI="sqlite:///books.db", SQLALCHEMY_RECORD_QUERIES=True)
    db = SQLAlchemy(app, model_class=Base)
    db.app = app

    class Book(db.Model):
        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str] = mapped_column(unique=True)

    db.Book = Book

    @app.post("/books")
    def add():
        book = Book(title=request.form["title"])
        db.session.add(book)
        db.session.flush()
        if book.title == "forbidden":
            abort(409)
        db.session.commit()
        return jsonify(id=book.id, queries=len(get_recorded_queries())), 201

    @app.get("/books/<int:book_id>")
    def show(book_id):
        book = db.get_or_404(Book, book_id, description=f"no book {book_id}")
        return {"title": book.title}

    @app.get("/books")
    def list_books():
        page = db.paginate(db.select(Book).order_by(Book.title))
        return {"titles": [book.title for book in page], "pages": page.pages, "total": page.total}

    with app.app_context():
        db.create_all()
    yield db
    with app.app_context():
        db.drop_all()
        db.engine.dispose()


def test_rows_are_written_in_one_request_and_read_in_the_next(db, tmp_path):
    client = db.app.test_client()

    added = client.post("/books", data={"title": "Dune"})

    assert (201, {"id": 1, "queries": 2}) == (added.status_code, added.json)
    assert {"title": "Dune"} == client.get("/books/1").json
    assert (tmp_path / "books.db").exists()


def test_a_row_that_is_missing_is_404(db):
    answer = db.app.test_client().get("/books/7")

    assert 404 == answer.status_code
    assert "no book 7" in answer.text


def test_the_end_of_the_request_rolls_back_what_was_not_committed(db):
    client = db.app.test_client()

    assert 409 == client.post("/books", data={"title": "forbidden"}).status_code

    assert {"titles": [], "pages": 0, "total": 0} == client.get("/books").json


def test_pages_come_from_the_query_string(db):
    client = db.app.test_client()
    for title in ("C", "A", "B"):
        client.post("/books", data={"title": title})

    assert {"titles": ["C"], "pages": 2, "total": 3} == client.get("/books?page=2&per_page=2").json
    assert 404 == client.get("/books?page=3&per_page=2").status_code


def test_the_session_belongs_to_its_context(db):
    with db.app.app_context():
        outer = db.session()
        with db.app.app_context():
            assert db.session() is not outer
        assert db.session() is outer

    with pytest.raises(RuntimeError, match="outside of application context"):
        db.session()


def test_a_request_inside_a_context_shares_its_session(db):
    with db.app.app_context():
        book = db.Book(title="Dune")
        db.session.add(book)
        db.session.flush()

        assert {"title": "Dune"} == db.app.test_client().get("/books/1").json

        assert book in db.session
