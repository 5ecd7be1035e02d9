"""Templates: their lookup, their variables, and rendering."""

import gc
import logging
import os
import weakref
from itertools import count

import jinja2
import pytest
from markupsafe import Markup

import costrel
from costrel import context
from costrel.app.application import Costrel
from costrel.app.blueprint import Blueprint
from costrel.services import string_templates, templating
from costrel.services.jinja import DispatchingJinjaLoader, Environment
from costrel.services.template_explanation import explain_template_loading_attempts
from costrel.support.signals import before_render_template, template_rendered


@pytest.fixture
def folder(tmp_path):
    write(tmp_path, "hello.html", "<p>{{ name }}</p>")
    write(tmp_path, "mail.txt", "Dear {{ name }}")
    write(tmp_path, "both.html", "application")
    return tmp_path


def write(folder, name, source):
    (folder / "templates").mkdir(parents=True, exist_ok=True)
    (folder / "templates" / name).write_text(source)


@pytest.fixture
def app(folder):
    return Costrel("shop", root_path=str(folder))


@pytest.fixture
def blueprint(folder):
    write(folder / "admin", "both.html", "blueprint")
    write(folder / "admin", "only.html", "only {{ name }}")
    return Blueprint("admin", "shop.admin", root_path=str(folder / "admin"), template_folder="templates")


class TestRendering:
    def test_a_file(self, app):
        with app.app_context():
            assert templating.render_template("hello.html", name="<x>") == "<p>&lt;x&gt;</p>"
            assert templating.render_template("mail.txt", name="<x>") == "Dear <x>"

    def test_the_first_that_exists(self, app):
        with app.app_context():
            assert templating.render_template(["missing.html", "mail.txt"], name="x") == "Dear x"
            with pytest.raises(jinja2.TemplatesNotFound, match="none of the templates given were found: a, b"):
                templating.render_template(["a", "b"])

    def test_a_template_object(self, app):
        with app.app_context():
            assert templating.render_template(jinja2.Template("{{ name }}"), name="x") == "x"

    def test_a_string_whose_values_are_escaped(self, app):
        with app.app_context():
            assert templating.render_template_string("{{ a }}{{ b }}", a="<", b=Markup("<")) == "&lt;<"

    def test_in_pieces(self, app):
        with app.app_context():
            assert list(templating.stream_template("hello.html", name="x")) == ["<p>", "x", "</p>"]
            assert list(templating.stream_template_string("a{{ name }}", name="x")) == ["a", "x"]

    def test_pieces_keep_the_request(self, app):
        @app.get("/")
        def view():
            return templating.stream_template_string("{{ request.path }} {{ session.a }} {{ g.user }}")

        @app.before_request
        def remember():
            costrel.g.user = "me"

        assert app.test_client().get("/").text == "/  me"

    def test_without_an_application_there_is_nothing_to_render_with(self):
        for function in (
            templating.render_template,
            templating.render_template_string,
            templating.stream_template,
            templating.stream_template_string,
        ):
            with pytest.raises(RuntimeError, match="Working outside of application context"):
                function("x")


class TestVariables:
    def test_the_request_and_g_are_there_where_they_are(self, app):
        assert templating._default_template_ctx_processor() == {}
        with app.app_context() as ctx:
            assert templating._default_template_ctx_processor() == {"g": ctx.g}
        with app.test_request_context("/x") as ctx:
            assert templating._default_template_ctx_processor() == {"g": ctx.g, "request": ctx.request}

    def test_processors_add_and_the_given_ones_win(self, app):
        app.context_processor(lambda: {"a": "processor", "b": "processor", "g": "mine"})
        with app.app_context():
            assert templating.render_template_string("{{ a }} {{ b }} {{ g }}", a="given") == "given processor mine"

    def test_a_blueprints_processors_count_for_its_own_views(self, app, blueprint):
        app.context_processor(lambda: {"a": "application", "b": "application"})
        blueprint.context_processor(lambda: {"a": "blueprint"})
        app.add_url_rule("/", "index", lambda: templating.render_template_string("{{ a }} {{ b }}"))
        blueprint.add_url_rule("/admin", "index", lambda: templating.render_template_string("{{ a }} {{ b }}"))
        app.register_blueprint(blueprint)
        client = app.test_client()
        assert client.get("/").text == "application application"
        assert client.get("/admin").text == "blueprint application"
        with app.app_context():
            assert templating.render_template_string("{{ a }}") == "application"

    def test_a_processor_may_be_async(self, app):
        @app.context_processor
        async def later():
            return {"a": 1}

        with app.app_context():
            assert templating.render_template_string("{{ a }}") == "1"

    def test_the_session_is_used_only_where_it_is_named(self, app):
        app.secret_key = "k" * 32
        app.add_url_rule("/without", "without", lambda: templating.render_template_string("x"))
        app.add_url_rule("/with", "with", lambda: templating.render_template_string("{{ session.a }}"))
        client = app.test_client()
        assert "Vary" not in client.get("/without").headers
        assert client.get("/with").headers["Vary"] == "Cookie"

    def test_every_template_has_the_globals(self, app):
        app.config["NAME"] = "shop"
        with app.app_context():
            source = (
                "{{ config.NAME }} {{ get_flashed_messages is callable }} {{ url_for is callable }} {{ {}|tojson }}"
            )
            assert templating.render_template_string(source) == "shop True True {}"


class TestSignals:
    @pytest.fixture
    def seen(self, app):
        seen = []

        def listen(signal, name):
            def receive(sender, template, context):
                seen.append((name, sender.name, template.name, context["name"]))

            signal.connect(receive, app, weak=False)
            return lambda: signal.disconnect(receive, app)

        ends = [listen(before_render_template, "before"), listen(template_rendered, "after")]
        yield seen
        for end in ends:
            end()

    def test_both_are_sent_around_rendering(self, app, seen):
        with app.app_context():
            templating.render_template("hello.html", name="x")
            templating.render_template_string("{{ name }}", name="y")
        assert seen == [
            ("before", "shop", "hello.html", "x"),
            ("after", "shop", "hello.html", "x"),
            ("before", "shop", None, "y"),
            ("after", "shop", None, "y"),
        ]

    def test_a_stream_ends_with_the_second(self, app, seen):
        with app.app_context():
            pieces = templating.stream_template("hello.html", name="x")
            next(pieces)
            assert [name for name, *_ in seen] == ["before"]
            list(pieces)
            assert [name for name, *_ in seen] == ["before", "after"]


class TestLoader:
    def test_the_application_comes_before_its_blueprints(self, app, blueprint):
        app.register_blueprint(blueprint)
        app.register_blueprint(Blueprint("plain", "shop.plain", root_path=app.root_path))
        with app.app_context():
            assert templating.render_template("both.html") == "application"
            assert templating.render_template("only.html", name="x") == "only x"
            with pytest.raises(jinja2.TemplateNotFound, match=r"^none\.html$"):
                templating.render_template("none.html")

    def test_it_lists_all_templates(self, app, blueprint):
        app.register_blueprint(blueprint)
        assert sorted(app.jinja_env.list_templates()) == ["both.html", "hello.html", "mail.txt", "only.html"]

    def test_another_loader_may_take_its_place(self, app):
        class Own(Costrel):
            def create_global_jinja_loader(self):
                return jinja2.DictLoader({"a": "from the dict"})

        app = Own("shop")
        with app.app_context():
            assert templating.render_template("a") == "from the dict"
        assert type(Environment(app, loader=None).loader) is type(None)


class TestExplanation:
    @pytest.fixture
    def log(self, app, caplog):
        app.config["EXPLAIN_TEMPLATE_LOADING"] = True
        caplog.set_level(logging.INFO, "shop")
        return caplog

    def test_of_a_find(self, app, folder, log):
        with app.app_context():
            templating.render_template("hello.html")
        assert log.messages[0] == (
            "Locating template 'hello.html':\n"
            "    1: trying loader of application 'shop'\n"
            "       class: jinja2.loaders.FileSystemLoader\n"
            "       encoding: 'utf-8'\n"
            "       followlinks: False\n"
            "       searchpath:\n"
            f"         - {folder}{os.sep}templates\n"
            f"       -> found ('{folder}/templates/hello.html')"
        )

    def test_of_several_finds(self, app, blueprint, log):
        blueprint.jinja_loader = jinja2.DictLoader({"both.html": ""})
        app.register_blueprint(blueprint)
        with app.app_context():
            assert templating.render_template("both.html") == "application"
        assert log.messages[0].endswith(
            "    2: trying loader of blueprint 'admin' (shop.admin)\n"
            "       class: jinja2.loaders.DictLoader\n"
            "       -> found ('<string>')\n"
            "Warning: 2 loaders have a template with this name. The first one is used."
        )

    def test_of_none(self, app, log):
        with app.app_context(), pytest.raises(jinja2.TemplateNotFound):
            templating.render_template("none.html")
        assert log.messages[0].endswith("       -> no match\nError: the template could not be found.")

    def test_of_none_in_a_blueprint(self, app, blueprint, log):
        blueprint.jinja_loader = jinja2.ChoiceLoader([jinja2.DictLoader({})])
        blueprint.add_url_rule("/", "index", lambda: templating.render_template("none.html"))
        app.register_blueprint(blueprint)
        app.testing = True
        with pytest.raises(jinja2.TemplateNotFound):
            app.test_client().get("/")
        assert log.messages[0].endswith(
            "       class: jinja2.loaders.ChoiceLoader\n"
            "       -> no match\n"
            "Error: the template could not be found.\n"
            "  It was looked up from an endpoint that belongs to the blueprint 'admin'. If it has a\n"
            "  template folder ('template_folder='), the folder is searched after the application's.\n"
            "  See https://flask.palletsprojects.com/blueprints/#templates"
        )

    def test_of_a_loader_of_something_else(self, app, log):
        loader = jinja2.DictLoader({})
        loader.depth, loader._hidden = 3, 1
        explain_template_loading_attempts(app, "x", [(loader, "somebody", None)])
        assert "    1: trying loader of 'somebody'\n" in log.messages[0]
        assert "       depth: 3\n       -> no match" in log.messages[0]


class TestStrings:
    """A string is compiled once, and again where it would be compiled to something else."""

    @pytest.fixture
    def compiled(self, app, monkeypatch):
        counts = []
        compile_ = jinja2.Environment.compile

        def counted(self, source, *args, **kwargs):
            counts.append(source)
            return compile_(self, source, *args, **kwargs)

        monkeypatch.setattr(jinja2.Environment, "compile", counted)
        return counts

    def test_once(self, app, compiled):
        with app.app_context():
            assert [templating.render_template_string("{{ a }}", a=number) for number in range(3)] == ["0", "1", "2"]
        assert compiled == ["{{ a }}"]

    def test_once_for_each_environment(self, app, compiled):
        other = Costrel("other")
        other.jinja_env.variable_start_string, other.jinja_env.variable_end_string = "<<", ">>"
        with app.app_context():
            assert templating.render_template_string("{{ 1 }} << 2 >>") == "1 << 2 >>"
        with other.app_context():
            assert templating.render_template_string("{{ 1 }} << 2 >>") == "{{ 1 }} 2"

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            (lambda env: env.filters.update(shout=lambda value: "changed"), "changed <"),
            (lambda env: env.filters.update(shout=jinja2.pass_context(lambda ctx, value: ctx["b"])), "here <"),
            (lambda env: setattr(env, "autoescape", True), "x! &lt;"),
            (lambda env: setattr(env, "trim_blocks", True), "x! <"),
            (lambda env: setattr(env, "finalize", lambda value: "final"), "final final"),
            (lambda env: env.tests.update(new=bool), "x! <"),
            (lambda env: env.policies.update(new=1), "x! <"),
            (lambda env: env.add_extension("jinja2.ext.do"), "x! <"),
        ],
    )
    def test_again_after_a_change_of_the_environment(self, app, compiled, change, expected):
        env = app.jinja_env
        env.filters["shout"] = lambda value: f"{value}!"
        env.autoescape = False
        source = "{{ x|shout }} {{ a }}"
        with app.app_context():
            assert templating.render_template_string(source, x="x", a="<", b="here") == "x! <"
            change(env)
            assert templating.render_template_string(source, x="x", a="<", b="here") == expected
        assert compiled == [source, source]

    def test_a_new_global_needs_no_compiling(self, app, compiled):
        with app.app_context():
            assert templating.render_template_string("{{ new }}") == ""
            app.jinja_env.globals["new"] = "there"
            assert templating.render_template_string("{{ new }}") == "there"
        assert len(compiled) == 1

    @pytest.mark.parametrize(
        ("source", "times"),
        [
            ("{{ 1|count }}", 2),
            ("{{ (1 if true else a)|count }}", 2),
            ("{{ 1 is counted }}", 2),
            ("{% if a and 1 is counted %}{% endif %}", 2),
            ("{{ a|count }}", 1),
            ("{{ a is counted }}", 1),
            ("{{ 'x'|upper }}", 1),
            ("{{ 1 is odd }} {{ 'a|b is c' }}", 1),
        ],
    )
    def test_each_time_where_the_applications_code_runs_while_compiling(self, app, compiled, source, times):
        numbers = count(1)
        app.jinja_env.filters["count"] = lambda value: next(numbers)
        app.jinja_env.tests["counted"] = lambda value: next(numbers) > 0
        with app.app_context():
            for _ in range(2):
                templating.render_template_string(source, a=1)
        assert compiled == [source] * times

    def test_each_time_where_every_value_passes_a_function(self, app):
        numbers = count(1)
        app.jinja_env.finalize = lambda value: next(numbers)
        with app.app_context():
            assert [templating.render_template_string("{{ 0 }}") for _ in range(2)] == ["1", "2"]

    def test_only_so_many_are_kept(self, app, monkeypatch):
        monkeypatch.setattr(string_templates, "LIMIT", 3)
        with app.app_context():
            for number in range(10):
                assert templating.render_template_string(f"{number}") == f"{number}"
        kept = app.jinja_env.__dict__[string_templates._KEPT]
        assert list(kept.templates) == ["7", "8", "9"]

    def test_an_overlay_has_its_own(self, app):
        with app.app_context():
            assert templating.render_template_string("{{ 1 }}") == "1"
        overlay = app.jinja_env.overlay(variable_start_string="<<", variable_end_string=">>")
        assert string_templates.template_of_string(overlay, "{{ 1 }}").render() == "{{ 1 }}"
        with app.app_context():
            assert templating.render_template_string("{{ 1 }}") == "1"

    def test_an_application_that_is_gone_leaves_none(self):
        app = Costrel("gone")
        with app.app_context():
            templating.render_template_string("{{ 1 }}")
        gone = weakref.ref(app)
        del app
        gc.collect()
        assert gone() is None

    def test_an_environment_may_compile_its_own_way(self, folder):
        class Own(Environment):
            def from_string(self, source, *args, **kwargs):
                return super().from_string(source.upper(), *args, **kwargs)

        class App(Costrel):
            jinja_environment = Own

        with App("shop").app_context():
            assert templating.render_template_string("abc") == "ABC"

    def test_what_is_no_string_is_left_to_jinja(self, app):
        with app.app_context():
            assert templating.render_template_string(app.jinja_env.parse("{{ a }}"), a=1) == "1"
            with pytest.raises(TypeError):
                templating.render_template_string(5)

    def test_a_mistake_is_shown_each_time(self, app):
        with app.app_context():
            for _ in range(2):
                with pytest.raises(jinja2.TemplateSyntaxError, match="unexpected end of template"):
                    templating.render_template_string("{{ a")


def test_an_environment_is_made_of_the_applications_options(app):
    app.jinja_options = {"trim_blocks": True, "autoescape": False, "auto_reload": True}
    env = app.jinja_env
    assert (env.app, env.trim_blocks, env.autoescape, env.auto_reload) == (app, True, False, True)
    assert type(env.loader) is DispatchingJinjaLoader
    assert context.peek() is None


@pytest.mark.parametrize(
    ("setting", "debug", "expected"),
    [(None, False, False), (None, True, True), (False, True, False), (True, False, True)],
)
def test_templates_are_reloaded_in_debug_mode_or_as_configured(app, setting, debug, expected):
    app.config.update(TEMPLATES_AUTO_RELOAD=setting, DEBUG=debug)
    assert app.jinja_env.auto_reload is expected


def test_a_template_sees_its_own_globals_and_what_becomes_of_the_environments(app):
    environment = app.jinja_env
    template = environment.from_string("{{ planet }} {{ moon }} {{ planet_of_macro() }}", {"planet": "Mars"})
    environment.globals.update(planet="Earth", moon="Luna", planet_of_macro=lambda: "Venus")

    assert template.render() == "Mars Luna Venus"
    assert template.render(moon="Phobos") == "Mars Phobos Venus"

    template.globals["moon"] = "Deimos"
    assert template.render() == "Mars Deimos Venus"
    assert environment.globals["moon"] == "Luna"
