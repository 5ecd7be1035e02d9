"""Signing up, in and out. Views that need an account are decorated with `signed_in`."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from costrel import (
    Blueprint,
    Response,
    check_password_hash,
    flash,
    g,
    generate_password_hash,
    redirect,
    render_template,
    request,
    safe_next,
    session,
    url_for,
)

from . import database

P = ParamSpec("P")
R = TypeVar("R")

blueprint = Blueprint("accounts", __name__)
SHORTEST_PASSWORD = 8
NO_ACCOUNT = generate_password_hash("for the time it takes to check")


@blueprint.before_app_request
def load_user() -> None:
    """Load the user: ``g.user`` is a row, or None."""
    user_id = session.get("user_id")
    g.user = None if user_id is None else user_by("id", user_id)


def user_by(column: str, value: object) -> sqlite3.Row | None:
    """The user whose `column` has `value`."""
    query = {"id": "SELECT * FROM user WHERE id = ?", "name": "SELECT * FROM user WHERE name = ?"}[column]
    row: sqlite3.Row | None = database.get().execute(query, (value,)).fetchone()
    return row


def signed_in(view: Callable[P, R]) -> Callable[P, R | Response]:
    """Redirect visitors who are not signed in to the form, and back afterwards."""

    @functools.wraps(view)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R | Response:
        if g.user is None:
            flash("Please sign in first.", "info")
            return redirect(url_for("accounts.sign_in", next=request.path))
        return view(*args, **kwargs)

    return checked


@blueprint.route("/sign-up", methods=["GET", "POST"])
def sign_up() -> str | Response | tuple[str, int]:
    """Create an account."""
    if request.method == "GET":
        return render_template("account.html", new=True, shortest=SHORTEST_PASSWORD)
    name, password = request.form["name"].strip(), request.form["password"]
    wrong, problem = check_account(name, password)
    if not problem:
        try:
            with database.get() as connection:
                row = connection.execute(
                    "INSERT INTO user (name, password) VALUES (?, ?)", (name, generate_password_hash(password))
                )
            return enter(row.lastrowid, f"Welcome, {name}!")
        except sqlite3.IntegrityError:
            wrong, problem = "name", f"The name {name} is taken. Try another one."
    flash(problem, "error")
    return render_template("account.html", new=True, name=name, wrong=wrong, shortest=SHORTEST_PASSWORD), 400


def check_account(name: str, password: str) -> tuple[str, str]:
    """The invalid field of a new account and the reason, or two empty strings."""
    if not name or len(name) > 30:
        return "name", "Choose a name of 1 to 30 characters."
    if not name.isprintable():
        return "name", "Use only letters, digits, spaces and punctuation."
    if len(password) < SHORTEST_PASSWORD:
        return "password", f"Choose a password of {SHORTEST_PASSWORD} characters or more."
    return "", ""


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> str | Response | tuple[str, int]:
    """Check name and password. An unknown name takes as long as a wrong password."""
    if request.method == "GET":
        return render_template("account.html", new=False)
    name = request.form["name"].strip()
    user = user_by("name", name)
    stored = user["password"] if user is not None and user["password"] else NO_ACCOUNT
    if check_password_hash(stored, request.form["password"]) and user is not None and user["password"]:
        return enter(user["id"], f"Welcome back, {user['name']}!")
    flash("The name or the password is wrong.", "error")
    return render_template("account.html", new=False, name=name), 400


def enter(user_id: int | None, greeting: str) -> Response:
    """Begin a new session for a user, and redirect to the page that they requested."""
    session.clear()
    session["user_id"] = user_id
    flash(greeting, "success")
    return redirect(safe_next(request.args.get("next"), url_for("pictures.index")))


@blueprint.post("/sign-out")
def sign_out() -> Response:
    """End the session."""
    session.clear()
    return redirect(url_for("pictures.index"))
