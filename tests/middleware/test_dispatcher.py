"""Several applications under one."""

from costrel.middleware.dispatcher import DispatcherMiddleware

from ..shapes import assert_linear


def app_named(name):
    return lambda environ, start_response: (name, environ["SCRIPT_NAME"], environ["PATH_INFO"])


APP = DispatcherMiddleware(app_named("main"), {"/api": app_named("api"), "/api/v2": app_named("v2")})


def test_the_longest_mount_serves_the_path():
    answers = [APP({"PATH_INFO": path}, None) for path in ("/api", "/api/x", "/api/v2/x", "/apix", "/", "")]
    assert answers == [
        ("api", "/api", ""),
        ("api", "/api", "/x"),
        ("v2", "/api/v2", "/x"),
        ("main", "", "/apix"),
        ("main", "", "/"),
        ("main", "", ""),
    ]


def test_a_mount_below_a_prefix_keeps_it():
    assert APP({"PATH_INFO": "/api/x", "SCRIPT_NAME": "/below"}, None) == ("api", "/below/api", "/x")


def test_without_mounts_all_goes_to_the_application():
    assert DispatcherMiddleware(app_named("main"))({"PATH_INFO": "/x"}, None) == ("main", "", "/x")


def test_a_path_of_slashes_takes_linear_time():
    assert_linear(lambda length: APP({"PATH_INFO": "/" * length}, None), 100_000)
