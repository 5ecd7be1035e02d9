"""The application for the tests of framing: it reports its requests, and records the bodies that it read completely."""

from costrel import Costrel, Response, request

app = Costrel(__name__, static_folder=None)
app.config["MAX_CONTENT_LENGTH"] = 64 * 1024 * 1024


@app.route("/")
def index():
    return "hello"


@app.route("/body", methods=["GET", "POST"])
def body():
    size = len(request.get_data())
    with open("notes.txt", "a") as notes:
        notes.write(f"{request.args.get('row')} {size}\n")
    return f"{request.method} {size}"


@app.get("/fails")
def fails():
    def generate():
        yield "one\n"
        raise ZeroDivisionError("on purpose")

    return Response(generate(), mimetype="text/plain")


@app.get("/injects/<where>")
def injects(where):
    if where == "value":
        return Response("out", headers={"X-Raw": "a\r\nX-Injected: 1"})
    if where == "location":
        return Response("out", 302, headers={"Location": "/a\r\nX-Injected: 1"})
    if where == "status":
        return Response("out", status="200 OK\r\nX-Injected: 1")
    response = Response("out")
    response.set_cookie("a", "b", path="/\r\nX-Injected: 1")
    return response


def injecting(environ, start_response):
    """WSGI middleware whose headers the gate has not checked."""
    if environ["PATH_INFO"] == "/injects/middleware":
        start_response("200 OK", [("Content-Type", "text/plain"), ("X-Raw", "a\r\nX-Injected: 1")])
        return [b"out"]
    return inner(environ, start_response)


wrapped = Costrel(__name__, static_folder=None)
inner = wrapped.wsgi_app
wrapped.wsgi_app = injecting
