"""The reference page is what the function table says, and every message exists in Chinese."""

import ast
from pathlib import Path

import formloop.core.expression
from formloop.core.expression import FUNCTIONS
from formloop.core.expression.reference import reference

ROOT = Path(formloop.core.expression.__file__).parent
PAGE = ROOT.parents[3] / "docs" / "reference" / "expressions.md"


def test_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), (
        "run: python -m formloop.core.expression.reference docs/reference/expressions.md"
    )


def test_every_function_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert all(f"### {name}\n" in page for name in FUNCTIONS)


def test_every_message_is_translated() -> None:
    catalogue = (ROOT.parent / "zh_CN.po").read_text(encoding="utf-8")
    missing = [text for text in _messages() if f'msgid "{_escaped(text)}"' not in catalogue]
    assert missing == []


def _messages() -> list[str]:
    calls = (
        node
        for path in sorted(ROOT.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "M"
    )
    return sorted({call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)})


def _escaped(text: str) -> str:
    return text.replace('"', '\\"')
