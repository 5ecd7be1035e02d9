"""The pages of the list and of each task."""

from typing import Annotated

from costrel import (
    Blueprint,
    Checked,
    Form,
    Response,
    Unauthorized,
    abort,
    redirect,
    render_template,
    url_for,
)

from .database import Database, NewTask, Number, User

pages = Blueprint("pages", __name__)


@pages.app_errorhandler(401)
def ask_to_sign_in(error: Unauthorized) -> Response:
    """Lead visitors without a session to the form."""
    return redirect(url_for("accounts.show_sign_in"), 303)


@pages.get("/")
def index(database: Database) -> str:
    """Show all tasks, and an empty form."""
    return page(database, Checked.blank(NewTask))


@pages.post("/")
def add(
    database: Database, user: User, form: Annotated[Checked[NewTask], Form()]
) -> Response | tuple[str, int]:
    """Add a task, or show the form again with its errors."""
    new = form.value
    if new is None:
        return page(database, form), 422
    database.add_task(new, user)
    return redirect(url_for("pages.index"), 303)


def page(database: Database, form: Checked[NewTask]) -> str:
    """Make the first page. It names the latest event, so that it misses none of those after it."""
    last = database.last_event()
    return render_template("index.html", tasks=database.tasks(), last=last, form=form)


@pages.get("/tasks/<int:number>")
def show(database: Database, number: Number) -> str:
    """Show one task."""
    task = database.task(number)
    if task is None:
        abort(404, f"There is no task {number}.")
    return render_template("task.html", task=task, attachments=database.attachments(number))


@pages.post("/tasks/<int:number>/done")
def finish(
    database: Database, user: User, number: Number, done: Annotated[bool, Form()] = False
) -> Response:
    """Mark a task as done, or as open again."""
    if not database.finish_task(number, done, user):
        abort(404, f"There is no task {number}.")
    return redirect(url_for("pages.index"), 303)
