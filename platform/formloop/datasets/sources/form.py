"""The records of a form, or with `each` the lines of one of its subforms, each beside its record."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from formloop.access import gate
from formloop.core.definitions.envelope import KEY_PATTERN
from formloop.core.errors import Problem
from formloop.core.expression import ListType, Path, Type
from formloop.core.text import LOCALES, M
from formloop.datasets.keeping_back import sees_all_of, shows_nowhere
from formloop.datasets.sight import FormRows
from formloop.datasets.spec import LINE, Find, Origin, Read, Rows, SourceKind, View
from formloop.forms.fields import types
from formloop.forms.kind import get_form
from formloop.forms.spec import Field, FormSpec, no_form
from formloop.forms.system_fields import SYSTEM_TITLES, system_field


class FromForm(SourceKind):
    """Records of a form, or the lines of a subform of it."""

    name = "form"
    schema: ClassVar[Mapping[str, Any]] = {
        "form": {
            "type": "string",
            "pattern": KEY_PATTERN,
            "x-picked": True,
            "title": "Form",
            "x-title": {"zh-CN": "表单"},
        },
        "each": {
            "type": "string",
            "pattern": KEY_PATTERN,
            "x-picked": True,
            "title": "Once for each line of",
            "x-title": {"zh-CN": "逐行处理的明细"},
        },
    }

    def references(self, said: Mapping[str, Any]) -> set[tuple[str, str]]:
        """The form."""
        return {("form", said["form"])}

    def open(
        self, said: Mapping[str, Any], find: Find, parameters: Mapping[str, Type]
    ) -> tuple[Origin | None, list[Problem]]:
        """The form, and its lines if they are meant."""
        spec, each = find("form", said["form"]), said.get("each")
        if not isinstance(spec, FormSpec):
            return None, [no_form("form", said["form"])]
        if each and each not in spec.line_tables:
            text = M("The form “{form}” has no lines “{key}”.", form=spec.key, key=each)
            return None, [Problem("no_lines", "each", text)]
        return FormOrigin(spec, each), []


class FormOrigin:
    """A form as a source: its fields are named bare, those of the line behind `line`."""

    identified = True

    def __init__(self, spec: FormSpec, each: str | None) -> None:
        self.form, self.each = spec.key, each
        self._spec, self.tables = spec, 2 if each else 1
        names = dict(spec.names)
        lines = names.get(each) if each else None
        if isinstance(lines, ListType):
            names[LINE] = lines.of
        self.names: Mapping[str, Type] = names

    def find_field(self, path: Path) -> Field | None:
        """The field at `path`, also behind relations."""
        steps = list(self._steps(path))
        form, at, rest = steps[-1] if steps else ("", "", path)
        if not steps or rest:
            return None
        return _field(get_form(form) if form != self.form else self._spec, at)

    def reads(self, path: Path) -> Iterator[Read]:
        """Each form that is stepped through, with the path of its field."""
        for form, at, _ in self._steps(path):
            yield form, at

    def _steps(self, path: Path) -> Iterator[tuple[str, str, Path]]:
        if path[0] == LINE and self.each:
            path = (self.each, *path[1:])
        yield from steps(self._spec, path)

    def rows(self, view: View) -> Rows:
        """Its rows for one person."""
        return FormRows(view, self._spec, self.each)

    def whole(self, view: View) -> bool:
        """Whether the person may see every row of it."""
        return sees_all_of(view, (self.form, ""))

    def closed(self, view: View, path: Path) -> bool:
        """Whether what stands at a path is hidden from the person in every row."""
        return any(shows_nowhere(view, (form, at)) for form, at, _ in self._steps(path))

    def require(self, view: View) -> None:
        """Forbidden without any grant on the form."""
        for action in view.actions:
            gate.require(view.actor, action, self._spec.resource)


def steps(spec: FormSpec, path: Path) -> Iterator[tuple[str, str, Path]]:
    """Form, path within it, and what is left, for every form that `path` leads through."""
    length = 2 if path[0] in spec.line_tables and len(path) > 1 else 1
    at = ".".join(path[:length])
    field, rest = spec.find(at), path[length:]
    yield spec.key, at, rest
    if field is not None and field.relation is not None and rest:
        yield from steps(get_form(field.relation.form), rest)


def _field(spec: FormSpec, at: str) -> Field | None:
    found = spec.find(at)
    if found is not None or "." in at:
        return found
    if at == "state":
        return _state(spec)
    system = system_field(at)
    return None if system is None else _titled(system)


def _state(spec: FormSpec) -> Field:
    titles = {state.key: state.document for state in spec.states.values()}
    schema = {**_titles("state"), "enum": list(titles), "x-titles": titles}
    return Field("state", "state", types.get("dropdown"), schema, choices=tuple(titles))


def _titled(field: Field) -> Field:
    return Field(field.key, field.path, field.type, {**field.schema, **_titles(field.key)})


def _titles(key: str) -> dict[str, Any]:
    title, chinese = (SYSTEM_TITLES[key].render(locale) for locale in LOCALES)
    return {"title": title, "x-title": {LOCALES[1]: chinese}}
