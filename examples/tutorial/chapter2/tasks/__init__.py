"""The task list of a small team."""

import itertools
from datetime import date
from typing import Annotated

from costrel import Checked, Costrel, Form, Response, abort, redirect, render_template, url_for
from msgspec import Meta, Struct

app = Costrel(__name__, typed=True)


class NewTask(Struct):
    """A task as it comes from the form."""

    text: Annotated[str, Meta(min_length=1, max_length=200, title="Task")]
    due: Annotated[date | None, Meta(title="Due")] = None


class Task(Struct):
    """A task of the list."""

    id: int
    text: str
    due: date | None
    done: bool = False


TASKS: dict[int, Task] = {}
NUMBERS = itertools.count(1)


@app.get("/")
def index() -> str:
    """Show all tasks, and an empty form."""
    return render_template("index.html", tasks=TASKS.values(), form=Checked.blank(NewTask))


@app.post("/")
def add(form: Annotated[Checked[NewTask], Form()]) -> Response | tuple[str, int]:
    """Add a task, or show the form again with its errors."""
    new = form.value
    if new is not None and not new.text.strip():
        form.add_error("text", "Please write some words.")
    if new is None or not form:
        return render_template("index.html", tasks=TASKS.values(), form=form), 422
    task = Task(next(NUMBERS), new.text.strip(), new.due)
    TASKS[task.id] = task
    return redirect(url_for("index"), 303)


@app.get("/tasks/<int:number>")
def show(number: int) -> str:
    """Show one task."""
    return render_template("task.html", task=find(number))


@app.post("/tasks/<int:number>/done")
def finish(number: int, done: Annotated[bool, Form()] = False) -> Response:
    """Mark a task as done, or as open again."""
    find(number).done = done
    return redirect(url_for("index"), 303)


def find(number: int) -> Task:
    """Return a task, or answer with a 404."""
    task = TASKS.get(number)
    if task is None:
        abort(404, f"There is no task {number}.")
    return task
