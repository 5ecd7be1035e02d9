"""`vite_asset`: the tags for the files of a Vite build or of its development server."""

import json
import re
import shutil
import subprocess

import pytest

from costrel import CSP, Costrel, content_security_policy, csp_nonce, render_template_string, stream_template_string
from costrel.app.application import Flask
from costrel.guards.csp import with_server
from costrel.services.vite import ManifestError

MANIFEST = {
    "src/main.ts": {
        "file": "assets/main-QBi0YAqY.js", "src": "src/main.ts", "isEntry": True, "css": ["assets/main-W1erjkBN.css"],
        "imports": ["_shared-D0aHsthe.js"], "dynamicImports": ["src/lazy.ts"],
    },
    "src/admin.ts": {"file": "assets/admin-DTYb8LFd.js", "isEntry": True, "imports": ["_shared-D0aHsthe.js"]},
    "src/lazy.ts": {"file": "assets/lazy-D4RDgld0.js", "isDynamicEntry": True},
    "src/style.css": {"file": "assets/style-W1erjkBN.css", "isEntry": True},
    "src/logo.svg": {"file": "assets/logo-W1erjkBN.svg"},
    "_shared-D0aHsthe.js": {
        "file": "assets/shared-D0aHsthe.js", "css": ["assets/shared-TZrNw7dA.css"], "imports": ["_base-1.js"],
    },
    "_base-1.js": {"file": "assets/base-1.js", "css": ["assets/base-2.css"], "imports": ["_shared-D0aHsthe.js"]},
}  # fmt: skip
"""As Vite 6 writes it; the last two chunks import each other."""

MAIN = """\
<link rel="stylesheet" href="/static/dist/assets/base-2.css">
<link rel="stylesheet" href="/static/dist/assets/shared-TZrNw7dA.css">
<link rel="stylesheet" href="/static/dist/assets/main-W1erjkBN.css">
<link rel="modulepreload" href="/static/dist/assets/base-1.js">
<link rel="modulepreload" href="/static/dist/assets/shared-D0aHsthe.js">
<script type="module" src="/static/dist/assets/main-QBi0YAqY.js"></script>"""


@pytest.fixture
def built(write):
    """The manifest in a folder."""

    def built(folder="static/dist", manifest=MANIFEST):
        return write(f"{folder}/.vite/manifest.json", json.dumps(manifest))

    return built


def tags(app, *names):
    with app.test_request_context():
        return render_template_string("{{ vite_asset(*names) }}", names=names)


def test_the_tags_load_all_that_an_entry_needs(app, built, write):
    built()
    write("static/dist/assets/main-QBi0YAqY.js", "a hash would let the browser load it twice")

    assert tags(app, "src/main.ts") == MAIN


def test_under_flasks_name_a_setting_adds_the_function(make, built, get):
    built()
    late = make(Flask)
    assert "vite_asset" not in late.jinja_env.globals

    late.config["VITE_OUT_DIR"] = "static/dist"
    get(late, "/")

    assert tags(make(Flask, VITE_OUT_DIR="static/dist"), "src/main.ts") == tags(late, "src/main.ts") == MAIN


def test_several_entries_name_each_file_once(app, built):
    built()

    found = tags(app, "src/main.ts", "src/admin.ts", "src/style.css").splitlines()

    assert found[:2] == MAIN.splitlines()[:2]
    assert len(found) == len(set(found)) == 8
    assert found[-1] == '<link rel="stylesheet" href="/static/dist/assets/style-W1erjkBN.css">'


@pytest.mark.parametrize(
    ("folder", "settings", "frontend", "url"),
    [
        ("static", {}, None, "/static/assets/"),
        ("static/dist", {}, None, "/static/dist/assets/"),
        ("static/a/b", {"VITE_OUT_DIR": "static/a/b"}, None, "/static/a/b/assets/"),
        ("dist", {}, "/", "/assets/"),
        ("dist", {"VITE_OUT_DIR": "dist/"}, "/app", "/app/assets/"),
    ],
)
def test_the_output_may_be_in_several_places(make, built, folder, settings, frontend, url):
    built(folder)
    app = make(**settings)
    if frontend is not None:
        app.frontend("dist", prefix=frontend)

    assert tags(app, "src/lazy.ts") == f'<script type="module" src="{url}lazy-D4RDgld0.js"></script>'


def test_a_new_build_counts_at_once(app, built):
    built()
    tags(app, "src/lazy.ts")
    built(manifest={"src/lazy.ts": {"file": "assets/lazy-another.js"}})

    assert "lazy-another" in tags(app, "src/lazy.ts")


@pytest.mark.parametrize(
    ("manifest", "name", "message"),
    [
        (MANIFEST, "src/man.ts", "has no entry 'src/man.ts'. Did you mean 'src/main.ts'?"),
        ({}, "src/main.ts", "has no entry 'src/main.ts'. It has no entries."),
        (MANIFEST, "src/logo.svg", "neither a script nor a stylesheet"),
        ([], "src/main.ts", "is not a Vite manifest: it must be a JSON object"),
        ({"src/main.ts": {}}, "src/main.ts", "is not a Vite manifest: the entry 'src/main.ts' has no file"),
        ({"a.js": {"file": "a.js", "imports": ["b.js"]}}, "a.js", "has no entry 'b.js'"),
        ({"a.js": {"file": "a.js", "imports": "b.js"}}, "a.js", "is not a Vite manifest"),
    ],
)
def test_a_manifest_without_the_entry_is_an_error(app, built, manifest, name, message):
    built(manifest=manifest)

    with pytest.raises(ManifestError, match=re.escape(message)):
        tags(app, name)


def test_a_missing_or_broken_manifest_is_an_error(make, write):
    with pytest.raises(ManifestError, match=r"There is no Vite manifest in .*static\. Run 'vite build' with"):
        tags(make(), "src/main.ts")
    with pytest.raises(ValueError, match=r"VITE_OUT_DIR is 'elsewhere'\. It must be in the static folder"):
        tags(make(VITE_OUT_DIR="elsewhere"), "src/main.ts")
    with pytest.raises(ValueError, match="VITE_OUT_DIR is None"):
        tags(Costrel("x", static_folder=None), "src/main.ts")
    write("static/.vite/manifest.json", "{")
    with pytest.raises(ManifestError, match="cannot be read"):
        tags(make(), "src/main.ts")


def test_the_manifest_is_not_sent(app, built, get):
    built()

    assert get(app, "/static/dist/.vite/manifest.json").status_code == 404


def test_names_are_escaped(make, built):
    built(manifest={"a.js": {"file": 'assets/a"><script>.js'}})
    app = make(DEBUG=True)

    assert "<script>" not in tags(make(), "a.js").replace('<script type="module"', "")
    assert "<script>" not in tags(app, '"><script>')


def test_in_debug_mode_the_tags_lead_to_vites_server(make):
    app = make(DEBUG=True)

    assert tags(app, "src/main.ts", "src/style.scss").splitlines() == [
        '<script type="module" src="http://localhost:5173/@vite/client"></script>',
        '<script type="module" src="http://localhost:5173/src/main.ts"></script>',
        '<link rel="stylesheet" href="http://localhost:5173/src/style.scss">',
    ]
    app.config["VITE_SERVER"] = "https://vite.test:3000/base/"
    assert 'src="https://vite.test:3000/base/@vite/client"' in tags(app, "src/main.ts")


def test_in_debug_mode_the_built_files_can_be_used(make, built):
    built()

    assert tags(make(DEBUG=True, VITE_SERVER=None), "src/main.ts") == MAIN


@pytest.mark.parametrize("server", ["localhost:5173", "ftp://x", "http://x y", "http://x;a", 'http://"', 5173])
def test_a_wrong_server_is_an_error(make, server):
    with pytest.raises(ValueError, match=r"VITE_SERVER is .* It must be the URL of Vite's server"):
        tags(make(DEBUG=True, VITE_SERVER=server), "src/main.ts")


def test_tags_have_the_nonce_of_the_policy(make, built):
    built()
    app = make(CONTENT_SECURITY_POLICY=CSP({"script-src": ["'nonce'", "'strict-dynamic'"]}))

    @app.route("/")
    def page():
        return render_template_string("{{ vite_asset('src/lazy.ts') }}")

    response = app.test_client().get("/")

    nonce = re.search("'nonce-(.*?)'", response.headers["Content-Security-Policy"])[1]
    assert (
        response.text == f'<script type="module" src="/static/dist/assets/lazy-D4RDgld0.js" nonce="{nonce}"></script>'
    )
    with app.app_context():  # outside of a request there is no nonce
        app.config["SERVER_NAME"] = "x"
        assert "nonce" not in app.jinja_env.from_string("{{ vite_asset('src/lazy.ts') }}").render()


def page_policies(app, stream=False):
    """The policies of a page without the tags, of one with them, and of one without them after it."""

    @app.route("/")
    def other():
        return csp_nonce()

    @app.route("/page")
    def page():
        render = stream_template_string if stream else render_template_string
        return render("{{ vite_asset('src/main.ts') }}")

    client = app.test_client()
    return [client.get(path).headers.get("Content-Security-Policy") for path in ("/", "/page", "/")]


def test_in_debug_mode_the_policy_allows_the_server(make):
    before, during, after = page_policies(make(DEBUG=True, CONTENT_SECURITY_POLICY="default-src 'self'"))

    assert before == "default-src 'self'"
    assert during == after
    assert during == (
        "default-src 'self'; script-src 'self' http://localhost:5173;"
        " style-src 'self' http://localhost:5173 'unsafe-inline'; img-src 'self' http://localhost:5173;"
        " font-src 'self' http://localhost:5173; media-src 'self' http://localhost:5173;"
        " connect-src 'self' http://localhost:5173 ws://localhost:5173"
    )


def test_a_stream_allows_it_from_the_next_page_on(make):
    before, during, after = page_policies(make(DEBUG=True, CONTENT_SECURITY_POLICY="default-src 'self'"), stream=True)

    assert before == during == "default-src 'self'"
    assert "connect-src" in after


def test_in_production_no_policy_changes(make, built):
    built()

    assert len({*page_policies(make(CONTENT_SECURITY_POLICY="default-src 'self'"))}) == 1


def test_the_policies_of_views_and_reports_allow_it_too(make):
    app = make(DEBUG=True, CONTENT_SECURITY_POLICY_REPORT_ONLY="script-src 'none'")

    @app.route("/")
    @content_security_policy("script-src 'nonce'; style-src 'nonce'")
    def page():
        return render_template_string("{{ vite_asset('src/main.ts') }}")

    response = app.test_client().get("/")

    nonce = re.search('nonce="(.*?)"', response.text)[1]
    assert response.headers["Content-Security-Policy"] == (
        f"script-src 'nonce-{nonce}' http://localhost:5173; style-src 'nonce-{nonce}' http://localhost:5173"
    )
    assert response.headers["Content-Security-Policy-Report-Only"] == "script-src http://localhost:5173"
    assert response.text.splitlines()[0] == f'<meta property="csp-nonce" nonce="{nonce}">'


@pytest.mark.parametrize(
    ("policy", "allowed"),
    [
        ("base-uri 'self'; frame-ancestors 'self'", "base-uri 'self'; frame-ancestors 'self'"),
        ("script-src 'self' https://v.test", "script-src 'self' https://v.test"),
        ("SCRIPT-SRC 'none'", "script-src https://v.test"),
        ("script-src", "script-src https://v.test"),
        ("script-src a; script-src b", "script-src a https://v.test"),
        ("script-src-elem a; worker-src b;;", "script-src-elem a https://v.test; worker-src b https://v.test"),
        ("style-src 'sha256-x'", "style-src 'sha256-x' https://v.test"),
        ("style-src-elem 'self'", "style-src-elem 'self' https://v.test 'unsafe-inline'"),
        ("connect-src 'self'", "connect-src 'self' https://v.test wss://v.test"),
        ("upgrade-insecure-requests", "upgrade-insecure-requests"),
        ("", ""),
    ],
)
def test_a_policy_allows_no_less_than_before(policy, allowed):
    assert with_server(policy, "https://v.test/base/") == allowed


SOURCES = {
    "package.json": '{"name": "shop", "private": true, "type": "module"}',
    "vite.config.js": 'export default { base: "/static/dist/", build: { manifest: true, outDir: "static/dist",'
    ' rollupOptions: { input: ["src/main.ts", "src/admin.ts"] } } };',
    "src/main.ts": 'import { shared } from "./shared"; import "./main.css"; const n: number = 1; shared("m" + n);'
    ' import("./lazy").then((m) => m.lazy());',
    "src/admin.ts": 'import { shared } from "./shared"; shared("admin");',
    "src/shared.ts": 'import "./shared.css"; export function shared(text: string) { document.title = text; }',
    "src/lazy.ts": 'export function lazy() { document.body.dataset.lazy = "yes"; }',
    "src/main.css": "body { color: red; background: url(./main.svg) }",
    "src/main.svg": f'<svg xmlns="http://www.w3.org/2000/svg"><!-- {"x" * 5000} --></svg>',
    "src/shared.css": "body { margin: 0 }",
}


def run(folder, *command):
    """Run a program of npm's; the test is skipped if it fails, as without a network."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=40, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"npm's programs do not run here: {error}")
    if done.returncode:
        pytest.skip(f"{command[0]} failed: {done.stderr[-200:]}")


@pytest.mark.npm
@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is missing")
def test_a_project_that_vite_has_built(app, write, get, tmp_path):
    for name, text in SOURCES.items():
        write(name, text)
    run(tmp_path, "npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", "vite@6.4.1")
    run(tmp_path, str(tmp_path / "node_modules" / ".bin" / "vite"), "build")

    found = tags(app, "src/main.ts")

    urls = re.findall('(?:src|href)="(.*?)"', found)
    assert [re.sub("-[^.]*", "", url.rpartition("/")[2]) for url in urls] == [
        "shared.css", "main.css", "shared.js", "main.js",
    ]  # fmt: skip
    for url in urls:
        assert get(app, url).status_code == 200
    script, styles = get(app, urls[-1]).text, get(app, urls[1]).text
    imported = re.findall(r'"\./(shared-[^"]+\.js)"|(lazy-[\w-]+\.js)', script)
    assert imported
    for name in filter(None, sum(imported, ())):
        assert get(app, f"/static/dist/assets/{name}").status_code == 200
    assert get(app, re.search(r"url\((.*?)\)", styles)[1]).content_type.startswith("image/svg+xml")
