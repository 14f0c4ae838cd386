"""The kind of definition "bridge": what can be wrong with one, and what runs of it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from formloop.bridges.spec import ASKED, CANCELLED, CLOCK, EARLIER, FOUND, THERE, BridgeSpec, Find, Lines
from formloop.core.definitions import Doc, Kind, Library, kinds, load_schema, name_pattern, with_suggestion
from formloop.core.errors import Problem
from formloop.core.expression import BOOL, Expression, ListType, RecordType, Type, check_sql
from formloop.core.expression import check as check_expression
from formloop.core.expression.nodes import Call, Literal, Name, Typed
from formloop.core.text import M, Message
from formloop.datasets.spec import DatasetSpec
from formloop.definitions import library
from formloop.forms.reading import OWN
from formloop.forms.spec import Field, FormSpec, no_form
from formloop.forms.system_fields import form_of, named_in_form

FindPrepared = Callable[[str, str], object | None]  # by kind and key


def prepare(doc: Doc, version: int) -> BridgeSpec:
    """What runs of a bridge document that has been checked."""
    return Reader(doc, library.find_published).bridge(version)


def check(doc: Doc, lib: Library) -> list[Problem]:
    """What is wrong with a bridge beyond its schema."""
    reader = Reader(doc, lib.find_prepared)
    reader.bridge(0)
    return reader.problems


def check_version(bridge: BridgeSpec) -> list[Problem]:
    """What of a published version does not fit the forms as they are now; nothing for the version of today."""
    if library.find_published("bridge", bridge.key) is bridge:
        return []
    reader = Reader(dict(bridge.document), library.find_published)
    reader.bridge(bridge.version)
    return reader.problems


def references(doc: Doc) -> set[tuple[str, str]]:
    """Both forms, and what it looks things up in."""
    looked_up = {(kind, key) for kind, key in doc.get("find", {}).items() if kind in ("form", "dataset")}
    return {("form", doc[part]["form"]) for part in ("from", "to")} | looked_up


def names_for(
    source: FormSpec,
    each: str | None,
    found: FormSpec | DatasetSpec | None = None,
    there: FormSpec | None = None,
) -> dict[str, Type]:
    """What expressions of a bridge can name: the source's own fields, `line`, `found`, `there` and `earlier`, and the record as a whole."""
    whole = RecordType(source.key, lambda: source.names)
    names: dict[str, Type] = {"source": whole, **source.names, "record": whole}
    lines = source.names.get(each) if each else None
    if found is not None:
        columns = found.names if isinstance(found, FormSpec) else found.types
        kind = RecordType(found.key, lambda: columns)
        names |= {FOUND: ListType(kind, (FOUND,)), "line": kind}
    if isinstance(lines, ListType):
        names["line"] = lines.of
    if there is not None:
        names[THERE] = RecordType(there.key, lambda: there.names)
        names[EARLIER] = ListType(names[THERE], (EARLIER,))
    return names


def _texts(part: Typed) -> Iterator[str]:
    """The texts written down in an expression that it may come to."""
    match part:
        case Literal(value=str() as text):
            yield text
        case Call(name="IF", arguments=(_, *ways)) | Call(name="COALESCE", arguments=ways):
            yield from chain.from_iterable(map(_texts, ways))
        case Call(name="SWITCH", arguments=(_, *pairs)):
            ways = [*pairs[1::2], *(pairs[-1:] if len(pairs) % 2 else ())]
            yield from chain.from_iterable(map(_texts, ways))


@dataclass
class Reader:
    """Reads one document; `problems` grows as it goes."""

    doc: Doc
    find_prepared: FindPrepared
    problems: list[Problem] = field(default_factory=list)

    def bridge(self, version: int) -> BridgeSpec:
        """The prepared bridge."""
        doc = self.doc
        source = self._form(doc["from"]["form"], "from.form")
        target = self._form(doc["to"]["form"], "to.form")
        each = doc["from"].get("each")
        names: Mapping[str, Type] = {}
        there = self._looked_up(doc["find"]) if "find" in doc else None
        if source:
            self._check_source(source, each)
            names = names_for(source, each, there, target if doc["to"].get("every") else None)
        whole = (
            {key: kind for key, kind in names.items() if key != "line"}
            if ASKED in doc["from"]["on"]
            else names
        )
        if target:
            self._check_target(target)
        self._check_asked()
        self._check_clock()
        self._check_every()
        when = self._expression(doc["when"], "when", whole, BOOL) if "when" in doc and source else None
        return BridgeSpec(
            id=doc["x-id"],
            key=doc["x-key"],
            version=version,
            document=doc,
            source=doc["from"]["form"],
            on=tuple(doc["from"]["on"]),
            each=each,
            when=when,
            target=doc["to"]["form"],
            by=tuple(doc["to"].get("by", ())),
            values=self._values(source, target, whole) if source and target else {},
            every=bool(doc["to"].get("every")),
            removed=doc.get("removed", "keep"),
            together=doc.get("run", "after") == "together",
            find=self._find(source, there),
            lines=self._lines(source, target, names) if source and target else None,
            open=tuple(doc["to"].get("open", ())) or ((target.initial_state,) if target else ()),
        )

    def _looked_up(self, said: Mapping[str, Any]) -> FormSpec | DatasetSpec | None:
        """The form or the dataset that `find` names: one of the two."""
        if ("form" in said) == ("dataset" in said):
            self._say("find", "find", M("Say what is looked up: a form or a dataset."))
            return None
        wrong = {"where"} & said.keys() if "dataset" in said else {"given"} & said.keys()
        for key in wrong:
            text = M("Records of a form are found by a condition, rows of a dataset by its parameters.")
            self._say("find", f"find.{key}", text)
        if "form" in said:
            return self._form(said["form"], "find.form")
        found = self.find_prepared("dataset", said["dataset"])
        if not isinstance(found, DatasetSpec):
            text = M("There is no dataset “{dataset}”.", dataset=said["dataset"])
            self._say("no_dataset", "find.dataset", text)
            return None
        return found

    def _given_to(self, source: FormSpec, there: DatasetSpec) -> dict[str, Expression]:
        """What the parameters of a dataset are, calculated from the source."""
        found = {}
        for key, written in self.doc["find"].get("given", {}).items():
            known = there.parameters.get(key)
            if known is None:
                text = M("The dataset “{dataset}” has no parameter “{key}”.", dataset=there.key, key=key)
                text = with_suggestion(text, key, tuple(there.parameters))
                self._say("no_parameter", f"find.given.{key}", text)
                continue
            names, wanted = names_for(source, None), known.type.expression_type(known)
            if expression := self._expression(written, f"find.given.{key}", names, wanted):
                found[key] = expression
        return found

    def _find(self, source: FormSpec | None, there: FormSpec | DatasetSpec | None) -> Find | None:
        if source is None or there is None:
            return None
        if isinstance(there, DatasetSpec):
            return Find(None, dataset=there.key, given=self._given_to(source, there))
        written, where = self.doc["find"].get("where"), None
        if written:
            own = {key: kind for key, kind in source.names.items() if not isinstance(kind, ListType)}
            names = {**there.names, OWN: RecordType(OWN, lambda: own)}
            where = self._expression(written, "find.where", names, BOOL)
        if where:
            self.problems += [Problem(p.code, "find.where", p.message) for p in check_sql(where)]
        if where and any(read[0] == OWN and len(read) != 2 for read in where.reads):
            text = M("Only fields of this form itself can be named behind “this.”.")
            self._say("too_deep", "find.where", text)
        return Find(there.key, where)

    def _lines(self, source: FormSpec, target: FormSpec, names: Mapping[str, Type]) -> Lines | None:
        said = self.doc.get("lines")
        if said is None:
            return None
        into = target.fields.get(said["into"])
        if into is None or not into.children:
            text = M("The form “{form}” has no lines “{key}”.", form=target.key, key=said["into"])
            self._say("no_lines", "lines.into", text)
            return None
        if "line" not in names:
            self._say("no_source", "lines", M("Say what the lines are made of: “each” or “find”."))
        columns = {each.key: each for each in into.children}
        given = self._given(said["map"], "lines.map", source, target.key, columns, names)
        when = self._expression(said["when"], "lines.when", names, BOOL) if "when" in said else None
        return Lines(into.key, given, when)

    def _check_asked(self) -> None:
        """What somebody asks for is made once, and never found again."""
        doc, asked = self.doc, ASKED in self.doc["from"]["on"]
        if asked and len(doc["from"]["on"]) > 1:
            self._say("asked", "from.on", M("What somebody asks for does not also happen by itself."))
        if asked and "each" in doc["from"] and "lines" not in doc:
            text = M("What somebody asks for is one record; say under “lines” what its lines are.")
            self._say("asked", "from.each", text)
        parts = {"find": doc, "lines": doc, "open": doc["to"]}
        wrong = [("to.by", asked and "by" in doc["to"])]
        wrong += [(key, not asked and key in said) for key, said in parts.items()]
        for at, is_wrong in wrong:
            if is_wrong:
                says = (
                    M("This goes only with what somebody asks for.")
                    if not asked
                    else M("What is asked for is always new; it is not found again.")
                )
                self._say("asked", "to.open" if at == "open" else at, says)

    def _check_every(self) -> None:
        """What only changes finds its records by a key of the source record, and by itself."""
        said = self.doc["to"]
        if not said.get("every"):
            return
        if "by" not in said:
            self._say("every", "to.by", M("Say by which fields the records are found that are changed."))
        if "each" in self.doc["from"] or ASKED in self.doc["from"]["on"]:
            text = M("What only changes records that are there runs by itself, once for the whole record.")
            self._say("every", "to.every", text)

    def _check_clock(self) -> None:
        """Set times go with their event, and with what runs by itself afterwards."""
        said, clocked = self.doc["from"], CLOCK in self.doc["from"]["on"]
        if "clock" in said and not clocked:
            self._say("clock", "from.clock", M("Add “At set times” to what sets the bridge off."))
        if clocked and self.doc.get("run", "after") == "together":
            self._say(
                "clock", "run", M("At set times nothing else is saved that it could run together with.")
            )

    def _form(self, key: str, at: str) -> FormSpec | None:
        found = self.find_prepared("form", key)
        if isinstance(found, FormSpec):
            return found
        self.problems.append(no_form(at, key))
        return None

    def _check_source(self, source: FormSpec, each: str | None) -> None:
        for index, on in enumerate(self.doc["from"]["on"]):
            state = CANCELLED if on == "cancelled" else on.removeprefix("state:")
            if (on == "cancelled" or on.startswith("state:")) and state not in source.states:
                self._no_state(source, state, f"from.on.{index}")
        if each and each not in {f.key for f in source.subforms}:
            text = M("The form “{form}” has no lines “{key}”.", form=source.key, key=each)
            self._say("no_lines", "from.each", text)

    def _check_target(self, target: FormSpec) -> None:
        if self.doc.get("removed") == "cancel" and CANCELLED not in target.states:
            self._no_state(target, CANCELLED, "removed")
        for index, state in enumerate(self.doc["to"].get("open", ())):
            if state not in target.states:
                self._no_state(target, state, f"to.open.{index}")
        for index, key in enumerate(self.doc["to"].get("by", ())):
            at = f"to.by.{index}"
            if key not in target.fields:
                self._no_field(target.key, target.fields, key, at)
            elif not target.fields[key].type.stored or target.fields[key].children:
                self._say("no_key", at, M("Records cannot be found by “{key}”.", key=key))
            elif key not in self.doc["map"]:
                self._say("no_value", at, M("Say under “map” which value “{key}” has.", key=key))

    def _values(self, source: FormSpec, target: FormSpec, names: Mapping[str, Type]) -> dict[str, Expression]:
        found = self._given(self.doc["map"], "map", source, target.key, target.fields, names)
        for key in self.doc["to"].get("by", ()) if self.doc["to"].get("every") else ():
            if key in found and any(path[0] in (THERE, EARLIER) for path in found[key].reads):
                self._say(
                    "there", f"map.{key}", M("The key is of the source; “there” is what is found by it.")
                )
        return found

    def _given(
        self,
        said: Mapping[str, str],
        place: str,
        source: FormSpec,
        form: str,
        fields: Mapping[str, Field],
        names: Mapping[str, Type],
    ) -> dict[str, Expression]:
        """The expressions that give fields of the target, or of its lines, their values."""
        found = {}
        for key, written in said.items():
            at, known = f"{place}.{key}", fields.get(key)
            if known is None:
                self._no_field(form, fields, key, at)
            elif known.children:
                self._say("lines", at, M("“{key}” holds lines; a bridge gives single values.", key=key))
            elif known.formula is not None or known.type.name == "query":
                self._say("computed", at, M("“{key}” is calculated by the form itself.", key=key))
            elif expression := self._expression(written, at, names, known.type.expression_type(known)):
                self._check_relation(known, expression, at)
                self._check_options(source, known, expression, at)
                self._check_written(known, expression, at)
                found[key] = expression
        return found

    def _check_relation(self, known: Field, expression: Expression, at: str) -> None:
        kind = expression.type
        if known.relation and isinstance(kind, RecordType) and kind.name != known.relation.form:
            text = M(
                "This gives {found}, but a record of “{form}” is wanted.",
                found=kind.title,
                form=known.relation.form,
            )
            self._say("other_form", at, text)

    def _check_options(self, source: FormSpec, known: Field, expression: Expression, at: str) -> None:
        """Options that the source has and the target does not: records with one of them would be refused."""
        if not known.choices or not isinstance(expression.tree, Name):
            return
        path = list(expression.tree.path)
        if path[0] == "line" and (each := self.doc["from"].get("each")):
            path[0] = each
        given = source.find(".".join(path))
        strange = [str(c) for c in given.choices if c not in known.choices] if given else []
        if strange:
            text = M(
                "“{key}” does not offer {values}. Write into what they become: SWITCH({path}, {value}, …).",
                key=known.key,
                values=", ".join(strange),
                path=".".join(expression.tree.path),
                value=f'"{strange[0]}", "{known.choices[0]}"',
            )
            self.problems.append(Problem("options", at, text, severity="warning"))

    def _check_written(self, known: Field, expression: Expression, at: str) -> None:
        """Texts that the expression may come to and the target does not offer."""
        strange = [text for text in dict.fromkeys(_texts(expression.tree)) if text not in known.choices]
        if known.choices and strange:
            text = M(
                "“{key}” does not offer {values}. It offers {choices}.",
                key=known.key,
                values=", ".join(strange),
                choices=", ".join(map(str, known.choices)),
            )
            self.problems.append(Problem("options", at, text, severity="warning"))

    def _expression(
        self, written: str, at: str, names: Mapping[str, Type], expects: Type
    ) -> Expression | None:
        parsed, problems = check_expression(written, names, expects)
        self.problems += [Problem(p.code, at, p.message, p.line, p.column) for p in problems]
        return parsed

    def _no_state(self, form: FormSpec, state: str, at: str) -> None:
        text = M("The form “{form}” has no state “{state}”.", form=form.key, state=state)
        self._say("no_state", at, with_suggestion(text, state, tuple(form.states)))

    def _no_field(self, form: str, fields: Mapping[str, Field], key: str, at: str) -> None:
        text = M("The form “{form}” has no field “{field}”.", form=form, field=key)
        self._say("no_field", at, with_suggestion(text, key, tuple(fields)))

    def _say(self, code: str, at: str, message: Message) -> None:
        self.problems.append(Problem(code, at, message))


BRIDGE = kinds.add(
    "bridge",
    Kind(
        name="bridge",
        title=M("Bridge"),
        schema=load_schema("bridge", Path(__file__).with_name("schema.json")),
        check=check,
        references=references,
        prepare=prepare,
        identities={"on": "", "by": "", "open": ""},
        named=lambda doc: named_in_form(form_of(doc.get("from"))),
    ),
)

name_pattern(
    r"^(created|updated|amended|cancelled|deleted|restored|asked|clock|state:[a-z][a-z0-9_]{0,40})$",
    M("“{value}” is nothing that a bridge waits for."),
)
name_pattern(
    r"^([01][0-9]|2[0-3]):[0-5][0-9]$",
    M("“{value}” is no time of day. Write it as in 08:30."),
)
