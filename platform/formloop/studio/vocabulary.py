"""What a sentence can speak of at a place: the record's fields, those of records it points to, sums over its lines."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from formloop.access.actor import SYSTEM, Actor
from formloop.core import clock
from formloop.core.errors import NotFound, Problem
from formloop.core.expression import BOOL, DATE, DATETIME, TEXT, RecordType, Type
from formloop.core.expression.types import element
from formloop.core.text import M, Message
from formloop.forms import screen
from formloop.forms.fields.switch import NO, YES
from formloop.forms.publisher_rights import may_read
from formloop.forms.system_fields import SYSTEM_TITLES
from formloop.studio.conditions import (
    AGGREGATES,
    GIVEN,
    JOINS,
    OPERATORS,
    TODAY,
    WITHOUT_VALUE,
    Rule,
    Sentence,
    aggregate_of,
    holds_lines,
    normal,
    operators_for,
    pointing,
    points_to,
    read_sentence,
    type_of,
)
from formloop.studio.formula import Scope
from formloop.studio.pickers import Option, fields_of, find_newest, options_of, points_of, states_of

MOMENTS = (DATE, DATETIME)
PARAMETERS = "parameters"  # of a dataset, which may be left empty
STATE = "state"  # what every record has, and sentences often ask for


def _within(path: str) -> str:
    return path.rpartition(".")[0]


@dataclass(frozen=True, slots=True)
class Group:
    """Things of one record, or of lines; the record's own have no title."""

    title: str
    things: list[Option]


class Vocabulary:
    """The words for one place. Forms that are pointed to are looked up once, when they are spoken of."""

    joins = True  # comparisons can be joined by all, or by any
    bare = WITHOUT_VALUE

    def __init__(self, scope: Scope, locale: str, actor: Actor = SYSTEM) -> None:
        self.scope, self.locale, self.actor = scope, locale, actor
        self._forms: dict[str, Mapping[str, Any]] = {}
        self.names = pointing(scope.names, scope.points, self._points_in)
        self._points: dict[str, Mapping[str, str]] = {}
        self._named: dict[tuple[str, str], str] = {}
        self._known = dict([*scope.fields, *scope.own])
        if STATE in scope.names and scope.form:
            self._known.setdefault(STATE, SYSTEM_TITLES[STATE].render(locale))

    @cached_property
    def groups(self) -> list[Group]:
        """All that can be compared: as the record has it, through each relation, over the lines."""
        fields = self.scope.fields
        mine = dict(self.scope.own)
        own = [each for each in self._known.items() if each[0] not in mine and self.comparable(each[0])]
        related = [Group(word, list(self._behind(path))) for path, word in fields if self._form_at(path)]
        over = [Group(word, list(self._over(path))) for path, word in fields if "." not in path]
        return [each for each in (Group("", own), *related, *over) if each.things]

    def comparable(self, thing: str) -> bool:
        """Whether something can be compared with a value here."""
        return bool(operators_for(thing, self.names))

    def word(self, thing: str) -> str:
        """What something is called; itself where nobody says."""
        if thing == TODAY:
            return M("today").render(self.locale)
        if thing.startswith(GIVEN):
            return M("the parameter “{field}”, where it is filled in", field=self.word(thing[1:])).render(
                self.locale
            )
        if found := aggregate_of(thing):
            return M(AGGREGATES[found[0]].msgid, field=self.word(found[1])).render(self.locale)
        head, _, last = thing.rpartition(".")
        if thing in self._known or not self._form_at(head):
            return self._known.get(thing, thing)
        theirs = dict(fields_of(self._form_at(head), self.locale, lines=False))
        return f"{self.word(head)} · {theirs.get(last, last)}"

    def options(self, thing: str) -> list[Option]:
        """The choices of something that lists them."""
        head, _, last = thing.rpartition(".")
        if thing == STATE and STATE not in dict(self.scope.fields):
            return states_of(self._form(self.scope.form), self.locale)
        if thing in self.scope.options or not self._form_at(head):
            return self.scope.options.get(thing, [])
        return options_of(self._form_at(head), self.locale).get(last, [])

    def others(self, thing: str) -> list[Option]:
        """What something can be compared with instead of a value: fields of one kind, texts only with those elsewhere."""
        wanted = type_of(thing, self.names)
        wanted = element(wanted) if wanted is not None else None
        plain = [] if wanted in (BOOL, None) else self.scope.fields
        if wanted == TEXT:
            plain = [each for each in plain if _within(each[0]) != _within(thing)]
        alike = MOMENTS if wanted in MOMENTS else (wanted,)
        found = [each for each in [*self.scope.own, *plain] if self._kinds.get(each[0]) in alike != (None,)]
        given = [
            (f"{GIVEN}{path}", self.word(f"{GIVEN}{path}"))
            for path, _ in found
            if _within(path) == PARAMETERS
        ]
        today = [(TODAY, self.word(TODAY))] if wanted in MOMENTS else []
        return [*today, *found, *given]

    @cached_property
    def _kinds(self) -> Mapping[str, Type | None]:
        return {path: type_of(path, self.names) for path, _ in [*self.scope.own, *self.scope.fields]}

    def source(self, thing: str) -> str:
        """Where what something may be is searched: a form, people or departments."""
        return points_to(type_of(thing, self.names))

    def like(self, thing: str) -> str:
        """Things of one kind are compared alike; one of choices has its own, and sums are never empty."""
        if self.options(thing):
            return f"={thing}"
        kind = type_of(thing, self.names)
        named = f"{kind.name} {self.source(thing)}".strip() if kind else ""
        return f"sum {named}" if aggregate_of(thing) else named

    def compared(self, thing: str) -> dict[str, Any]:
        """What something can be compared with: a thing that stands for all that are compared alike."""
        kind = type_of(thing, self.names)
        options: list[tuple[str, Message | str]] = [*self.options(thing)]
        if kind == BOOL:
            options = [("true", YES), ("false", NO)]
        names = operators_for(thing, self.names) or ("is",)
        return {
            "kind": kind.name if kind else "",
            "thing": thing,
            "searched": bool(self.source(thing)) and "empty" in names and len(names) > 2,
            "several": False,
            "operators": [(each, OPERATORS[each][0]) for each in names],
            "options": options,
            "others": self.others(thing),
        }

    def called(self, thing: str, value: str) -> str:
        """What the record, person or department is called that a value names; nothing for who may not see it."""
        source, number = self.source(thing), clock.find_id(value)
        if not source or number is None:
            return ""
        if (source, value) not in self._named:
            with suppress(NotFound):  # a form that is not published has no records
                found = screen.names_of(self.actor, {source: {number}}, asked=True)
                self._named[source, value] = str(found.get((source, number), ""))
        return self._named.get((source, value), "")

    def written(self, sentence: Sentence) -> str:
        """The expression that a sentence is."""
        return sentence.written(self.names)

    def problems(self, sentence: Sentence) -> list[Problem]:
        """What cannot be compared with what was typed or not chosen."""
        return sentence.problems(self.names)

    def read(self, source: str) -> Sentence | None:
        """The sentence that an expression is, None where it is more than one."""
        found = read_sentence(source)
        return None if found is None else normal(found, self.names)

    def say(self, source: str) -> str:
        """The expression in words; itself where it is more than a sentence."""
        sentence = self.read(source)
        if sentence is None:
            return source
        return JOINS[sentence.join][2].render(self.locale).join(map(self._say, sentence.rules))

    def _say(self, rule: Rule) -> str:
        field, comparison = self.word(rule.field), OPERATORS[rule.operator][0]
        if rule.operator in WITHOUT_VALUE:
            return M("{field} {comparison}", field=field, comparison=comparison).render(self.locale)
        value = self.word(rule.other) if rule.other else self._said(rule)
        said = M("{field} {comparison} {value}", field=field, comparison=comparison, value=value)
        return said.render(self.locale)

    def _said(self, rule: Rule) -> Message | str:
        """The value in words: the title of a choice, the name of a record, yes or no."""
        known = dict(self.options(rule.field)).get(rule.value) or self.called(rule.field, rule.value)
        if not known and rule.value and self.source(rule.field):
            return f"#{rule.value}"
        return known or self._yes_or_no(rule)

    def _yes_or_no(self, rule: Rule) -> Message | str:
        if type_of(rule.field, self.names) not in (BOOL, None):
            return rule.value
        return {"true": YES, "false": NO}.get(rule.value, rule.value)

    def _behind(self, path: str) -> Iterator[Option]:
        """What can be compared of the record that a field points to, and may be read by whoever builds."""
        form = self._form_at(path)
        for key, _ in fields_of(form, self.locale, lines=False):
            thing = f"{path}.{key}"
            if self.comparable(thing) and may_read(self.actor, form["x-key"], key):
                yield thing, self.word(thing)

    def _over(self, lines: str) -> Iterator[Option]:
        """How many lines there are, and what their numbers and days come to."""
        if holds_lines(lines, self.names):
            columns = [path for path, _ in self.scope.fields if path.startswith(f"{lines}.")]
            wanted = [f"COUNT({lines})"]
            wanted += [f"{name}({path})" for path in columns for name in AGGREGATES if name != "COUNT"]
            yield from ((each, self.word(each)) for each in wanted if self.comparable(each))

    def _form_at(self, path: str) -> Mapping[str, Any]:
        """The form of the record that a path leads to."""
        found = type_of(path, self.names) if path else None
        points = isinstance(found, RecordType) and not found.name.startswith("@")
        return self._form(found.name) if found is not None and points else {}

    def _points_in(self, form: str) -> Mapping[str, str]:
        """Where the people and files of a form come from."""
        if form not in self._points:
            self._points[form] = points_of(self._form(form), self.locale)
        return self._points[form]

    def _form(self, key: str) -> Mapping[str, Any]:
        if key not in self._forms:
            self._forms[key] = find_newest("form", key) or {}
        return self._forms[key]
