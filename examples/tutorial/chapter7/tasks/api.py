"""Tasks for programs."""

from typing import Annotated

from costrel import Blueprint, NotFound, Status, Unauthorized, abort
from msgspec import Struct

from .database import Database, NewTask, Number, Task, User

api = Blueprint(
    "api",
    __name__,
    url_prefix="/api",
    api="v1",
    security=["bearer", "session"],
    error_format="problem",
)


class Change(Struct):
    """The fields of a task that a program may change."""

    done: bool


@api.errorhandler(401)
def refuse(error: Unauthorized) -> Unauthorized:
    """Answer a program with the error, and not with the form for signing in."""
    return error


@api.get("/tasks")
def list_tasks(database: Database, done: bool | None = None) -> list[Task]:
    """List all tasks, or only the open or the finished ones."""
    return [task for task in database.tasks() if done is None or task.done == done]


@api.post("/tasks")
def create_task(database: Database, user: User, new: NewTask) -> Annotated[Task, Status(201)]:
    """Add a task."""
    return find(database, database.add_task(new, user))


@api.patch("/tasks/<int:number>", raises=[NotFound])
def change_task(database: Database, user: User, number: Number, change: Change) -> Task:
    """Mark a task as done or open."""
    database.finish_task(number, change.done, user)
    return find(database, number)


def find(database: Database, number: int) -> Task:
    """Return a task, or answer with a 404."""
    task = database.task(number)
    if task is None:
        abort(404, f"There is no task {number}.")
    return task
