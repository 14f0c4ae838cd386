"""The kind of definition "ledger": what can be wrong with one, what runs of it, and its tables."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from formloop.core.definitions import Doc, Kind, Library, kinds, load_schema
from formloop.core.errors import NotFound, Problem
from formloop.core.expression import BOOL, NUMBER, TEXT, Expression, RecordType, Type
from formloop.core.expression import check as check_expression
from formloop.core.text import M, Message
from formloop.definitions import library
from formloop.forms.spec import FormSpec, no_form
from formloop.ledgers import ddl
from formloop.ledgers.spec import (
    Agrees,
    Balanced,
    Dimension,
    LedgerSpec,
    Measure,
    Never,
    OpenItems,
    Valuation,
)
from formloop.ledgers.tables import tables_of

FindForm = Callable[[str], FormSpec | None]
RESERVED = frozenset(
    ("id", "ledger", "each", "when", "pending", "expires", "due", "carries", "returns", "adds_to", "uses",
     "settles", "variance", "entries", "before")
)  # fmt: skip


def find_form(key: str) -> FormSpec | None:
    """The published form, or None."""
    found = library.find_published("form", key)
    return found if isinstance(found, FormSpec) else None


def form_finder(lib: Library) -> FindForm:
    """How a check looks forms up."""

    def find(key: str) -> FormSpec | None:
        found = lib.find_prepared("form", key)
        return found if isinstance(found, FormSpec) else None

    return find


def prepare(doc: Doc, version: int) -> LedgerSpec:
    """What runs of a ledger document that has been checked."""
    return Reader(doc, find_form).ledger(version)


def check(doc: Doc, lib: Library) -> list[Problem]:
    """What is wrong with a ledger beyond its schema."""
    reader = Reader(doc, form_finder(lib))
    spec = reader.ledger(0)
    reader.check_names()
    reader.check_one_answer(spec.valuation)
    return reader.problems


def references(doc: Doc) -> set[tuple[str, str]]:
    """The forms of its dimensions and of its settings, and the ledgers it must agree with."""
    found = {("form", form) for said in doc["dimensions"].values() for form in _forms(said)}
    if "settings" in doc:
        found.add(("form", doc["settings"]))
    return found | {("ledger", each["ledger"]) for each in doc.get("agrees", ())}


def _forms(said: Mapping[str, Any]) -> tuple[str, ...]:
    form = said.get("form", ())
    return (form,) if isinstance(form, str) else tuple(form)


@dataclass
class Reader:
    """Reads one ledger document; `problems` grows as it goes."""

    doc: Doc
    find_form: FindForm
    problems: list[Problem] = field(default_factory=list)

    def ledger(self, version: int) -> LedgerSpec:
        """The prepared ledger."""
        doc = self.doc
        names = self.names()
        dimensions = {key: self._dimension(key, said, names) for key, said in doc["dimensions"].items()}
        measures = {key: Measure(key, said["scale"], said) for key, said in doc["measures"].items()}
        valuation = self._valuation(names)
        never = tuple(self._never(i, each, names) for i, each in enumerate(doc.get("never", ())))
        everything = tuple(dimensions)
        sets = [everything, *(tuple(each) for each in doc.get("balances", ()))]
        sets += [each.per for each in never] + ([valuation.per] if valuation else [])
        return LedgerSpec(
            id=doc["x-id"],
            key=doc["x-key"],
            version=version,
            document=doc,
            dimensions=dimensions,
            measures=measures,
            never=never,
            balanced=tuple(
                Balanced(e["id"], e["sum"], tuple(e.get("by", ()))) for e in doc.get("balanced", ())
            ),
            agrees=tuple(self._agrees(i, each) for i, each in enumerate(doc.get("agrees", ()))),
            valuation=valuation,
            open=self._open(names),
            calendar=doc.get("calendar", ""),
            settings=doc.get("settings"),
            sets=tuple(dict.fromkeys(tuple(k for k in everything if k in each) for each in sets)),
            tables=tables_of(doc["x-key"], dimensions, measures, valuation is not None),
        )

    def names(self) -> dict[str, Type]:
        """What its expressions can name: the dimensions."""
        return {key: self.type_of(key, said) for key, said in self.doc["dimensions"].items()}

    def type_of(self, key: str, said: Mapping[str, Any]) -> Type:
        """The type of a dimension in expressions."""
        forms = _forms(said)
        found = [self.find_form(form) for form in forms]
        for form, spec in zip(forms, found, strict=True):
            if spec is None:
                self.problems.append(no_form(f"dimensions.{key}.form", form))
        if not forms:
            return TEXT
        if len(forms) > 1 or found[0] is None:
            return NUMBER
        only = found[0]
        return RecordType(only.key, lambda: only.names)

    def check_names(self) -> None:
        """Dimensions and measures must exist where they are named, and not be called like parts of a posting."""
        doc = self.doc
        for part in ("dimensions", "measures"):
            for key in doc[part]:
                if key in RESERVED or (part == "measures" and key in doc["dimensions"]):
                    self.say(
                        "reserved", f"{part}.{key}", M("“{key}” cannot be used as a name here.", key=key)
                    )
        if "settings" in doc and self.find_form(doc["settings"]) is None:
            self.problems.append(no_form("settings", doc["settings"]))
        for at, keys in self._named_dimensions():
            self._require_known(keys, doc["dimensions"], at, M("The ledger has no dimension “{key}”."))
        for at, keys in self._named_measures():
            self._require_known(keys, doc["measures"], at, M("The ledger has no measure “{key}”."))

    def check_one_answer(self, valuation: Valuation | None) -> None:
        """What shares a cost is all valued or all not: else the goods of others would be part of the average."""
        if valuation is None or valuation.when is None:
            return
        for key in sorted({path[0] for path in valuation.when.reads} - set(valuation.per)):
            text = M("Add “{key}” to `per`: what shares a cost is all valued, or all not.", key=key)
            self.say("not_per", "valuation.when", text)

    def _named_dimensions(self) -> list[tuple[str, Sequence[str]]]:
        doc = self.doc
        found = [(f"balances.{i}", each) for i, each in enumerate(doc.get("balances", ()))]
        found += [(f"never.{i}.per", each.get("per", ())) for i, each in enumerate(doc.get("never", ()))]
        found += [(f"balanced.{i}.by", each.get("by", ())) for i, each in enumerate(doc.get("balanced", ()))]
        found.append(("valuation.per", doc.get("valuation", {}).get("per", ())))
        found.append(("open.within", doc.get("open", {}).get("within", ())))
        return found

    def _named_measures(self) -> list[tuple[str, Sequence[str]]]:
        doc = self.doc
        found: list[tuple[str, Sequence[str]]] = [
            (f"never.{i}.measure", [each["measure"]]) for i, each in enumerate(doc.get("never", ()))
        ]
        found += [(f"balanced.{i}.sum", list(each["sum"])) for i, each in enumerate(doc.get("balanced", ()))]
        found += [(f"agrees.{i}.measure", [each["measure"]]) for i, each in enumerate(doc.get("agrees", ()))]
        found.append(("open.sum", list(doc.get("open", {}).get("sum", ()))))
        valued = doc.get("valuation")
        return [*found, ("valuation", [valued["quantity"], valued["value"]])] if valued else found

    def _require_known(self, keys: Sequence[str], known: Mapping[str, Any], at: str, text: Message) -> None:
        for key in keys:
            if key not in known:
                self.say("unknown", at, M(text.msgid, key=key))

    def _dimension(self, key: str, said: Mapping[str, Any], names: Mapping[str, Type]) -> Dimension:
        required = self.expression(said.get("required"), f"dimensions.{key}.required", names, BOOL)
        forms, keeps = _forms(said), tuple(said.get("keeps", ()))
        spec = self.find_form(forms[0]) if len(forms) == 1 else None
        for name in keeps:
            if spec is None or name not in spec.fields:
                text = M("There is no field “{field}” that could stay as it is.", field=name)
                self.say("unknown", f"dimensions.{key}.keeps", text)
        return Dimension(
            key, forms, bool(said.get("optional")) or required is not None, required, keeps, said
        )

    def _never(self, index: int, said: Mapping[str, Any], names: Mapping[str, Type]) -> Never:
        unless = self.expression(said.get("unless"), f"never.{index}.unless", names, BOOL)
        per = tuple(said.get("per", self.doc["dimensions"]))
        return Never(said["id"], said["measure"], Decimal(str(said["below"])), unless, per, said)

    def _valuation(self, names: Mapping[str, Type]) -> Valuation | None:
        said = self.doc.get("valuation")
        if said is None:
            return None
        method = self.expression(said["method"], "valuation.method", names, TEXT)
        if method is None:
            return None
        return Valuation(
            method=method,
            quantity=said["quantity"],
            value=said["value"],
            per=tuple(said.get("per", self.doc["dimensions"])),
            standard=self.expression(said.get("standard"), "valuation.standard", names, NUMBER),
            when=self.expression(said.get("when"), "valuation.when", names, BOOL),
            day_end=said.get("same_day") == "day_end",
        )

    def _open(self, names: Mapping[str, Type]) -> OpenItems | None:
        said = self.doc.get("open")
        if said is None:
            return None
        when = self.expression(said.get("when"), "open.when", names, BOOL)
        return OpenItems(said["sum"], when, tuple(said.get("within", self.doc["dimensions"])))

    def _agrees(self, index: int, said: Mapping[str, Any]) -> Agrees:
        other = library.find_document("ledger", said["ledger"])
        where = None
        if "where" in said and other is not None:
            names = Reader(other, self.find_form).names()
            where = self.expression(said["where"], f"agrees.{index}.where", names, BOOL)
        return Agrees(said["id"], said["measure"], said["ledger"], said["sum"], where)

    def expression(
        self, written: str | None, at: str, names: Mapping[str, Type], expects: Type
    ) -> Expression | None:
        """A part of the document that is an expression."""
        if written is None:
            return None
        parsed, problems = check_expression(written, names, expects)
        self.problems += [Problem(p.code, at, p.message, p.line, p.column) for p in problems]
        return parsed

    def say(self, code: str, at: str, message: Message) -> None:
        """Note a problem."""
        self.problems.append(Problem(code, at, message))


def get_ledger(key: str) -> LedgerSpec:
    """The published ledger, or NotFound."""
    found = library.published("ledger", key)
    if not isinstance(found, LedgerSpec):
        raise NotFound
    return found


def list_ledgers() -> list[LedgerSpec]:
    """All published ledgers, by key."""
    return [get_ledger(key) for key in library.list_keys("ledger")]


LEDGER = kinds.add(
    "ledger",
    Kind(
        name="ledger",
        title=M("Ledger"),
        schema=load_schema("ledger", Path(__file__).with_name("ledger_schema.json")),
        check=check,
        references=references,
        prepare=prepare,
        apply=lambda conn, old, new: ddl.apply(
            conn, prepare(old, 0) if old else None, Reader(new, find_form).ledger(0)
        ),
        identities={"never": "id", "balanced": "id", "agrees": "id", "balances": "", "per": "", "by": "",
                    "form": "", "within": ""},
    ),
)  # fmt: skip
