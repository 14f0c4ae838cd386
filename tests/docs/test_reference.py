"""The reference says what runs: no page is stale, and nothing that is registered is missing."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from formloop import app, documenting, measuring
from formloop.core.definitions import kinds
from formloop.core.expression.functions import FUNCTIONS
from formloop.forms.fields import types
from formloop.forms.filters import operators
from formloop.workflows.assignees import rules
from formloop.workflows.nodes import nodes

ROOT = Path(app.__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """The pages made now, by a process in which no test has registered anything."""
    folder = tmp_path_factory.mktemp("reference")
    subprocess.run([sys.executable, "-m", "formloop.documenting", str(folder)], check=True, cwd=ROOT)
    return folder


@pytest.mark.parametrize("name", documenting.PAGES)
def test_no_page_is_stale(fresh, name):
    made = (fresh / name).read_text("utf-8")
    assert made == (REFERENCE / name).read_text("utf-8"), "run: python -m formloop.documenting"


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("fields.md", [each.name for each in types]),
        ("filters.md", list(operators)),
        ("workflows.md", [*(each.name for each in nodes), *(each.name for each in rules)]),
        ("measures.md", [*measuring.PROOFS, *measuring.BENCHES]),
    ],
)
def test_everything_registered_stands_on_its_page(name, names):
    text = (REFERENCE / name).read_text("utf-8")
    assert [each for each in names if f"`{each}`" not in text and f'"{each}"`' not in text] == []


def test_every_function_and_every_kind_has_a_heading():
    functions = (REFERENCE / "expressions.md").read_text("utf-8")
    assert [name for name in FUNCTIONS if f"### {name}\n" not in functions] == []
    page = (REFERENCE / "kinds.md").read_text("utf-8")
    documented = re.findall(r"^`x-kind`: `(\w+)`$", page, re.MULTILINE)
    assert set(documented) <= {kind.name for kind in kinds}
    assert {"form", "workflow", "bridge", "role"} <= set(documented)


def test_every_environment_variable_that_is_read_is_documented():
    read = set()
    for folder in ("platform", "tests", ".ci"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and path.suffix in ("", ".py", ".html"):
                read |= set(re.findall(r"FORMLOOP_[A-Z_]*[A-Z]", path.read_text("utf-8", "ignore")))
    assert read - set(documenting.SETTINGS) == set()


def test_every_error_has_its_code_and_status():
    page = (REFERENCE / "errors.md").read_text("utf-8")
    for error in documenting._subclasses(documenting.errors.FormloopError):
        assert f"| `{error.code}` | {error.status} |" in page
