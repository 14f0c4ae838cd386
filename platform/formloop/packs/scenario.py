"""Playing a scenario: a pack's story from form to result, told in steps, the golden test of the pack.

Each step does one thing as one person (`create`, `find` what something else made, `change`, `submit`, `amend`, `cancel`,
`void`, `supplement`, `ask` for a bridge, `decide`, `fill_in` by a link, `deliver`, `close` a calendar) or expects one (`expect`, `expect_all`, `expect_chain`, `expect_balance`, `expect_rows` of a dataset). `{"$line": 2}` among lines means
the second one, `{"$step": id}` the record that a step made. `refused` lists problem codes: then the step must fail
with them.
"""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import select

from formloop.access import people
from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.bridges import asking
from formloop.core.errors import Conflict, Forbidden, FormloopError, Invalid, NotFound, Problem
from formloop.core.json_text import loads
from formloop.core.text import M
from formloop.datasets import service as datasets
from formloop.db import reading
from formloop.events import outbox
from formloop.forms import reads, rows, service, sharing
from formloop.forms.kind import get_form
from formloop.forms.spec import Values
from formloop.ledgers import periods
from formloop.ledgers import reading as ledgers
from formloop.packs.finding import Resolver
from formloop.packs.scenario_shape import check_scenario
from formloop.workflows import administration, cases
from formloop.workflows import service as workflows
from formloop.workflows.amendments import service as amendments
from formloop.workflows.amendments import supplements

Named = dict[str, tuple[str, int]]  # step id -> form and record


def read(file: Path) -> Mapping[str, Any]:
    """The scenario in a file, or Invalid with everything that keeps it from being played."""
    body = file.read_bytes()
    problems = check_scenario(body)
    if problems:
        raise Invalid(problems)
    found: Mapping[str, Any] = loads(body.decode("utf-8"))
    return found


def play(scenario: Mapping[str, Any], tell: Callable[[str], None] = lambda line: None) -> list[Problem]:
    """Play all steps; the problems of the first step that went otherwise than told, none when all went well."""
    named: Named = {}
    for step in scenario["steps"]:
        problems = _play(step, named)
        tell(f"{'✗' if problems else '✓'} {step['id']}")
        if problems:
            return [Problem(p.code, f"{step['id']}: {p.at}", p.message) for p in problems]
    return []


def _play(step: Mapping[str, Any], named: Named) -> list[Problem]:
    verb = next(each for each in _VERBS if each in step)
    wanted = set(step.get("refused", ()))
    try:
        problems = _VERBS[verb](step, named)
    except FormloopError as error:
        codes = {p.code for p in error.problems} if isinstance(error, Invalid) else {error.code}
        if wanted and wanted <= codes:
            return []
        found = error.problems if isinstance(error, Invalid) else [Problem(error.code, "", error.message)]
        return list(found)
    if wanted:
        return [
            Problem(
                "allowed", "", M("This should have been refused: {codes}", codes=", ".join(sorted(wanted)))
            )
        ]
    return problems


def _actor(step: Mapping[str, Any]) -> Actor:
    person = people.find_person(step["as"]) if "as" in step else None
    if person is None:
        if "as" in step:
            raise NotFound(M("There is nobody called “{name}”.", name=step["as"]))
        return SYSTEM
    return get_actor(person.id)


def _create(step: Mapping[str, Any], named: Named) -> list[Problem]:
    values = _with_steps(step.get("values", {}), named)
    saved = service.create(_actor(step), step["create"], Resolver({"": values})(values))
    named[step["id"]] = (step["create"], saved["id"])
    return []


def _find(step: Mapping[str, Any], named: Named) -> list[Problem]:
    """The newest record whose field is what the step says."""
    spec, said = get_form(step["find"]), {"is": _with_steps(step["is"], named)}
    field, wanted = spec.fields[step["where"]], Resolver({"": said})(said)["is"]
    fits = spec.table.c[field.key] == field.type.read(field, wanted)
    with reading() as conn:
        query = select(spec.table.c.id).where(fits, spec.table.c.deleted_at.is_(None))
        record = conn.execute(query.order_by(spec.table.c.id.desc()).limit(1)).scalar_one_or_none()
    if record is None:
        raise NotFound
    named[step["id"]] = (spec.key, record)
    return []


def _fill_in(step: Mapping[str, Any], named: Named) -> list[Problem]:
    form, record = named[step["fill_in"]]
    values = _lines_named(form, record, step["values"])
    sharing.fill_in(sharing.add(_actor(step), form, record), Resolver({"": values})(values), None)
    return []


def _change(step: Mapping[str, Any], named: Named) -> list[Problem]:
    form, record = named[step["change"]]
    values = _with_steps(step.get("values", {}), named)
    service.change_record(_actor(step), form, record, Resolver({"": values})(values))
    return []


def _submit(step: Mapping[str, Any], named: Named) -> list[Problem]:
    form, record = named[step["submit"]]
    workflows.submit(_actor(step), form, record)
    return []


def _amend(step: Mapping[str, Any], named: Named) -> list[Problem]:
    form, record = named[step["amend"]]
    values = _lines_named(form, record, step["values"])
    amendments.propose(_actor(step), form, record, Resolver({"": values})(values), step["reason"])
    return []


def _lines_named(form: str, record: int, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, with the ids of the lines that are meant by their place."""
    with reading() as conn:
        found = rows.load(conn, get_form(form), [record])[record]

    def named(key: str, line: Mapping[str, Any]) -> dict[str, Any]:
        given = {name: value for name, value in line.items() if name != "$line"}
        return {"id": found[key][line["$line"] - 1]["id"], **given} if "$line" in line else given

    subforms = {each.key for each in get_form(form).subforms}
    return {
        key: [named(key, line) for line in value] if key in subforms else value
        for key, value in values.items()
    }


def _cancel(step: Mapping[str, Any], named: Named) -> list[Problem]:
    form, record = named[step["cancel"]]
    amendments.propose(_actor(step), form, record, None, step["reason"])
    return []


def _void(step: Mapping[str, Any], named: Named) -> list[Problem]:
    newest = next(iter(cases.list_cases(*named[step["void"]])), None)
    if newest is None:
        raise NotFound
    administration.void(_actor(step), newest.id, step["reason"])
    return []


def _supplement(step: Mapping[str, Any], named: Named) -> list[Problem]:
    form, record = named[step["supplement"]]
    actor, values = _actor(step), step["values"]
    offer = supplements.get_offer(actor, form, record)
    raw = {**offer.values, **Resolver({"": values})(values)}
    saved = supplements.add(actor, form, record, raw, None)
    named[step["id"]] = (offer.form, saved["id"])
    return []


def _ask(step: Mapping[str, Any], named: Named) -> list[Problem]:
    """What somebody gets who asks for it; made before and still under way, it is a conflict."""
    made = asking.ask(_actor(step), *named[step["ask"]], step["bridge"])
    if not made.new:
        raise Conflict(M("This is under way already; no second one was made."))
    named[step["id"]] = (made.form, made.record)
    return []


def _decide(step: Mapping[str, Any], named: Named) -> list[Problem]:
    form, record = named[step["decide"]]
    actor = _actor(step)
    running = cases.find_open(form, record)
    task = cases.find_own_task(running.id, actor.person_id) if running else None
    if task is None:
        raise Forbidden(M("{name} has nothing to decide here.", name=actor.name))
    values = _with_steps(step.get("values", {}), named)
    raw = Resolver({"": values})(values) or None
    workflows.decide(actor, task.id, step["action"], step.get("comment", ""), to=step.get("to"), raw=raw)
    return []


def _deliver(_step: Mapping[str, Any], _named: Named) -> list[Problem]:
    outbox.drain()
    return []


def _expect(step: Mapping[str, Any], named: Named) -> list[Problem]:
    form, record = named[step["expect"]]
    found = reads.get_record(SYSTEM, form, record)
    return [
        Problem("differs", key, M("“{found}” instead of “{wanted}”", found=found.get(key), wanted=wanted))
        for key, wanted in _with_steps(step["values"], named).items()
        if not _same(found.get(key), wanted)
    ]


def _expect_all(step: Mapping[str, Any], named: Named) -> list[Problem]:
    found = _found(step, named)
    problems = []
    if "count" in step and len(found) != step["count"]:
        text = M("{found} records instead of {wanted}", found=len(found), wanted=step["count"])
        problems.append(Problem("count", step["expect_all"], text))
    for key, wanted in step.get("sum", {}).items():
        total = sum((record[key] or Decimal(0) for record in found), Decimal(0))
        if total != Decimal(str(wanted)):
            problems.append(
                Problem("sum", key, M("“{found}” instead of “{wanted}”", found=total, wanted=wanted))
            )
    return problems


def _found(step: Mapping[str, Any], named: Named) -> list[Values]:
    spec = get_form(step["expect_all"])
    said = {"is": step.get("is")}
    wanted = Resolver({"": said})(said)["is"]
    if isinstance(wanted, str) and wanted in named:
        wanted = named[wanted][1]
    if step["where"] in spec.fields:
        wanted = spec.fields[step["where"]].type.read(spec.fields[step["where"]], wanted)
    with reading() as conn:
        query = select(spec.table.c.id).where(
            spec.table.c[step["where"]] == wanted, spec.table.c.deleted_at.is_(None)
        )
        return list(rows.load(conn, spec, list(conn.execute(query).scalars())).values())


def _expect_chain(step: Mapping[str, Any], named: Named) -> list[Problem]:
    form, record = named[step["expect_chain"]]
    chain = reads.list_chain(SYSTEM, form, record)
    problems = []
    for other, wanted in step["to"].items():
        there = [each for each in chain if each.way == "to" and each.form == other]
        back = [
            e for each in there for e in reads.list_chain(SYSTEM, other, each.record) if e.record == record
        ]
        if len(there) != wanted or len(back) != wanted:
            text = M(
                "{found} records instead of {wanted}", found=f"{len(there)} → {len(back)}", wanted=wanted
            )
            problems.append(Problem("chain", other, text))
    return problems


def _expect_balance(step: Mapping[str, Any], named: Named) -> list[Problem]:
    ledger, said = step["expect_balance"], _with_steps(step.get("of", {}), named)
    dims = Resolver({"": said})(said)
    found = ledgers.list_balances(SYSTEM, ledger, dims, per=list(dims), limit=1, empty=True).rows
    amounts = found[0].amounts if found else {}
    return [
        Problem(
            "differs", key, M("“{found}” instead of “{wanted}”", found=amounts.get(key, 0), wanted=wanted)
        )
        for key, wanted in step["values"].items()
        if (amounts.get(key) or Decimal(0)) != Decimal(str(wanted))
    ]


def _expect_rows(step: Mapping[str, Any], named: Named) -> list[Problem]:
    """What a dataset adds up to over its rows, or over those that are named."""
    said = _with_steps({key: step.get(key, {}) for key in ("given", "of")}, named)
    asked = Resolver({"": said})(said)
    rows = datasets.read_all(_actor(step), step["expect_rows"], asked["given"])
    mine = [row for row in rows if all(_same(row[key], value) for key, value in asked["of"].items())]
    problems = []
    for key, wanted in step["values"].items():
        total = sum((row[key] or Decimal(0) for row in mine), Decimal(0))
        if total != Decimal(str(wanted)):
            text = M("“{found}” instead of “{wanted}”", found=total, wanted=wanted)
            problems.append(Problem("differs", key, text))
    return problems


def _close(step: Mapping[str, Any], _named: Named) -> list[Problem]:
    periods.close(_actor(step), step["close"], date.fromisoformat(step["through"]))
    return []


def _with_steps(value: Any, named: Named) -> Any:
    """`value` with the ids of records that earlier steps made in the place of `{"$step": id}`."""
    if isinstance(value, Mapping):
        if set(value) == {"$step"}:
            return named[value["$step"]][1]
        return {key: _with_steps(each, named) for key, each in value.items()}
    return [_with_steps(each, named) for each in value] if isinstance(value, list) else value


def _same(found: Any, wanted: Any) -> bool:
    if isinstance(found, Decimal):
        return found == Decimal(str(wanted))
    return bool(found == wanted or str(found) == str(wanted))


_VERBS: dict[str, Callable[[Mapping[str, Any], Named], list[Problem]]] = {
    "create": _create,
    "find": _find,
    "fill_in": _fill_in,
    "change": _change,
    "submit": _submit,
    "amend": _amend,
    "cancel": _cancel,
    "void": _void,
    "supplement": _supplement,
    "ask": _ask,
    "decide": _decide,
    "deliver": _deliver,
    "close": _close,
    "expect": _expect,
    "expect_all": _expect_all,
    "expect_chain": _expect_chain,
    "expect_balance": _expect_balance,
    "expect_rows": _expect_rows,
}
