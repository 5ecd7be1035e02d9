"""What applications and blueprints have in common."""

from datetime import timedelta
from pathlib import Path

import pytest

from costrel import Blueprint, Costrel


@pytest.fixture(params=["application", "blueprint"])
def scaffold(request, tmp_path):
    if request.param == "application":
        return Costrel(__name__, root_path=str(tmp_path), static_folder=None)
    return Blueprint("parts", __name__, root_path=str(tmp_path), template_folder="templates")


def view(**values):
    return "seen"


def test_the_root_path_is_the_folder_of_the_module():
    assert Costrel(__name__, root_path="/given").root_path == "/given"
    assert Costrel("json.decoder").root_path == str(Path(pytest.importorskip("json").__file__).parent)


def test_its_name_shows(scaffold):
    assert repr(Costrel("shop")) == "<Costrel 'shop'>"
    assert repr(Blueprint("cart", "shop")) == "<Blueprint 'cart'>"


def test_the_static_folder_is_below_the_root_path(scaffold, tmp_path):
    assert (scaffold.has_static_folder, scaffold.static_folder, scaffold.static_url_path) == (False, None, None)

    scaffold.static_folder = Path("assets/css")

    assert scaffold.static_folder == str(tmp_path / "assets/css")
    assert scaffold.static_url_path == "/css"
    assert scaffold.has_static_folder is True


def test_the_static_url_path_may_be_given(scaffold):
    scaffold.static_folder = "assets/"
    scaffold.static_url_path = "/files/"
    assert scaffold.static_url_path == "/files"

    scaffold.static_url_path = None
    assert scaffold.static_url_path == "/assets"


def test_templates_are_loaded_from_the_template_folder(scaffold, tmp_path):
    (tmp_path / "templates").mkdir()

    assert scaffold.jinja_loader.searchpath == [str(tmp_path / "templates")]


def test_without_a_template_folder_there_is_no_loader():
    assert Blueprint("bare", __name__).jinja_loader is None


def test_commands_are_grouped_under_its_name(scaffold):
    assert "cli" not in vars(scaffold)

    assert scaffold.cli.name == scaffold.name
    assert scaffold.cli is scaffold.cli


def test_resources_are_opened_for_reading_only(scaffold, tmp_path):
    (tmp_path / "words.txt").write_text("größer", encoding="utf-8")

    with scaffold.open_resource("words.txt") as file:
        assert file.read() == "größer".encode()
    with scaffold.open_resource("words.txt", "r", encoding="utf-8") as file:
        assert file.read() == "größer"
    with pytest.raises(ValueError) as caught:
        scaffold.open_resource("words.txt", "w")
    assert str(caught.value) == "Resources can only be opened for reading."


def test_a_blueprint_reads_text_as_utf_8(tmp_path):
    (tmp_path / "words.txt").write_text("größer", encoding="utf-8")

    with Blueprint("parts", __name__, root_path=str(tmp_path)).open_resource("words.txt", "rt") as file:
        assert file.encoding == "utf-8"


@pytest.mark.parametrize(("setting", "seconds"), [(None, None), (5, 5), (timedelta(hours=1), 3600)])
def test_the_configuration_says_how_long_files_are_kept(scaffold, setting, seconds):
    app = Costrel(__name__)
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = setting

    with app.app_context():
        assert scaffold.get_send_file_max_age("any.css") == seconds


def test_hooks_are_kept_under_no_name(scaffold):
    def hook(*args):
        return None

    assert scaffold.before_request(hook) is hook
    assert scaffold.after_request(hook) is hook
    assert scaffold.teardown_request(hook) is hook
    assert scaffold.url_value_preprocessor(hook) is hook
    assert scaffold.url_defaults(hook) is hook
    assert scaffold.context_processor(hook) is hook

    assert scaffold.before_request_funcs == {None: [hook]}
    assert scaffold.after_request_funcs == {None: [hook]}
    assert scaffold.teardown_request_funcs == {None: [hook]}
    assert scaffold.url_value_preprocessors == {None: [hook]}
    assert scaffold.url_default_functions == {None: [hook]}
    assert scaffold.template_context_processors[None][1:] == [hook]


def test_hooks_can_be_added_to_a_registry_that_was_replaced(scaffold):
    scaffold.url_default_functions = {}

    scaffold.url_defaults(view)

    assert scaffold.url_default_functions == {None: [view]}


def test_error_handlers_are_kept_by_code_and_class(scaffold):
    assert scaffold.errorhandler(404)(view) is view
    scaffold.register_error_handler(KeyError, view)

    by_code = scaffold.error_handler_spec[None]
    assert {code: list(by_class) for code, by_class in by_code.items()} == {
        404: [scaffold._get_exc_class_and_code(404)[0]],
        None: [KeyError],
    }


def test_a_view_can_be_given_to_an_endpoint(scaffold):
    assert scaffold.endpoint("index")(view) is view

    assert scaffold.view_functions["index"] is view


@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "patch"])
def test_there_is_a_decorator_for_each_method(method):
    app = Costrel(__name__, static_folder=None)

    assert getattr(app, method)("/thing")(view) is view

    (rule,) = app.url_map.iter_rules()
    assert rule.methods - {"HEAD", "OPTIONS"} == {method.upper()}


def test_a_decorator_for_one_method_takes_no_others():
    with pytest.raises(TypeError) as caught:
        Costrel(__name__).get("/thing", methods=["POST"])

    assert str(caught.value) == "Use the 'route' decorator to use the 'methods' argument."
