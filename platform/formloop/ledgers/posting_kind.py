"""The kind of definition "posting": what can be wrong with one, and what runs of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from formloop.core.definitions import Doc, Kind, Library, kinds, load_schema, name_pattern, with_suggestion
from formloop.core.errors import Problem
from formloop.core.expression import (
    ANY,
    BOOL,
    DATE,
    NUMBER,
    TEXT,
    Expression,
    ListType,
    RecordType,
    Type,
)
from formloop.core.expression import check as check_expression
from formloop.core.text import M, Message
from formloop.definitions import library
from formloop.forms.spec import FormSpec, no_form
from formloop.forms.system_fields import named_in_form
from formloop.ledgers import posting_differences
from formloop.ledgers.kind import FindForm, find_form, form_finder
from formloop.ledgers.spec import EntryRule, LedgerSpec, PostingSpec, Share

FindLedger = Callable[[str], LedgerSpec | None]
WORDS = ("id", "ledger", "each", "when", "pending", "expires", "due", "carries", "returns", "adds_to", "uses",
         "settles", "check", "per")  # fmt: skip
CANCELLED, REJECTED = "cancelled", "rejected"


def find_ledger(key: str) -> LedgerSpec | None:
    """The published ledger, or None."""
    found = library.find_published("ledger", key)
    return found if isinstance(found, LedgerSpec) else None


def prepare(doc: Doc, version: int) -> PostingSpec:
    """What runs of a posting document that has been checked."""
    return Reader(doc, find_form, find_ledger).posting(version)


def check(doc: Doc, lib: Library) -> list[Problem]:
    """What is wrong with a posting beyond its schema."""

    def find(key: str) -> LedgerSpec | None:
        found = lib.find_prepared("ledger", key)
        return found if isinstance(found, LedgerSpec) else None

    reader = Reader(doc, form_finder(lib), find)
    reader.posting(0)
    return reader.problems


def references(doc: Doc) -> set[tuple[str, str]]:
    """Its form and its ledgers."""
    return {("form", doc["form"])} | {("ledger", each["ledger"]) for each in doc["entries"]}


@dataclass
class Reader:
    """Reads one posting document; `problems` grows as it goes."""

    doc: Doc
    find_form: FindForm
    find_ledger: FindLedger
    problems: list[Problem] = field(default_factory=list)

    def posting(self, version: int) -> PostingSpec:
        """The prepared posting."""
        doc = self.doc
        form = self.find_form(doc["form"])
        if form is None:
            self.problems.append(no_form("form", doc["form"]))
        names = self._names(form) if form else {}
        rules: list[EntryRule] = []
        settings: str | None = None
        for index, said in enumerate(doc["entries"]):
            ledger = self.find_ledger(said["ledger"])
            if ledger is None:
                text = M("There is no ledger “{ledger}”.", ledger=said["ledger"])
                self.say("no_ledger", f"entries.{index}.ledger", text)
                continue
            settings = settings or ledger.settings
            if form is not None:
                rules.append(self._rule(index, said, ledger, form, names, rules))
        state = doc["on"].removeprefix("state:")
        return PostingSpec(
            id=doc["x-id"],
            key=doc["x-key"],
            version=version,
            document=doc,
            form=doc["form"],
            state=state,
            until=self._until(form, state),
            when=self.expression(doc.get("when"), "when", names, BOOL),
            date=self.expression(doc.get("date"), "date", names, DATE),
            rules=tuple(rules),
            settings=settings,
        )

    def _until(self, form: FormSpec | None, state: str) -> tuple[str, ...]:
        """The states that undo it: those said, else the first one of the form, `cancelled`, and `rejected`, as which an
        approval that is voided ends."""
        if form is None:
            return ()
        said = [each.removeprefix("state:") for each in self.doc.get("until", ())]
        for at, each in (("on", state), *((f"until.{i}", each) for i, each in enumerate(said))):
            if each not in form.states:
                text = M("The form “{form}” has no state “{state}”.", form=form.key, state=each)
                self.say("no_state", at, with_suggestion(text, each, form.states))
        undone = {form.initial_state, CANCELLED, *({REJECTED} & set(form.states))}
        return tuple(said) or tuple(sorted(undone - {state}))

    def _names(self, form: FormSpec) -> dict[str, Type]:
        whole = RecordType(form.key, lambda: form.names)
        settings = next(
            (
                f
                for e in self.doc["entries"]
                if (found := self.find_ledger(e["ledger"])) and (f := found.settings)
            ),
            None,
        )
        spec = self.find_form(settings) if settings else None
        names: dict[str, Type] = {**form.names, "record": whole}
        if spec is not None:
            of_settings = spec
            names["settings"] = RecordType(of_settings.key, lambda: of_settings.names)
        return names

    def _rule(
        self,
        index: int,
        said: Mapping[str, Any],
        ledger: LedgerSpec,
        form: FormSpec,
        names: Mapping[str, Type],
        earlier: list[EntryRule],
    ) -> EntryRule:
        at, each = f"entries.{index}", said.get("each", self.doc.get("each")) or None
        scope = {**names, **(self._names_of_lines(form, each, f"{at}.each") if each else {})}
        told = [*(["open"] if "settles" in said else []), *ledger.measures]
        asking = {**scope, "before": RecordType("before", lambda: dict.fromkeys(told, NUMBER))}
        measures = self._measures(
            said, at, ledger, {**asking, **_entries(earlier, each, ledger, self.find_ledger)}
        )
        self._check_words(said, at, ledger, earlier)

        def part(key: str, expects: Type) -> Expression | None:
            return self.expression(said.get(key), f"{at}.{key}", scope, expects)

        rule = EntryRule(
            index=index,
            id=said.get("id", said["ledger"]),
            ledger=ledger.key,
            each=each,
            when=part("when", BOOL),
            dims=self._dims(said, at, ledger, scope),
            measures=measures,
            dependent=frozenset(key for key, written in measures.items() if _is_dependent(written)),
            pending=bool(said.get("pending")),
            expires=part("expires", DATE),
            due=part("due", DATE),
            carries=said.get("carries"),
            returns=part("returns", NUMBER),
            adds_to=part("adds_to", NUMBER),
            uses=part("uses", NUMBER),
            settles=part("settles", NUMBER),
            per=tuple(k for k in ledger.dimensions if k in said["per"]) if "per" in said else None,
        )
        return self._with_check(rule, said["check"], f"{at}.check", asking) if said.get("check") else rule

    def _with_check(
        self, rule: EntryRule, must: Mapping[str, Any], at: str, names: Mapping[str, Type]
    ) -> EntryRule:
        """The rule with what must hold, and the values that stand in the refusal, by name."""
        told = {
            key: self.expression(source, f"{at}.tells.{key}", names, None)
            for key, source in must.get("tells", {}).items()
        }
        return replace(
            rule,
            check=self.expression(must.get("holds"), f"{at}.holds", names, BOOL),
            says=must,
            stays=bool(must.get("stays")),
            tells={key: each for key, each in told.items() if each is not None},
        )

    def _names_of_lines(self, form: FormSpec, each: str, at: str) -> dict[str, Type]:
        """What an entry made once for each line can name: the line, and where another one leads to it, that one."""
        *way, last = each.split(".")
        field = form.find(".".join(way)) if way else None
        beyond = self.find_form(field.relation.form) if field and field.relation else None
        holder = beyond if way else form
        lines, outer = holder.names.get(last) if holder else None, form.names[way[0]] if field else None
        if holder is None or not isinstance(lines, ListType):
            text = M(
                "The form “{form}” has no lines “{key}”.",
                form=(holder or form).key,
                key=last if holder else each,
            )
            self.say("no_lines", at, text)
            return {}
        return {"line": lines.of} | ({"outer": outer.of} if isinstance(outer, ListType) else {})

    def _check_words(
        self, said: Mapping[str, Any], at: str, ledger: LedgerSpec, earlier: list[EntryRule]
    ) -> None:
        for key in said:
            if key not in WORDS and key not in ledger.dimensions and key not in ledger.measures:
                text = M(
                    "The ledger “{ledger}” has neither dimension nor measure “{key}”.",
                    ledger=ledger.key,
                    key=key,
                )
                known = (*ledger.dimensions, *ledger.measures, *WORDS)
                self.say("unknown", f"{at}.{key}", with_suggestion(text, key, dict.fromkeys(known)))
        if "carries" in said and said["carries"] not in {rule.id for rule in earlier}:
            text = M("There is no entry “{id}” before this one.", id=said["carries"])
            self.say("no_entry", f"{at}.carries", text)
        if ledger.valuation is None:
            for key in ("carries", "returns", "adds_to"):
                if key in said:
                    text = M(
                        "The ledger “{ledger}” has no valuation, so this has no meaning.", ledger=ledger.key
                    )
                    self.say("not_valued", f"{at}.{key}", text)
        elif len({"carries", "returns", "adds_to"} & set(said)) > 1:
            self.say("two_ways", at, M("An entry takes its value from one place only."))
        if "per" in said and set(said["per"]) not in map(set, ledger.sets):
            text = M("The ledger “{ledger}” keeps no balances for each of these together.", ledger=ledger.key)
            self.say("no_balance", f"{at}.per", text)
        if "settles" in said and ledger.open is None:
            text = M("The ledger “{ledger}” keeps no open items.", ledger=ledger.key)
            self.say("no_open", f"{at}.settles", text)

    def _dims(
        self, said: Mapping[str, Any], at: str, ledger: LedgerSpec, scope: Mapping[str, Type]
    ) -> dict[str, Expression]:
        found = {}
        for key, dimension in ledger.dimensions.items():
            if key not in said:
                if not dimension.optional and "adds_to" not in said:
                    text = M("Say which “{key}” this entry is about.", key=key)
                    self.say("no_dimension", at, text)
                continue
            expression = self.expression(said[key], f"{at}.{key}", scope, None if dimension.forms else TEXT)
            if expression is None:
                continue
            if dimension.forms and not _fits(expression.type, dimension.forms):
                text = M(
                    "This gives {found}, but a record of “{form}” is wanted.",
                    found=expression.type.title,
                    form=", ".join(dimension.forms),
                )
                self.say("other_form", f"{at}.{key}", text)
            found[key] = expression
        return found

    def _measures(
        self, said: Mapping[str, Any], at: str, ledger: LedgerSpec, scope: Mapping[str, Type]
    ) -> dict[str, Expression | Share]:
        found: dict[str, Expression | Share] = {}
        for key in ledger.measures:
            written = said.get(key)
            if isinstance(written, Mapping):
                sharing = {name: kind for name, kind in scope.items() if name != "before"}
                total = self.expression(written["share"], f"{at}.{key}.share", sharing, NUMBER)
                weight = self.expression(written["by"], f"{at}.{key}.by", sharing, NUMBER)
                if total is not None and weight is not None:
                    found[key] = Share(total, weight)
            elif written is not None:
                expression = self.expression(written, f"{at}.{key}", scope, NUMBER)
                if expression is not None:
                    found[key] = expression
        if not any(key in said for key in ledger.measures):  # one that is wrong is told already
            self.say("no_measure", at, M("An entry needs at least one measure."))
        return found

    def expression(
        self, written: str | None, at: str, names: Mapping[str, Type], expects: Type | None
    ) -> Expression | None:
        """A part of the document that is an expression."""
        if not isinstance(written, str):
            return None
        parsed, problems = check_expression(written, names, expects)
        self.problems += [Problem(p.code, at, p.message, p.line, p.column) for p in problems]
        return parsed

    def say(self, code: str, at: str, message: Message) -> None:
        """Note a problem."""
        self.problems.append(Problem(code, at, message))


def _entries(
    earlier: list[EntryRule], each: str | None, ledger: LedgerSpec, find: FindLedger
) -> dict[str, Type]:
    """The entries before this one as expressions see them: one for the line, or a list of all."""
    fields: dict[str, Type] = {}
    for rule in earlier:
        known = find(rule.ledger) or ledger
        amounts = dict.fromkeys(known.amounts, NUMBER)
        one: Type = RecordType(rule.ledger, lambda amounts=amounts: amounts)  # type: ignore[misc]
        single = rule.each is None or rule.each == each
        fields[rule.id] = one if single else ListType(one, ("entries", rule.id))
    return {"entries": RecordType("entries", lambda: fields)} if fields else {}


def _is_dependent(written: Expression | Share) -> bool:
    parts = (written.total, written.weight) if isinstance(written, Share) else (written,)
    return any(path[0] == "entries" for part in parts for path in part.reads)


def _fits(found: Type, forms: tuple[str, ...]) -> bool:
    if found in (ANY, NUMBER):
        return True
    return isinstance(found, RecordType) and found.name in forms


POSTING = kinds.add(
    "posting",
    Kind(
        name="posting",
        title=M("Posting"),
        schema=load_schema("posting", Path(__file__).with_name("posting_schema.json")),
        check=check,
        references=references,
        prepare=prepare,
        identities={"entries": "", "until": ""},
        named=lambda doc: named_in_form(doc.get("form")),
        spaces={"entries": "ledger"},
        tells={posting_differences.AT: posting_differences.tell},
    ),
)
__all__ = ["POSTING", "find_form"]

name_pattern(
    r"^state:[a-z][a-z0-9_]{0,40}$",
    M("“{value}” is no state of a record."),
)
name_pattern(
    r"^[a-z][a-z0-9_]{0,40}(\.[a-z][a-z0-9_]{0,40}){0,2}$",
    M("“{value}” is no way to lines."),
)
name_pattern(
    r"^([a-z][a-z0-9_]{0,40}(\.[a-z][a-z0-9_]{0,40}){0,2})?$",
    M("“{value}” is no way to lines."),
)
