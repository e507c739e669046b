"""What tools cannot say about the tree: each rule of the architecture that a reader could break without noticing."""

import ast
import re
import subprocess
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import nodes

from portal.app import create_app
from portal.config import Config
from portal.core import access
from portal.core.db import db
from portal.registry.models import Household

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "portal").rglob("*.py"))
CODE = [path for path in SOURCES if "migrations" not in path.parts]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
PAGES = [path for path in TEMPLATES if path.relative_to(ROOT / "templates").parts[0] not in {"ui", "errors"}]
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")


def _relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_no_file_is_longer_than_400_lines():
    files = [*SOURCES, *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "bench").rglob("*.py"))]
    long = {_relative(path): n for path in files if (n := path.read_text().count("\n")) > 400}
    # A migration is generated and never edited.
    assert not {name for name in long if "/migrations/" not in name}, long


@pytest.mark.parametrize(
    ("pattern", "allowed"),
    [
        (r"\.commit\(", {"portal/core/db.py"}),
        (r"datetime\.(now|utcnow)\(|date\.today\(|time\.time\(", {"portal/core/clock.py"}),
        (r"\|\s*safe\b", set()),
        (r"\bMarkup\(", {"portal/core/files.py", "portal/core/web.py"}),
    ],
)
def test_some_words_stand_in_one_place_only(pattern, allowed):
    found = {_relative(path) for path in [*CODE, *TEMPLATES] if re.search(pattern, path.read_text())}
    assert found <= allowed, found - allowed


def test_every_module_says_what_it_is_for():
    silent = [_relative(path) for path in SOURCES if not ast.get_docstring(ast.parse(path.read_text()))]
    assert not silent, silent


def test_no_module_imports_inside_a_function():
    found = []
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                inner = [sub for sub in ast.walk(node) if isinstance(sub, ast.Import | ast.ImportFrom)]
                found += [f"{_relative(path)}:{sub.lineno}" for sub in inner if _imports_ours(sub)]
    assert not found, found


def _imports_ours(node: ast.Import | ast.ImportFrom) -> bool:
    names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
    return any(name.split(".")[0] == "portal" for name in names)


def test_a_view_is_shorter_than_15_lines():
    long = []
    for path in CODE:
        if path.name in {"resident.py", "worker.py"} or path.parent.name == "worker":
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.FunctionDef) and _is_view(node):
                    lines = (node.end_lineno or 0) - node.body[0].lineno + 1
                    long += [f"{_relative(path)}::{node.name} {lines}"] if lines >= 15 else []
    assert not long, long


def _is_view(node: ast.FunctionDef) -> bool:
    return any("bp.route" in ast.unparse(decorator) for decorator in node.decorator_list)


def test_packages_have_no_empty_names():
    bad = {"utils", "helpers", "common", "manager", "misc"}
    assert not [_relative(path) for path in SOURCES if bad & set(path.with_suffix("").parts)]


def test_pages_import_no_macros():
    found = [_relative(path) for path in PAGES if re.search(r"{%-?\s*(from|import)\b", path.read_text())]
    assert not found, found


def test_every_hx_target_is_a_block_of_its_page(bare_app: Flask):
    missing = []
    for path in PAGES:
        name = path.relative_to(ROOT / "templates").as_posix()
        targets = set(re.findall(r"""hx-target['"]?\s*[=:]\s*['"]#([\w-]+)['"]""", path.read_text()))
        if not targets:
            continue
        blocks = _blocks(bare_app, name)
        missing += [f"{name}#{target}" for target in targets if target.replace("-", "_") not in blocks]
    assert not missing, missing


def _blocks(app: Flask, name: str) -> set[str]:
    source = (ROOT / "templates" / name).read_text()
    return {block.name for block in app.jinja_env.parse(source).find_all(nodes.Block)}


def _rendered() -> dict[str, set[str]]:
    """Template names that each module renders with page()."""
    found: dict[str, set[str]] = {}
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                if name in {"page", "render_template"} and node.args and isinstance(node.args[0], ast.Constant):
                    found.setdefault(_relative(path), set()).add(str(node.args[0].value))
    return found


def test_each_template_stands_where_its_view_predicts():
    for module, templates in _rendered().items():
        parts = Path(module).with_suffix("").parts
        if parts[1] == "core":
            continue
        feature, platform = parts[1], parts[2]
        wrong = {name for name in templates if not name.startswith(f"{feature}/{platform}/")}
        assert not wrong, f"{module}: {wrong}"


def test_every_template_is_used():
    used = set().union(*_rendered().values())
    named = " ".join(path.read_text() for path in [*TEMPLATES, *CODE])
    idle = [
        name
        for path in PAGES
        if (name := path.relative_to(ROOT / "templates").as_posix()) not in used and f'"{name}"' not in named
    ]
    assert not idle, idle


def test_an_endpoint_that_says_nothing_about_access_stops_the_start(bare_app: Flask):
    bare_app.view_functions["forgotten"] = lambda: "anybody"
    try:
        with pytest.raises(RuntimeError, match="forgotten"):
            access.close_up(bare_app)
    finally:
        del bare_app.view_functions["forgotten"]


def test_create_app_itself_closes_up(config: Config, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("portal.app._wire", lambda app: app.add_url_rule("/open", "open", lambda: "anybody"))
    with pytest.raises(RuntimeError, match="open"):
        create_app(config)


def test_a_safe_request_cannot_write(make, app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch):
    community = make.community()

    def writes() -> str:
        db.session.add(Household(community_id=community.id, number="sneaked"))
        db.session.flush()
        return "written"

    writes.guard = access.Guard(public=True)  # type: ignore[attr-defined]
    monkeypatch.setitem(app.view_functions, "home.resident.index", writes)
    with pytest.raises(RuntimeError, match="safe request"):
        client.get("/")


def test_the_head_file_names_the_newest_revision():
    versions = ROOT / "portal/migrations/versions"
    newest = max(path.name[:4] for path in versions.glob("0*.py"))
    assert (ROOT / "portal/migrations/HEAD").read_text().strip() == newest


def test_no_registry_address_and_no_path_of_a_machine_stands_in_the_tree():
    hosts = re.compile("pythonhosted|registry" + r"\.npmjs|pypi\.org|deb\.debian|/work/(main|shared)|/root/")
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    files = [ROOT / name for name in listed.stdout.splitlines()]
    texts = [path for path in files if path.is_file() and path != Path(__file__)]
    assert not [_relative(path) for path in texts if hosts.search(path.read_text(errors="ignore"))]


def _catalogue(name: str):
    with (ROOT / "translations" / name).open("rb") as file:
        return read_po(file)


def test_english_is_complete_and_keeps_every_placeholder():
    english = _catalogue("en/LC_MESSAGES/messages.po")
    missing, broken = [], []
    for message in english:
        if not message.id:
            continue
        text = message.string if isinstance(message.string, str) else " ".join(message.string)
        if not text or message.fuzzy:
            missing.append(message.id)
        elif set(PLACEHOLDER.findall(str(message.id))) != set(PLACEHOLDER.findall(text)):
            broken.append(message.id)
    assert not missing, missing[:20]
    assert not broken, broken


def test_every_sentence_in_the_code_is_in_the_catalogue():
    english = {
        str(message.id if isinstance(message.id, str) else message.id[0])
        for message in _catalogue("en/LC_MESSAGES/messages.po")
    }
    absent = [sentence for sentence in _sentences() if sentence not in english]
    assert not absent, absent[:20]


def _sentences() -> set[str]:
    found = set()
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"_", "_l"}:
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    found.add(str(first.value))
    return found


def test_no_template_filter_takes_the_name_of_another():
    """Flask keeps the last of two filters of one name: the pages of the first then break."""
    named = re.compile(r'app_template_filter\([^,()]+,\s*"(\w+)"\)')
    found = [(name, _relative(path)) for path in CODE for name in named.findall(path.read_text())]
    names = [name for name, _path in found]
    assert not [(name, path) for name, path in found if names.count(name) > 1]
