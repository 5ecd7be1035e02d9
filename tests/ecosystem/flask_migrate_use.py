"""Flask-Migrate through its commands: init, migrate, upgrade and downgrade of a sqlite database."""

import pytest
from flask import Flask
from flask_migrate import Migrate, current, downgrade, upgrade
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import inspect

APP = """
from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()


class Book(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    title = db.Column(db.String(80))


def create_app():
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///" + app.root_path + "/books.db"
    db.init_app(app)
    Migrate(app, db, directory=app.root_path + "/migrations")
    return app
"""


# The env.py of Flask-Migrate 4.1's template calls what Flask-SQLAlchemy 3.1 has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:'get_engine' is deprecated:DeprecationWarning")


@pytest.fixture
def app(tmp_path):
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{tmp_path}/books.db"
    app.db = db = SQLAlchemy(app)
    Migrate(app, db, directory=str(tmp_path / "migrations"))

    class Book(db.Model):
        id = db.Column(db.Integer, primary_key=True)
        title = db.Column(db.String(80))

    yield app
    with app.app_context():
        db.engine.dispose()


def tables(app):
    with app.app_context():
        return sorted(inspect(app.db.engine).get_table_names())


def run(app, *command):
    done = app.test_cli_runner().invoke(args=["db", *command])
    assert 0 == done.exit_code, (done.output, done.exception)
    return done.output


def test_up_and_down_through_the_commands(app, tmp_path):
    run(app, "init")
    run(app, "migrate", "-m", "books")
    (script,) = (tmp_path / "migrations" / "versions").glob("*_books.py")
    assert "op.create_table('book'" in script.read_text()

    run(app, "upgrade")
    assert ["alembic_version", "book"] == tables(app)

    run(app, "downgrade")
    assert ["alembic_version"] == tables(app)


def test_up_and_down_through_the_functions(app):
    run(app, "init")
    run(app, "migrate")

    with app.app_context():
        upgrade()
        current()
    assert ["alembic_version", "book"] == tables(app)
    with app.app_context():
        downgrade()
    assert ["alembic_version"] == tables(app)


def test_the_flask_command_of_a_process_of_its_own(tmp_path):
    import sqlite3
    import subprocess
    import sys
    from contextlib import closing

    (tmp_path / "library.py").write_text(APP)

    for command in (["init"], ["migrate"], ["upgrade"]):
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "library", "db", *command],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert 0 == done.returncode, done.stderr

    with closing(sqlite3.connect(tmp_path / "books.db")) as database:
        rows = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
    assert [("alembic_version",), ("book",)] == rows
