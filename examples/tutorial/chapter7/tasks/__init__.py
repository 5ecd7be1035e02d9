"""The task list of a small team."""

import os
from typing import Annotated

from costrel import (
    Bearer,
    Checked,
    Costrel,
    Form,
    OpenAPI,
    Response,
    SessionCookie,
    Unauthorized,
    abort,
    redirect,
    render_template,
    url_for,
)

from .accounts import accounts, find_user, load_user
from .api import api
from .database import Database, NewTask, Number, User, open_database, opened
from .files import files
from .live import live

app = Costrel(__name__, typed=True, security=["session"])
app.config["DATABASE"] = os.path.join(app.instance_path, "tasks.sqlite")
app.config["UPLOADS"] = os.path.join(app.instance_path, "uploads")
app.config["MAX_CONTENT_LENGTH"] = 5 * 1024 * 1024
app.config["LIVE_SECONDS"] = 1.0
app.config.from_prefixed_env("TASKS")
app.provide(open_database)
app.auth_schemes["session"] = SessionCookie(load=load_user)
app.auth_schemes["bearer"] = Bearer(verify=find_user)
app.openapi = OpenAPI(title="Tasks", docs="/docs")
app.register_blueprint(accounts)
app.register_blueprint(api)
app.register_blueprint(files)
app.register_blueprint(live)


@app.cli.command("upgrade-db")
def upgrade_db() -> None:
    """Create the tables, or bring them up to date."""
    with opened() as database:
        database.upgrade()
    print("The database is up to date.")


@app.errorhandler(401)
def ask_to_sign_in(error: Unauthorized) -> Response:
    """Lead visitors without a session to the form."""
    return redirect(url_for("accounts.show_sign_in"), 303)


@app.get("/")
def index(database: Database) -> str:
    """Show all tasks, and an empty form."""
    return page(database, Checked.blank(NewTask))


@app.post("/")
def add(
    database: Database, user: User, form: Annotated[Checked[NewTask], Form()]
) -> Response | tuple[str, int]:
    """Add a task, or show the form again with its errors."""
    new = form.value
    if new is None:
        return page(database, form), 422
    database.add_task(new, user)
    return redirect(url_for("index"), 303)


def page(database: Database, form: Checked[NewTask]) -> str:
    """Make the first page. It names the latest event, so that it misses none of those after it."""
    last = database.last_event()
    return render_template("index.html", tasks=database.tasks(), last=last, form=form)


@app.get("/tasks/<int:number>")
def show(database: Database, number: Number) -> str:
    """Show one task."""
    task = database.task(number)
    if task is None:
        abort(404, f"There is no task {number}.")
    return render_template("task.html", task=task, attachments=database.attachments(number))


@app.post("/tasks/<int:number>/done")
def finish(
    database: Database, user: User, number: Number, done: Annotated[bool, Form()] = False
) -> Response:
    """Mark a task as done, or as open again."""
    if not database.finish_task(number, done, user):
        abort(404, f"There is no task {number}.")
    return redirect(url_for("index"), 303)
