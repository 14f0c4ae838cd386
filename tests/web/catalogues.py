"""Finds the sentences that each room says to people, and their Chinese."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter

from babel.messages.pofile import read_po
from jinja2 import Environment, nodes

import formloop

PACKAGE = Path(formloop.__file__).parent
SAYING = {"M", "Message", "Registry"}  # a registry's name stands in its error text

Place = tuple[str, str]  # sentence, file:line


def list_rooms() -> list[str]:
    """Every room, and "" for the files beside them."""
    return ["", *sorted(p.name for p in PACKAGE.iterdir() if p.is_dir() and any(p.rglob("*.py")))]


@cache
def sentences_of(room: str) -> list[Place]:
    """All sentences of a room's Python and templates."""
    files = PACKAGE.glob("*.py") if room == "" else (PACKAGE / room).rglob("*.py")
    found = [place for path in sorted(files) for place in _in_python(path)]
    if room:
        for path in sorted((PACKAGE / room).rglob("templates/**/*.*")):
            found += _in_template(path)
    return found


def _in_python(path: Path) -> Iterator[Place]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called = node.func.value if isinstance(node.func, ast.Subscript) else node.func
        name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
        for said in _texts(node.args[0]) if name in SAYING else ():
            yield said, f"{path.relative_to(PACKAGE)}:{node.lineno}"


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    if isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Dict):
        for each in node.value.values:
            yield from _texts(each)


def _in_template(path: Path) -> Iterator[Place]:
    tree = Environment(autoescape=True, extensions=["jinja2.ext.do"]).parse(path.read_text("utf-8"))
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "_":
            for said in _texts_in_template(call.args[0]):
                yield said, f"{path.relative_to(PACKAGE)}:{call.lineno}"


def _texts_in_template(node: nodes.Expr) -> Iterator[str]:
    if isinstance(node, nodes.Const):
        yield str(node.value)
    if isinstance(node, nodes.CondExpr):
        for branch in filter(None, (node.expr1, node.expr2)):
            yield from _texts_in_template(branch)
    if isinstance(node, nodes.Getitem) and isinstance(node.node, nodes.Dict):
        for pair in node.node.items:
            yield from _texts_in_template(pair.value)


@cache
def catalogue_of(room: str) -> dict[str, str]:
    """English to Chinese, as the room's file has it."""
    path = PACKAGE / room / "zh_CN.po"
    if not path.is_file():
        return {}
    with path.open("rb") as file:
        return {str(entry.id): str(entry.string) for entry in read_po(file, locale="zh_CN") if entry.id}


def places_in(sentence: str) -> set[str]:
    """The names in braces."""
    return {re.split(r"[.\[]", name)[0] for _, name, _, _ in Formatter().parse(sentence) if name}
