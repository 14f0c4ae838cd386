"""Writes docs/reference from what runs: `python -m formloop.documenting` in a checkout.

Each page is a function without arguments; a test compares them with the files, so none can be out of date.
"""

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from formloop import app, measuring
from formloop.cli import main as command_line
from formloop.core import errors
from formloop.core.definitions import kinds, with_suggestion
from formloop.core.expression.reference import reference as expressions
from formloop.core.text import M, Message, load_catalogues, translate
from formloop.forms.fields.reference import page as fields
from formloop.forms.filters import operators
from formloop.planning.operators import operators as operators_of_plans
from formloop.planning.spec import Column
from formloop.workflows.assignees import rules
from formloop.workflows.nodes import nodes

PACKAGE = Path(app.__file__).parent  # importing the application has filled every registry
FOLDER = PACKAGE.parents[1] / "docs" / "reference"
MADE = "\n\nMade by `python -m formloop.documenting`; a test checks that it is current.\n\n"
SETTINGS = {
    "FORMLOOP_INSTANCE": "Where the site keeps its database, files and keys. Default: `instance/`.",
    "FORMLOOP_DATABASE_URL": "The database: `postgresql://user@host/name`. Default: SQLite in the instance.",
    "FORMLOOP_REDIS_URL": "The queue server of a site on many machines. Default: one of the site's own.",
    "FORMLOOP_PUBLIC_URL": "The address people use. Needed as soon as the site listens beyond this machine.",
    "FORMLOOP_ZONE": "The time zone of the site. Default: `Asia/Shanghai`.",
    "FORMLOOP_LOCALE": "The language of people who have not chosen: `en` or `zh-CN`. Default: `en`.",
    "FORMLOOP_LANG": "The language of the command line: `en` or `zh`. Default: that of the terminal (`LC_ALL`, `LANG`).",
    "FORMLOOP_BIN_DAYS": "After how many days what lies in the recycle bin is deleted for ever. Default: `0`, never.",
    "FORMLOOP_SMTP_URL": "How letters go out: `smtps://user:password@host:465` or `smtp://host:587`. Default: none do.",
    "FORMLOOP_MAIL_FROM": "Whom letters come from. Default: `formloop@localhost`.",
    "FORMLOOP_DINGTALK_URL": "The web address of a DingTalk group robot; a secret.",
    "FORMLOOP_DINGTALK_SECRET": "What calls of the DingTalk robot are signed with, if it wants that.",
    "FORMLOOP_WECOM_URL": "The web address of a WeCom group robot; a secret.",
    "FORMLOOP_FEISHU_URL": "The web address of a Feishu group robot; a secret.",
    "FORMLOOP_FEISHU_SECRET": "What calls of the Feishu robot are signed with, if it wants that.",
    "FORMLOOP_PRIVATE_HOSTS": "Addresses inside the house that workflows may call: `10.0.0.5:8443, 10.0.0.6:80`. Default: none.",
    "FORMLOOP_DEMO": "`1` allows signing in as the demo's people, from this machine only.",
    "FORMLOOP_CHROMIUM": "Tests: the browser to drive. Default: the one on the path.",
    "FORMLOOP_TEST_DATABASE_URL": "Tests: a PostgreSQL that may be emptied. Default: one started for them.",
    "FORMLOOP_WHOLE": "Tests: all of the reference orders, not every eighth one, as `make proof` says it.",
    "FORMLOOP_BENCH_SCALE": "Benchmarks: 0.001 takes a thousandth of the rows and of the time, to see that they run.",
    "FORMLOOP_BENCH_SQLITE": "Benchmarks in their small form: a file with the demo, of which they take a copy.",
    "FORMLOOP_BENCH_POSTGRESQL": "Benchmarks in their small form: the address of a database with the demo, which they fill.",
    "FORMLOOP_BENCH_RECORDS": "The benchmark `studio`: records of the form that is published. Default: 1,000,000.",
}
_BENCHES = {
    "records": "saving an order of ten lines",
    "lists": "a page of 50 of a million records, filtered and sorted, near the start and far behind",
    "datasets": "pages and groups over 200,000 order lines, each by its reader's rights",
    "import": "100,000 rows of 20 columns from Excel, checked and written",
    "workflow": "approvals of three steps, each step its own transaction",
    "bridge": "deliveries after the transaction and within it",
    "http": "creating and listing records over HTTP, start and memory of the served site",
    "expression": "calculating formulas",
    "ledger": "entering documents into ledgers and whole orders, beside the same rows by hand; balances of 100,000 things, back-dating under 100,000 entries",
    "studio": "an edit on a form of 200 fields in the designer, with undo kept and the draft checked; publishing over a million records while others save",
}


def kinds_page() -> str:
    """Every kind of definition with every key it knows."""
    parts = ["# Kinds of definitions" + MADE + _KEYS]
    for kind in sorted(kinds, key=lambda kind: kind.name):
        chinese = translate(kind.title.render("en"), "zh-CN")
        parts += [f"## {kind.title.render('en')} · {chinese}\n", f"`x-kind`: `{kind.name}`\n"]
        parts += ["| Key | Value | Name | 名称 |", "|---|---|---|---|"]
        required = set(kind.schema["required"])
        for path, schema in _properties(kind.schema, kind.schema, ""):
            star = " *" if path in required else ""
            parts.append(_row(f"`{path}`{star}", _value(schema, kind.schema), *_titles(schema)))
        parts.append("")
    return "\n".join(parts)


_KEYS = (
    "A definition is one JSON object. Keys that are not listed here are refused, with the nearest one suggested. "
    "`*` marks what every definition of the kind must have; `[]` stands for each member of a list, `<…>` for "
    "names people choose. The steps of workflows have [a page of their own](workflows.md), field types "
    "[another](fields.md).\n"
)


def workflows_page() -> str:
    """Steps and the ways to choose people."""
    parts = ["# Steps of workflows" + MADE]
    for heading, registry, word in (
        ("Steps", nodes, "node"),
        ("Who decides", rules, "rule"),
    ):
        parts.append(f"## {heading}\n")
        for each in registry:
            english = each.title.render("en")
            parts.append(f'### {english} · {translate(english, "zh-CN")}\n\n`"{word}": "{each.name}"`')
            parts.append(f" — {' '.join((inspect.getdoc(each) or '').split())}\n")
            if each.schema:
                parts += ["\n| Key | Value | Name | 名称 |\n|---|---|---|---|\n"]
                schema = {"properties": each.schema}
                for path, found in _properties(schema, kinds.get("workflow").schema, ""):
                    star = " *" if path in each.required else ""
                    parts.append(_row(f"`{path}`{star}", _value(found, schema), *_titles(found)) + "\n")
            parts.append("\n")
    return "".join(parts).rstrip() + "\n"


def operators_page() -> str:
    """The calculations of plans."""
    parts = ["# Calculations of plans" + MADE]
    told = (
        "`*` marks columns that must have a value; a port may be fed by any dataset with these columns.\n\n"
    )
    parts.append(told)
    for each in operators_of_plans:
        english = each.title.render("en")
        parts.append(f'## {english} · {translate(english, "zh-CN")}\n\n`"operator": "{each.name}"`')
        parts.append(f" — {' '.join((inspect.getdoc(each) or '').split())}\n\n")
        parts.append("| Table | Name | 名称 | Columns |\n|---|---|---|---|\n")
        for word, ports in (("reads", each.ports), ("gives", each.outputs)):
            for name, port in ports.items():
                title = port.title.render("en")
                cells = (f"{word} `{name}`", title, translate(title, "zh-CN"), _columns(port.columns))
                parts.append(_row(*cells) + "\n")
        parts.append("\n| Parameter | Value | Name | 名称 |\n|---|---|---|---|\n")
        for key, schema in each.parameters.items():
            parts.append(_row(f"`{key}`", _value(schema, schema), *_titles(schema)) + "\n")
        parts.append("\n")
    return "".join(parts).rstrip() + "\n"


def _columns(columns: Mapping[str, Column]) -> str:
    return ", ".join(f"`{name}`{' *' if each.required else ''} {each.kind}" for name, each in columns.items())


def filters_page() -> str:
    """The operators of lists and of the API."""
    rows = [
        _row(
            f"`{name}`",
            each.title.render("en"),
            translate(each.title.render("en"), "zh-CN"),
            str(each.values),
        )
        for name, each in operators.items()
    ]
    head = "| Operator | Name | 名称 | Values |\n|---|---|---|---|\n"
    told = "Lists and the API filter with `f.<field>.<operator>=<value>`; [field types](fields.md) say which fit.\n\n"
    return "# Operators of lists" + MADE + told + head + "\n".join(rows) + "\n"


def commands_page() -> str:
    """The command line."""
    parts = ["# Command line" + MADE.rstrip() + " The exit code is 0 only when all went well."]
    for path, command in _commands(command_line, "formloop"):
        context = click.Context(command, info_name=path)
        usage = " ".join(command.collect_usage_pieces(context))
        parts.append(f"## {path}\n\n`{path} {usage}`\n\n{(command.help or '').strip()}")
        options = [o for o in command.params if isinstance(o, click.Option) and not o.hidden]
        told = [
            f"- `{', '.join(o.opts)}`{' ' + o.make_metavar(context) if not o.is_flag else ''} {o.help or ''}".rstrip()
            for o in options
        ]
        if told:
            parts.append("\n".join(told))
    return "\n\n".join(parts) + "\n"


def settings_page() -> str:
    """The environment variables."""
    rows = [_row(f"`{name}`", says) for name, says in SETTINGS.items()]
    return "# Environment variables" + MADE + "| Variable | Meaning |\n|---|---|\n" + "\n".join(rows) + "\n"


def measures_page() -> str:
    """Proofs and benchmarks."""
    parts = ["# Proofs and benchmarks" + MADE.rstrip()]
    parts.append(
        "`formloop proof NAME` tries to break a promise and exits with 1 when it can; `--seed` repeats a run. "
        "`formloop bench NAME` prints figures beside the same work done by hand. Both take `--json`.\n\n## Proofs"
    )
    for name, place in measuring.PROOFS.items():
        parts.append(f"- `{name}`: {_purpose(place.partition(':')[0])}")
    parts.append("## Benchmarks")
    parts += [f"- `{name}`: {_BENCHES[name]}" for name in measuring.BENCHES]
    return "\n\n".join(parts) + "\n"


def errors_page() -> str:
    """Errors of a whole request, and the codes of problems inside one."""
    told = (
        'The API answers `{"error": {code, message, problems, request_id}}`; pages say the same in words.\n\n'
    )
    head = "| Code | Status | Meaning |\n|---|---|---|\n"
    rows = [
        _row(f"`{each.code}`", str(each.status), _first_line(each))
        for each in _subclasses(errors.FormloopError)
    ]
    found = dict[str, set[str]]()
    for code, sentence in _problems():
        found.setdefault(code, set()).add(sentence)
    codes = [_row(f"`{code}`", "<br>".join(sorted(filter(None, found[code])))) for code in sorted(found)]
    inside = "\n\n## Problems\n\nEach has a code, the path of what is wrong (`at`) and a sentence.\n\n"
    table = "| Code | Sentences |\n|---|---|\n"
    return "# Errors" + MADE + told + head + "\n".join(rows) + inside + table + "\n".join(codes) + "\n"


PAGES: Mapping[str, Callable[[], str]] = {
    "expressions.md": expressions,
    "fields.md": fields,
    "kinds.md": kinds_page,
    "workflows.md": workflows_page,
    "operators.md": operators_page,
    "filters.md": filters_page,
    "commands.md": commands_page,
    "settings.md": settings_page,
    "measures.md": measures_page,
    "errors.md": errors_page,
}


def write_pages(folder: Path = FOLDER) -> None:
    """Write every page."""
    load_catalogues(PACKAGE)
    for name, make in PAGES.items():
        (folder / name).write_text(make(), "utf-8")


def _properties(schema: Mapping[str, Any], root: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    """Every key below a schema with its path; what refers to itself is told once."""
    for key, found in schema.get("properties", {}).items():
        below = f"{path}.{key}" if path else key
        yield below, found
        yield from _inside(found, root, below)


def _inside(schema: Mapping[str, Any], root: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    target = _target(schema, root)
    if path.count(".") > 6 or re.search(r"(<[a-z]+>).*\1.*\1", path):
        return
    if schema.get("$ref", "").endswith(("/step", "/steps", "/who")) or "x-title" in path.split(".")[-1:]:
        return
    yield from _properties(target, root, path)
    if isinstance(items := target.get("items"), dict):
        yield from _inside(items, root, f"{path}[]")
    if isinstance(others := target.get("additionalProperties"), dict):
        name = "<field>" if others.get("$ref", "").endswith("/field") else "<name>"
        if not (name == "<field>" and path.count("<field>")):
            yield from _inside(others, root, f"{path}.{name}")


def _target(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = str(schema.get("$ref", ""))
    found: Mapping[str, Any] = root
    for step in reference.removeprefix("#/").split("/") if reference else ():
        found = found[step]
    return found if reference else schema


def _value(schema: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    """What may stand there, in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return ", ".join(f"`{each}`" for each in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if "anyOf" in schema:
        return " or ".join(_value(each, root) for each in schema["anyOf"])
    kind = str(schema.get("type", "any"))
    items = schema.get("items")
    return f"list of {_value(items, root)}" if kind == "array" and isinstance(items, dict) else kind


def _titles(schema: Mapping[str, Any]) -> tuple[str, str]:
    chinese = schema.get("x-title")
    return str(schema.get("title", "")), str(chinese.get("zh-CN", "")) if isinstance(chinese, dict) else ""


def _row(*cells: str) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def _commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path} {name}")
        elif not command.hidden:
            yield f"{path} {name}", command


def _subclasses(error: type[errors.FormloopError]) -> Iterator[type[errors.FormloopError]]:
    for each in error.__subclasses__():
        if each.__module__.startswith("formloop."):
            yield each
            yield from _subclasses(each)


def _purpose(module: str) -> str:
    """What a module says it is for, read without running it."""
    path = PACKAGE.parent.joinpath(*module.split(".")).with_suffix(".py")
    told = ast.get_docstring(ast.parse(path.read_text("utf-8"))) if path.is_file() else None
    return " ".join((told or "").split())


def _first_line(thing: type) -> str:
    return (inspect.getdoc(thing) or "").splitlines()[0]


def _problems() -> Iterator[tuple[str, str]]:
    """Code and sentence of every problem written in the code; the sentence is empty where it is calculated."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if "proof" in path.name:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Problem":
                code = node.args[0] if node.args else None
                if isinstance(code, ast.Constant):
                    yield str(code.value), _sentence(node.args[2] if len(node.args) > 2 else None)


def _sentence(node: ast.expr | None) -> str:
    called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
    first = node.args[0] if isinstance(node, ast.Call) and node.args else None
    if called == with_suggestion.__name__:
        return _sentence(first)
    if called != M.__name__:
        return ""
    return Message(str(first.value)).msgid if isinstance(first, ast.Constant) else ""


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
