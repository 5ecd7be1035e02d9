"""The task list of a small team."""

from costrel import Costrel, abort, render_template

app = Costrel(__name__)

TASKS = {
    1: "Book a room for the kickoff",
    2: "Send the agenda",
    3: "Bring the <markers>",
}


@app.get("/")
def index() -> str:
    """Show all tasks."""
    return render_template("index.html", tasks=TASKS)


@app.get("/tasks/<int:number>")
def show(number: int) -> str:
    """Show one task."""
    if number not in TASKS:
        abort(404, f"There is no task {number}.")
    return render_template("task.html", number=number, text=TASKS[number])
