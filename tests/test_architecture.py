"""The shape of the house, read from its sources: who may import whom, how large things may grow, what is never said."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import filters
from pipelines import VERSION

ROOT = Path(__file__).parent.parent
ROOMS = ("filters", "manifests", "pipelines")
MAY_IMPORT = {"filters": {"filters"}, "manifests": {"manifests", "filters"}, "pipelines": set(ROOMS)}
SEAMS = {
    "filters.calibration",
    "filters.errors",
    "filters.finding",
    "filters.fingerprints",
    "filters.policy",
}  # what manifests may know
ONLY_PIPELINES = {"apache_beam", "tarfile", "webdataset", "braceexpand", "typer"}
LATE = {"torch", "torchvision", "onnxruntime", "open_clip"}  # imported when a filter loads, and never before
SLOW = {*LATE, "apache_beam", "pyarrow", "pydantic", "numpy", "PIL", "scipy"}  # and never by `--help`
LINES, FUNCTION_LINES, PARAMETERS = 220, 40, 6
MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
SOURCES = sorted([*MODULES, *(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py"), ROOT / "setup.py"])
Function = ast.FunctionDef | ast.AsyncFunctionDef


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(node: ast.AST) -> Iterator[str]:
    """Yield the full names of the modules that are imported anywhere below a node, for types as well."""
    for each in ast.walk(node):
        if isinstance(each, ast.Import):
            yield from (alias.name for alias in each.names)
        elif isinstance(each, ast.ImportFrom):
            yield "." * each.level + (each.module or "")


def at_once(module: ast.Module) -> Iterator[str]:
    """Yield what a module imports while it is itself imported."""
    waiting: list[ast.AST] = list(module.body)
    while waiting:
        node = waiting.pop()
        typing_only = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from imported(node)
        elif not isinstance(node, Function) and not typing_only:
            waiting.extend(ast.iter_child_nodes(node))


def strangers(room: str, names: Iterator[str]) -> set[str]:
    """Return what a room imports although it may not."""
    tops = {each: each.split(".")[0] for each in names}
    forbidden = {each for each, top in tops.items() if top in ROOMS and top not in MAY_IMPORT[room]}
    if room != "pipelines":
        forbidden |= {each for each, top in tops.items() if top in ONLY_PIPELINES}
    if room == "filters":
        forbidden |= {each for each, top in tops.items() if top == "pyarrow"}
    if room == "manifests":
        forbidden |= {each for each, top in tops.items() if top == "filters" and each not in SEAMS}
    return forbidden | {each for each in tops if each.startswith(".")}


def functions(module: ast.Module) -> Iterator[Function]:
    yield from (each for each in ast.walk(module) if isinstance(each, Function))


def parameters(function: Function) -> int:
    """Count what a caller has to know; the options of a verb are its user's, who picks one or two."""
    given = function.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    options = [each for each in every if each.annotation and "typer.Option(" in ast.unparse(each.annotation)]
    return sum(each.arg not in ("self", "cls") for each in every) - len(options)


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_imports_go_from_pipelines_to_manifests_to_filters(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    assert strangers(room, imported(tree(path))) == set()


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("filters", "import apache_beam as beam"),
        ("filters", "def f():\n    import pyarrow.parquet as pq"),
        ("filters", "from manifests.evidence import Evidence"),
        ("manifests", "from filters.urls import UrlBlocklist"),
        ("manifests", "from filters import urls"),
        ("manifests", "import tarfile"),
        ("manifests", "if TYPE_CHECKING:\n    from pipelines.job import Job"),
        ("pipelines", "from .job import Job"),
    ],
)
def test_an_import_against_the_direction_would_be_found(room: str, line: str) -> None:
    assert strangers(room, imported(ast.parse(line)))


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_what_is_slow_to_import_is_imported_when_it_is_needed(path: Path) -> None:
    assert {each.split(".")[0] for each in at_once(tree(path))}.isdisjoint(LATE)


def test_the_command_line_starts_without_anything_slow() -> None:
    code = "import sys; import pipelines.cli; print(*{name.split('.')[0] for name in sys.modules})"
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert "typer" in told.split()
    assert SLOW.isdisjoint(told.split())


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_annotations_are_never_put_off(path: Path) -> None:
    """Beam cannot read the types of a dataclass whose module puts them off."""
    assert "__future__" not in set(imported(tree(path)))


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_no_module_is_run_and_imported_under_two_names(path: Path) -> None:
    """A type defined in __main__ is another type on a worker, and its members compare unequal."""
    module = tree(path)
    guarded = any(isinstance(node, ast.Compare) and ast.unparse(node.left) == "__name__" for node in ast.walk(module))
    if path.name == "__main__.py":
        assert path == ROOT / "pipelines" / "__main__.py"
        assert {type(node) for node in module.body} == {ast.Expr, ast.ImportFrom}
    elif guarded or path.is_relative_to(ROOT / "benchmarks"):  # a script: it is run, and so defines no type
        assert path not in MODULES
        assert not [node for node in ast.walk(module) if isinstance(node, ast.ClassDef)]


def test_setup_names_its_packages_one_by_one() -> None:
    call = next(
        n for n in ast.walk(tree(ROOT / "setup.py")) if isinstance(n, ast.Call) and ast.unparse(n.func) == "setup"
    )
    packages = next(keyword.value for keyword in call.keywords if keyword.arg == "packages")
    folders = {path.parent for path in MODULES if path.name == "__init__.py"}
    assert sorted(ast.literal_eval(packages)) == sorted(name(folder).replace("/", ".") for folder in folders)
    assert all((ROOT / room / "py.typed").exists() for room in ROOMS)


def test_filters_is_ours_and_not_another_package_of_that_name() -> None:
    assert Path(filters.__file__).parent == ROOT / "filters"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_fits_the_head(path: Path) -> None:
    module = tree(path)
    long = {each.name: each.end_lineno - each.lineno + 1 for each in functions(module) if each.end_lineno}
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES
    assert {each: lines for each, lines in long.items() if lines > FUNCTION_LINES} == {}
    assert {each.name: count for each in functions(module) if (count := parameters(each)) > PARAMETERS} == {}
    assert path.stem not in ("utils", "util", "helpers", "common", "misc")


def test_no_class_inherits_from_one_that_inherits() -> None:
    """But for exceptions, whose tree is drawn at the head of filters/errors.py."""
    bases: dict[str, list[str]] = {}
    for path in MODULES:
        classes = [each for each in ast.walk(tree(path)) if isinstance(each, ast.ClassDef)]
        bases |= {each.name: [ast.unparse(base) for base in each.bases] for each in classes}
    deep = {each: above for each, above in bases.items() if any(bases.get(base) for base in above)}
    assert {each for each in deep if not each.endswith("Error")} == set()
    assert {base for each in deep for base in deep[each]} <= {"ShardwallError"}


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_everything_public_says_what_it_is(path: Path) -> None:
    module = tree(path)
    classes = [node for node in module.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    owners: list[ast.Module | ast.ClassDef] = [module, *classes]
    every = [node for owner in owners for node in owner.body if isinstance(node, Function | ast.ClassDef)]
    public = [node for node in every if not node.name.startswith("_")]
    assert ast.get_docstring(module)
    assert [node.name for node in public if not ast.get_docstring(node)] == []


def texts() -> Iterator[Path]:
    """Yield every file that is meant to be passed on."""
    folders = [*ROOMS, "tests", "benchmarks", "scripts", ".ci", "docs", "policies", "requirements"]
    files = [*ROOT.glob("*"), *(path for folder in folders for path in (ROOT / folder).rglob("*"))]
    yield from (path for path in files if path.is_file() and path.suffix not in (".pyc", ".so"))


def test_nothing_names_a_machine_or_a_registry() -> None:
    places = "|".join(("work/(main|shared)", "home", "root", "Users", "tmp/lab"))
    hosts = "|".join((r"pypi\.", r"files\.pythonhosted", r"registry\.npm", r"proxy\.golang", r"(extra-)?index-url"))
    named = re.compile(rf"(?<![\w.\-/])/({places})/|\b({hosts})".encode())
    assert [name(path) for path in texts() if path != Path(__file__) and named.search(path.read_bytes())] == []
    assert named.search(b"see /" + b"home/somebody/x")
    assert named.search(b"https://pypi" + b".org/simple")


def test_the_changelog_is_that_of_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    releases: list[str] = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", text, re.MULTILINE)
    assert releases[0] == VERSION
