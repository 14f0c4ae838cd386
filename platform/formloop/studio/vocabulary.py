"""What a sentence can speak of at a place: the record's fields, those of records it points to, sums over its lines."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from formloop.access.actor import SYSTEM, Actor
from formloop.core.expression import BOOL, RecordType
from formloop.core.text import M, Message
from formloop.forms.fields.switch import NO, YES
from formloop.forms.list_views import SYSTEM_TITLES
from formloop.forms.publisher_rights import may_read
from formloop.studio.conditions import (
    AGGREGATES,
    JOINS,
    OPERATORS,
    WITHOUT_VALUE,
    Rule,
    aggregate_of,
    holds_lines,
    operators_for,
    own_like,
    read_sentence,
    type_of,
)
from formloop.studio.formula import Scope
from formloop.studio.pickers import Option, fields_of, find_newest, options_of, states_of

STATE = "state"  # what every record has, and sentences often ask for


@dataclass(frozen=True, slots=True)
class Group:
    """Things of one record, or of lines; the record's own have no title."""

    title: str
    things: list[Option]


class Vocabulary:
    """The words for one place. Forms that are pointed to are looked up once, when they are spoken of."""

    def __init__(self, scope: Scope, locale: str, actor: Actor = SYSTEM) -> None:
        self.scope, self.locale, self.actor = scope, locale, actor
        self._forms: dict[str, Mapping[str, Any]] = {}
        self._known = dict(scope.fields)
        if STATE in scope.names and scope.form:
            self._known.setdefault(STATE, SYSTEM_TITLES[STATE].render(locale))

    @cached_property
    def groups(self) -> list[Group]:
        """All that can be compared: as the record has it, through each relation, over the lines."""
        fields = self.scope.fields
        own = [each for each in self._known.items() if self.comparable(each[0])]
        related = [Group(word, list(self._behind(path))) for path, word in fields if self._form_at(path)]
        over = [Group(word, list(self._over(path))) for path, word in fields if "." not in path]
        return [each for each in (Group("", own), *related, *over) if each.things]

    def comparable(self, thing: str) -> bool:
        """Whether something can be compared with a value here."""
        return bool(operators_for(thing, self.scope.names))

    def word(self, thing: str) -> str:
        """What something is called; itself where nobody says."""
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

    def own(self, thing: str) -> list[Option]:
        """The fields of this record that something of another form's record can be compared with."""
        alike = set(own_like(thing, self.scope.names))
        return [(key, word) for key, word in self.scope.own if key in alike]

    def say(self, source: str) -> str:
        """The expression in words; itself where it is more than a sentence."""
        sentence = read_sentence(source)
        if sentence is None:
            return source
        return JOINS[sentence.join][2].render(self.locale).join(map(self._say, sentence.rules))

    def _say(self, rule: Rule) -> str:
        field, comparison = self.word(rule.field), OPERATORS[rule.operator][0]
        if rule.operator in WITHOUT_VALUE:
            return M("{field} {comparison}", field=field, comparison=comparison).render(self.locale)
        value: Message | str = dict(self.options(rule.field)).get(rule.value) or self._yes_or_no(rule)
        if rule.own:
            value = M("“{field}” here", field=dict(self.scope.own).get(rule.own, rule.own))
        said = M("{field} {comparison} {value}", field=field, comparison=comparison, value=value)
        return said.render(self.locale)

    def _yes_or_no(self, rule: Rule) -> Message | str:
        if type_of(rule.field, self.scope.names) not in (BOOL, None):
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
        if holds_lines(lines, self.scope.names):
            columns = [path for path, _ in self.scope.fields if path.startswith(f"{lines}.")]
            wanted = [f"COUNT({lines})"]
            wanted += [f"{name}({path})" for path in columns for name in AGGREGATES if name != "COUNT"]
            yield from ((each, self.word(each)) for each in wanted if self.comparable(each))

    def _form_at(self, path: str) -> Mapping[str, Any]:
        """The form of the record that a path leads to."""
        found = type_of(path, self.scope.names) if path else None
        return self._form(found.name) if isinstance(found, RecordType) else {}

    def _form(self, key: str) -> Mapping[str, Any]:
        if key not in self._forms:
            self._forms[key] = find_newest("form", key) or {}
        return self._forms[key]
