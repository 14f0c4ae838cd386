"""Why a person can or cannot do something with the records of a form: grants, row conditions, fields."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sqlalchemy import String, cast, or_, select

from formloop.access import gate, people, why
from formloop.access.actor import Actor
from formloop.access.gate import Grant
from formloop.access.why import Explanation, FieldSeen, Line, Weighed
from formloop.core import clock
from formloop.core.errors import NotFound
from formloop.core.expression import EvaluationError, Expression
from formloop.core.expression.expression import Step
from formloop.core.text import M, Message
from formloop.db import reading
from formloop.definitions import library
from formloop.forms import permits, rows
from formloop.forms.kind import get_form
from formloop.forms.links import Links
from formloop.forms.names import context_of
from formloop.forms.permits import Permit
from formloop.forms.spec import FormSpec, Values

PREFIX = "form"
MOST_STEPS = 40
PEOPLE, DEPARTMENTS = ("owner", "USER()"), ("department", "DEPARTMENT()")


class FormExplainer:
    """The answers of this room for resources such as `form:sales_order`."""

    def list_resources(self, locale: str) -> list[tuple[str, str]]:
        """Every published form."""
        return [(f"{PREFIX}:{key}", get_form(key).title(locale)) for key in library.list_keys("form")]

    def find_title(self, resource: str, locale: str) -> str | None:
        """The form's title."""
        try:
            return _form(resource).title(locale)
        except NotFound:
            return None

    def field_title(self, resource: str, path: str, locale: str) -> str:
        """The field's label, with its subform's in front for columns of lines."""
        try:
            spec = _form(resource)
        except NotFound:
            return path
        return _label(spec, path, locale)

    def explain(
        self, asker: Actor, actor: Actor, action: str, resource: str, record: str, locale: str
    ) -> Explanation:
        """The whole answer, for the form or for one of its records."""
        spec = _form(resource)
        decision, permit = gate.decide(actor, action, resource), permits.find_permit(actor, action, spec)
        if permit is None:
            return Explanation(False, decision.reason)
        if not record:
            weighed = tuple(Weighed(grant, None) for grant in permit.grants)
            some = M(
                "Every grant has a condition, so this holds for some records only. Ask about one of them."
            )
            remarks = (some,) if all(grant.condition for grant in permit.grants) else ()
            fields = _fields(permit, None, locale)
            return Explanation(True, decision.reason, weighed, fields, remarks=remarks)
        return _about_record(asker, actor, permit, record, locale)


def _form(resource: str) -> FormSpec:
    return get_form(resource.partition(":")[2])


def _label(spec: FormSpec, path: str, locale: str) -> str:
    head, _, rest = path.partition(".")
    top, each = spec.find(head), spec.find(path)
    if each is None or top is None:
        return path
    return f"{top.title(locale)} · {each.title(locale)}" if rest else each.title(locale)


def _about_record(asker: Actor, actor: Actor, permit: Permit, wanted: str, locale: str) -> Explanation:
    spec = permit.spec
    with reading() as conn:
        found = _find(asker, spec, wanted)
        if found is None:
            raise NotFound(M("There is no record “{record}” that you may see.", record=wanted))
        context = context_of(actor)
        env = Links(actor, spec, [found]).environment(spec, found)
        giving = permit.giving(env, context)
        may_read = _readable(asker, spec, found)
        weighed = tuple(
            _weigh(grant, condition, env, context, may_read)
            for grant, condition in zip(permit.grants, permit.conditions, strict=True)
        )
        # the list of a form asks the database; both must give the same answer
        there = bool(rows.load(conn, spec, [found["id"]], permit.where(context)))
    title = str(found.get(spec.title_field) or f"#{found['id']}")
    remarks = _remarks(spec, found, locale)
    if not giving or not there:
        text = M("{name} has the right, but none of the grants gives this record.", name=actor.name)
        return Explanation(False, text, weighed, (), title, remarks)
    names = ", ".join(f"{permit.grants[i].role}/{permit.grants[i].id}" for i in giving)
    text = (
        M("Administrators may do everything.")
        if actor.administrator
        else M("Allowed by the grants {names}.", names=names)
    )
    return Explanation(True, text, weighed, _fields(permit, giving, locale), title, remarks)


def _find(asker: Actor, spec: FormSpec, wanted: str) -> Values | None:
    """The record with this number or id, as far as whoever asks may see it."""
    permit = permits.find_permit(asker, "view", spec)
    if permit is None:
        return None
    table = spec.table
    named = table.c.get(spec.title_field, table.c.id)
    query = select(table.c.id).where(or_(cast(named, String) == wanted, cast(table.c.id, String) == wanted))
    where = permit.where(context_of(asker))
    with reading() as conn:
        record = conn.execute(query if where is None else query.where(where)).scalars().first()
        return None if record is None else rows.load(conn, spec, [record])[record]


def _readable(asker: Actor, spec: FormSpec, found: Values) -> frozenset[str] | None:
    """The fields of the record that whoever asks may see; None for all of them."""
    if asker.administrator:
        return None
    permit = permits.require_permit(asker, "view", spec)
    env = Links(asker, spec, [found]).environment(spec, found)
    return permit.visible(env, context_of(asker))


def _weigh(
    grant: Grant, condition: Expression | None, env: Any, context: Any, readable: frozenset[str] | None
) -> Weighed:
    if condition is None:
        return Weighed(grant, True, remark=M("It has no row condition: it gives every record."))
    hidden: Message | None = None
    if readable is not None and not all(_is_readable(path, readable) for path in condition.reads):
        hidden = M("The values of the condition are hidden from you.")
    try:
        step = condition.trace(env, context)
    except EvaluationError as error:
        return Weighed(grant, False, remark=hidden or error.message)
    if hidden is not None:
        return Weighed(grant, step.value is True, remark=hidden)
    lines = tuple(_lines(step))[:MOST_STEPS]
    return Weighed(grant, step.value is True, _named(lines))


def _is_readable(path: tuple[str, ...], readable: frozenset[str]) -> bool:
    # what a relation leads to belongs to another record, which may be hidden as a whole
    return len(path) == 1 and (path[0] in readable or path[0] in ("owner", "department", "state"))


def _lines(step: Step, depth: int = 0) -> Iterator[Line]:
    yield Line(step.text, _shown(step.value), depth)
    for below in step.steps:
        yield from _lines(below, depth + 1)


def _named(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """People and departments by their names instead of their ids, where the condition asks about them."""
    asked = {line.text: line.value for line in lines if line.text in PEOPLE + DEPARTMENTS}
    ids = {text: number for text, value in asked.items() if (number := clock.find_id(value)) is not None}
    names = people.names_of(ids[text] for text in PEOPLE if text in ids)
    places = people.department_names(ids[text] for text in DEPARTMENTS if text in ids)
    known = {**{str(i): name for i, name in names.items()}, **{str(i): name for i, name in places.items()}}
    return tuple(
        replace(line, value=known.get(str(line.value), line.value)) if line.text in ids else line
        for line in lines
    )


def _shown(value: Any) -> Any:
    if value is None:
        return "–"
    return "✓" if value is True else "✗" if value is False else str(value)


def _fields(permit: Permit, giving: list[int] | None, locale: str) -> tuple[FieldSeen, ...]:
    """Every field with the grants (of those that give the record) that reach it."""
    chosen = range(len(permit.grants)) if giving is None else giving
    found = []
    for path in permit.paths:
        names = tuple(
            f"{permit.grants[i].role}/{permit.grants[i].id}" for i in chosen if path in permit.reach[i]
        )
        found.append(FieldSeen(_label(permit.spec, path, locale), bool(names), names))
    return tuple(found)


def _remarks(spec: FormSpec, found: Values, locale: str) -> tuple[Message, ...]:
    state = spec.states.get(found["state"])
    remarks = [
        M(
            "The record is in the state “{state}”; what may be changed there is up to its workflow.",
            state=state.title(locale) if state else found["state"],
        )
    ]
    if found["deleted_at"] is not None:
        remarks.append(M("The record lies in the recycle bin."))
    return tuple(remarks)


def enroll() -> None:
    """Let the room of rights ask here."""
    if PREFIX not in why.explainers:
        why.explainers.add(PREFIX, FormExplainer())
