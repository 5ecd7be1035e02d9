"""Users: their command, and signing in and out."""

import hashlib
import os
import secrets
import sqlite3
from typing import Annotated

import click
from costrel import (
    Blueprint,
    Checked,
    Form,
    Response,
    check_password_hash,
    current_principal,
    generate_password_hash,
    login_user,
    logout_user,
    redirect,
    render_template,
    url_for,
)
from msgspec import Meta, Struct

from .database import Database, User, opened

accounts = Blueprint("accounts", __name__, cli_group=None)
NO_PASSWORD = generate_password_hash(os.urandom(16).hex())


class Credentials(Struct):
    """The form for signing in."""

    name: Annotated[str, Meta(min_length=1, max_length=50)]
    password: Annotated[str, Meta(min_length=1, max_length=200)]


def load_user(user_id: int) -> User | None:
    """Return the user of a session."""
    with opened() as database:
        return database.user(user_id)


def find_user(token: str) -> User | None:
    """Return the user of a program's token."""
    with opened() as database:
        return database.user_by_token(hash_of(token))


def hash_of(token: str) -> str:
    """Return the hash of a token. Only hashes are stored: a copy of the database has no tokens."""
    return hashlib.sha256(token.encode()).hexdigest()


@accounts.app_context_processor
def add_user_to_templates() -> dict[str, User | None]:
    """Templates know who is signed in."""
    return {"user": current_principal(User)}


@accounts.get("/sign-in", security=[])
def show_sign_in() -> str:
    """Show the form."""
    return render_template("sign-in.html", form=Checked.blank(Credentials))


@accounts.post("/sign-in", security=[])
def sign_in(
    database: Database, form: Annotated[Checked[Credentials], Form()]
) -> Response | tuple[str, int]:
    """Sign in, or show the form again."""
    sent = form.value
    if sent is not None:
        user = database.user_by_name(sent.name)
        # For an unknown name too, so that the time of the response does not tell which names exist.
        fits = check_password_hash(user.password_hash if user else NO_PASSWORD, sent.password)
        if user is not None and fits:
            login_user(user)
            return redirect(url_for("index"), 303)
        form.add_error("", "The name or the password is wrong.")
    return render_template("sign-in.html", form=form), 422


@accounts.post("/sign-out")
def sign_out() -> Response:
    """End the session."""
    logout_user()
    return redirect(url_for("accounts.show_sign_in"), 303)


@accounts.cli.command("add-user")
@click.argument("name")
@click.password_option()
def add_user(name: str, password: str) -> None:
    """Add a user of that name."""
    try:
        with opened() as database:
            database.add_user(name, generate_password_hash(password))
    except sqlite3.IntegrityError:
        raise click.ClickException(f"There is a user {name} already.") from None


@accounts.cli.command("add-token")
@click.argument("name")
def add_token(name: str) -> None:
    """Print a new token, with which programs act for the user of that name."""
    token = secrets.token_urlsafe(32)
    with opened() as database:
        user = database.user_by_name(name)
        if user is None:
            raise click.ClickException(f"There is no user {name}.")
        database.add_token(hash_of(token), user)
    click.echo(token)
