"""What a list begins with, as a sentence: its fields, how a list can be filtered by each, and options by their titles."""

from collections.abc import Iterator
from functools import cached_property
from itertools import groupby
from typing import Any

from formloop.core.errors import Problem
from formloop.core.text import M, Message
from formloop.forms import beginnings
from formloop.forms.fields.switch import NO, YES
from formloop.forms.filters import Filter, operators, read_filter
from formloop.forms.spec import Field
from formloop.forms.system_fields import SYSTEM_TITLES, system_field
from formloop.studio.conditions import OPERATORS, Rule, Sentence
from formloop.studio.list_canvas import READER, Listed
from formloop.studio.pickers import Around, Option
from formloop.studio.samples import BESIDE
from formloop.studio.shapes import mapping
from formloop.studio.vocabulary import Group

ENDS = {"at_least", "at_most"}  # of a range, which may have both
_IS = {"yes": "true", "no": "false"}


class ListFilters:
    """The words for the default filters of the form that is designed."""

    joins = False  # a list always asks for all of them
    bare = beginnings.PERIODS

    def __init__(self, around: Around) -> None:
        self.listed = Listed(around)
        self.locale = around.locale

    @cached_property
    def groups(self) -> list[Group]:
        """Everything that a list can begin with."""
        keys = [*self.listed.fields, *(key for key in SYSTEM_TITLES if key not in self.listed.fields)]
        found = [
            (key, self.word(key)) for key in keys if (each := self._field(key)) and beginnings.ways(each)
        ]
        return [Group("", found)]

    def word(self, thing: str) -> str:
        """What a field is called."""
        return self.listed.title(thing)

    def called(self, thing: str, value: str) -> str:
        """Nothing here is searched for."""
        return ""

    def like(self, thing: str) -> str:
        """Each field has options of its own."""
        return f"={thing}" if thing else ""

    def compared(self, thing: str) -> dict[str, Any]:
        """How a list can be filtered by a field."""
        field = self._field(thing)
        known = beginnings.ways(field) if field else ()
        options: list[tuple[str, Message | str]] = [*self._options(thing)]
        if field and field.type.source(field) == "@person":
            options = [(beginnings.ME, READER)]
        ways = [(each, operators[each].title) for each in known]
        if "yes" in known:
            ways, options = [("is", OPERATORS["is"][0])], [("true", YES), ("false", NO)]
        return {
            "kind": "date" if "today" in known else "number" if field and field.type.numeric else "",
            "thing": thing,
            "searched": False,
            "several": known == ("any_of",) and bool(options),
            "operators": ways or [("is", OPERATORS["is"][0])],
            "options": options,
            "others": [],
        }

    def read(self, value: Any) -> Sentence:
        """The sentence that `x-list.begins` is."""
        return Sentence(tuple(rule for key, said in self._said(value) for rule in self._rules(key, said)))

    def written(self, sentence: Sentence) -> dict[str, str]:
        """The value of `x-list.begins` that the sentence is."""
        asked = [each for each in sentence.rules if each.field]
        places = list(dict.fromkeys(each.field for each in asked))
        asked.sort(key=lambda each: places.index(each.field))
        return {
            key: beginnings.written([self._written(each) for each in rules])
            for key, rules in groupby(asked, lambda each: each.field)
        }

    def problems(self, sentence: Sentence) -> list[Problem]:
        """What a list cannot be filtered by, or is not said yet."""
        found, seen = list[Problem](), dict[str, set[str]]()
        for rule in (each for each in sentence.rules if each.field):
            there = seen.setdefault(rule.field, set())
            if there and (rule.operator in there or not {rule.operator, *there} <= ENDS):
                text = M(
                    "“{field}” stands here twice. Say all of it in one line.", field=self.word(rule.field)
                )
                found.append(Problem("twice", rule.field, text))
            there.add(rule.operator)
            found += self._refused(rule)
        return found

    def say(self, value: Any) -> str:
        """The default filters in words."""
        begins = {key: each for key, each in mapping(value).items() if isinstance(each, str)}
        asked = self.listed.asked(begins, self.listed.fields)
        return ("；" if self.locale.startswith("zh") else "; ").join(
            self.listed.in_words(each) for each in asked
        )

    def _said(self, value: Any) -> Iterator[tuple[str, str]]:
        for key, said in mapping(value).items():
            if isinstance(said, str) and (field := self._field(key)) and beginnings.ways(field):
                yield key, said

    def _field(self, key: str) -> Field | None:
        return self.listed.fields.get(key) or system_field(key)

    def _options(self, key: str) -> list[Option]:
        return self.listed.choices(key, self.locale)

    def _rules(self, key: str, said: str) -> Iterator[Rule]:
        field = self._field(key)
        if field is None:
            return
        operator, values = beginnings.asked(field, said, beginnings.names_of(key, self.listed.choices))
        if operator == "between":
            low, _, high = (*values, "")[0].partition("~") if len(values) < 2 else (values[0], "", values[1])
            ends = (("at_least", low.strip()), ("at_most", high.strip()))
            yield from (Rule(key, each, value) for each, value in ends if value)
        elif operator in _IS:
            yield Rule(key, "is", _IS[operator])
        elif beginnings.ways(field) == ("any_of",):
            yield Rule(key, "any_of", BESIDE.join(values))
        else:
            yield Rule(key, operator, "" if operators[operator].values == 0 else values[0])

    def _written(self, rule: Rule) -> tuple[str, list[str]]:
        field = self._field(rule.field)
        if field is not None and "yes" in beginnings.ways(field):
            return ("no" if rule.value == "false" else "yes"), []
        return rule.operator, [each.strip() for each in rule.value.split(BESIDE) if each.strip()]

    def _refused(self, rule: Rule) -> list[Problem]:
        field = self._field(rule.field)
        if field is None or rule.operator not in dict(self.compared(rule.field)["operators"]):
            return [Problem("field", rule.field, M("There is no field “{key}”.", key=rule.field))]
        operator, values = self._written(rule)
        if operators[operator].values == 0:
            return []
        if not values:
            return [
                Problem(
                    "value", rule.field, M("Choose or type what “{field}” is.", field=self.word(rule.field))
                )
            ]
        if field.type.source(field) == "@person":
            return []
        value = values if operator == "any_of" else values[0]
        return read_filter(field, Filter(rule.field, operator, value))[1]
