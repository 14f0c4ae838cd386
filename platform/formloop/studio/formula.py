"""The formula editor: what may be named, what functions there are, what is wrong, and the result on a sample."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from formloop.access.actor import Actor
from formloop.core.definitions import Doc, Path
from formloop.core.errors import Forbidden, FormloopError, Problem
from formloop.core.expression import (
    BOOL,
    FUNCTIONS,
    EvaluationError,
    Expression,
    RecordType,
    Type,
)
from formloop.core.expression import check as check_expression
from formloop.core.text import M, Message, translate
from formloop.definitions import library
from formloop.forms import listing, reads
from formloop.forms.elsewhere import CONDITIONED
from formloop.forms.fields.switch import NO, YES
from formloop.forms.kind import get_form
from formloop.forms.links import Links
from formloop.forms.names import context_of
from formloop.forms.publisher_rights import read_elsewhere, sees
from formloop.forms.reading import OWN, line_names, names_of, queried, single_of, with_titles
from formloop.forms.spec import FormSpec, Values
from formloop.studio import samples
from formloop.studio.pickers import ITSELF, Around, Option, fields_of, find_newest, options_of, points_of
from formloop.studio.samples import Sample
from formloop.studio.shapes import mapping

MOST_SOURCE = 4_096
NO_RECORD = M("There is no record to try it on. Type values to try it with.")
OF_ROWS = M("It is asked of each row. Type values to try it with.")
TYPE_VALUES = M("It compares with a record that is being filled in. Type values to try it with.")
_QUOTED = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")
CONDITIONS = (
    "x-visible",
    "x-required",
    "x-readonly",
    "when",
    "state_when",
    "where",
    "having",
    "holds",
    "keep",
)  # give yes or no


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an expression comes to: problems with their place, or the value for a sample record.

    Without a value it says `why`, and asks for values to try it with.
    """

    problems: list[Problem]
    result: str = ""
    sample: str = ""
    why: Message | None = None
    asks: list[Sample] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression at a place can name and should give, and the form whose newest record it is tried on.

    `each`: it also names the record as `record`, and one of these lines as `line`. `own`: fields of this record where
    the expression is about records of another form.
    """

    names: Mapping[str, Type]
    fields: list[Option]
    expects: Type | None
    form: str
    each: str | None = None
    options: Mapping[str, list[Option]] = field(default_factory=dict)  # what a field of choices may be
    points: Mapping[str, str] = field(default_factory=dict)  # where the people or files of a field come from
    own: list[Option] = field(default_factory=list)  # of this record, where conditions are about another form
    itself: Option | None = None  # the field whose formula it is, which it cannot read


def scope_at(around: Around, at: Path) -> Scope:
    """The scope of a place in a definition that is about one form."""
    names, found = _names_at(around, at), scope_of(around.form, around.locale)
    if looks_elsewhere(around, at):
        own = _own_fields(around, at)
        itself = [("id", ITSELF.render(around.locale))] if own else []
        return replace(found, names=names, fields=[*found.fields, *itself], expects=BOOL, own=own)
    if _in_lines(around, at):
        lines = f"{at[1]}."
        fields = [(name.removeprefix(lines), word) for name, word in found.fields]
        options = {name.removeprefix(lines): each for name, each in found.options.items()}
        points = {name.removeprefix(lines): each for name, each in found.points.items()}
        found = replace(found, fields=fields, options=options, points=points)
    filled = at[-2] if around.kind.name == "form" and at[-1:] == ("x-formula",) else ""
    target = next((each for each in found.fields if each[0] == filled), None)
    others = [each for each in found.fields if each != target]
    return replace(found, names=names, fields=others, expects=expected_at(at), itself=target)


def scope_of(form: Doc, locale: str) -> Scope:
    """What is said of the fields of a form, without the names of a place."""
    options, points = options_of(form, locale), points_of(form, locale)
    return Scope({}, fields_of(form, locale), None, str(form.get("x-key", "")), None, options, points)


def own_field(key: str, word: str, locale: str) -> Option:
    """A field of this record, as a condition over another form names it."""
    return f"{OWN}.{key}", M("“{field}” here", field=word).render(locale)


def expected_at(at: Path) -> Type | None:
    """Conditions give yes or no."""
    return BOOL if at and at[-1] in CONDITIONS else None


def looks_elsewhere(around: Around, at: Path) -> bool:
    """Whether it is the condition of a field's relation, linkage, look-up or options."""
    return around.kind.name == "form" and len(at) > 3 and at[-1] == "where" and at[-2] in CONDITIONED


def _names_elsewhere(around: Around, at: Path) -> dict[str, Type]:
    """The other form's names, and behind `this` those of the record that looks there; options look for nobody."""
    own, find_form = _sound(around.doc), cache(_find_sound)
    theirs = names_of(_sound(around.form), find_form)
    if at[-2] == "x-options":
        return queried(theirs)
    in_lines = _in_lines(around, at) and at[1] in own["properties"]
    names = line_names(own, at[1], find_form) if in_lines else names_of(own, find_form)
    # which record it is, as relations to its form hold it
    itself = RecordType(str(around.form.get("x-key", "")), dict)
    known = single_of(theirs) if at[-2] == "x-relation" else queried(theirs)
    return {**known, "id": itself, OWN: RecordType(OWN, lambda: names)}


def _own_fields(around: Around, at: Path) -> list[Option]:
    """The fields of the record that looks elsewhere; of a line its columns first."""
    if at[-2] == "x-options":
        return []
    fields = fields_of(around.doc, around.locale)
    line = at[1] if _in_lines(around, at) else ""
    columns = [(key.removeprefix(f"{line}."), word) for key, word in fields if key.startswith(f"{line}.")]
    lines = {key.partition(".")[0] for key, _ in fields if "." in key}
    named = {key for key, _ in columns} | lines
    top = [(key, word) for key, word in fields if "." not in key and key not in named]
    return [own_field(key, word, around.locale) for key, word in [*columns, *top]]


def _names_at(around: Around, at: Path) -> dict[str, Type]:
    if looks_elsewhere(around, at):
        return _names_elsewhere(around, at)
    form, own, find_form = _sound(around.form), _sound(around.doc), cache(_find_sound)  # each is read once
    if _in_lines(around, at) and at[1] in own["properties"]:
        return line_names(own, at[1], find_form)
    return names_of(form, find_form)


def _find_sound(key: str) -> Doc | None:
    found = find_newest("form", key)
    return None if found is None else _sound(found)


def _sound(form: Doc) -> Doc:
    """A form whose draft may be wrong in every way, with what its names are read from in the right shape."""
    return {**form, "properties": {k: _sound_field(v) for k, v in mapping(form.get("properties")).items()}}


def _sound_field(said: object) -> Doc:
    found = mapping(said)
    words = [word for word in ("items", "x-relation", "properties") if word in found]
    found = {**found, **{word: mapping(found[word]) for word in words}}
    if "items" in found:
        found["items"] = _sound_field(found["items"])
    if "properties" in found:
        found["properties"] = {k: _sound_field(v) for k, v in found["properties"].items()}
    return found


def _in_lines(around: Around, at: Path) -> bool:
    return around.kind.name == "form" and len(at) >= 5 and at[2:4] == ("items", "properties")


def functions() -> list[tuple[str, list[tuple[str, str, str, str]]]]:
    """Every function by group: name, signature, and what it does in both languages."""
    found: dict[str, list[tuple[str, str, str, str]]] = {}
    for each in FUNCTIONS.values():
        found.setdefault(each.group, []).append((each.name, each.signature, each.says, each.says_chinese))
    return list(found.items())


def judge(
    actor: Actor, scope: Scope, source: str, locale: str, given: Mapping[str, str] | None = None
) -> Verdict:
    """Whether the expression can be understood, and what it gives: for the newest record, or for values `given`."""
    found, problems = check_expression(source, scope.names, scope.expects)
    titles = dict([*scope.fields, *scope.own])
    if found is None:
        return Verdict([replace(each, message=with_titles(each.message, titles)) for each in problems])
    if scope.itself and any(path[0] == scope.itself[0] for path in found.reads):
        told = M("“{field}” cannot be calculated from itself.", field=scope.itself[1])
        return Verdict([Problem("cycle", "", told)])
    given = {path: text for path, text in (given or {}).items() if text.strip()}
    if not given and not any(path[0] == OWN for path in found.reads):
        verdict = _tried(actor, scope, found, locale)
        if verdict.result:
            return verdict
        why = verdict.why
    else:
        why = None if given else TYPE_VALUES
    asks = samples.asked(found, titles, given)
    if not given and asks:
        return Verdict([], why=why, asks=asks)
    try:
        value = found.evaluate(samples.environment(found, given), context_of(actor))
    except EvaluationError as error:
        return Verdict([], why=error.message, asks=asks)
    return Verdict([], _shown(value, locale), "", asks=asks)


def reworded(scope: Scope, source: str) -> str:
    """The expression with the titles of fields taken for their keys, where that makes it one; else nothing."""
    fields = [
        (key, word.rpartition(" · ")[2]) for key, word in scope.fields
    ]  # columns are called “Lines · Part”
    words = Counter(word for _, word in fields)
    keys = {word: key for key, word in fields if words[word] == 1 and word != key}
    longest = sorted(keys, key=len, reverse=True)
    if not longest:
        return ""
    title = re.compile(rf"(?<![\w.])({'|'.join(map(re.escape, longest))})(?![\w(])")
    parts = _QUOTED.split(source[:MOST_SOURCE])  # texts stand at the odd places
    told = [part if at % 2 else title.sub(lambda m: keys[m[1]], part) for at, part in enumerate(parts)]
    found = "".join(told)
    return found if found != source and not check_expression(found, scope.names, scope.expects)[1] else ""


def _tried(actor: Actor, scope: Scope, expression: Expression, locale: str) -> Verdict:
    """The value for the newest record that the builder may see, or why there is none."""
    if not scope.form:
        return Verdict([], why=OF_ROWS)
    if library.find_document("form", scope.form) is None:
        return Verdict([], why=NO_RECORD)
    name = ""
    try:
        spec = get_form(scope.form)
        found = listing.list_records(actor, spec, listing.Query(sort=("-id",), limit=1)).rows
        if not found:
            return Verdict([], why=NO_RECORD)
        values = reads.get_record(actor, spec.key, found[0]["id"])
        name = str(values.get(spec.title_field) or values["id"])
        value = expression.evaluate(_seen(actor, spec, values, scope, expression), context_of(actor))
    except EvaluationError as error:
        return Verdict([], why=M("For {record}: {problem}", record=name, problem=error.message))
    except Forbidden:
        return Verdict([], why=M("You may not see what it reads. Type values to try it with."))
    except (FormloopError, KeyError, TypeError):
        return Verdict([], why=NO_RECORD)
    return Verdict([], _shown(value, locale), name)


def _shown(value: Any, locale: str) -> str:
    said = translate((YES if value else NO).msgid, locale) if isinstance(value, bool) else value
    return str(said if said is not None else "–")


def _seen(actor: Actor, spec: FormSpec, values: Values, scope: Scope, expression: Expression) -> Values:
    """The record as the expression sees it; records it points to only where the actor may read what it reads."""
    further = list(expression.reads)
    if scope.each is not None:
        further = [(scope.each, *path[1:]) if path[0] == "line" else path for path in further]
        further = [path[1:] if path[0] in ("record", "source") else path for path in further]
        further = [path for path in further if path]
    if not all(sees(actor, form, key) for _, form, key in read_elsewhere(spec, further)):
        raise Forbidden
    if scope.each is None:
        return Links(actor, spec, [values]).environment(spec, values)
    env = Links(actor, spec, [values], reads=further).environment(spec, values)
    lines = env.get(scope.each) or [{}]
    return {"source": env, **env, "record": env, "line": lines[0]}
