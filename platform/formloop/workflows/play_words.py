"""Plays and their differences as people read them."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from formloop.access import people
from formloop.access.actor import Actor
from formloop.core.text import M, Message
from formloop.events import outbox, reasons
from formloop.forms import reads
from formloop.forms.kind import get_form
from formloop.forms.spec import FormSpec
from formloop.ledgers import names
from formloop.ledgers.kind import get_ledger
from formloop.workflows import refusals, timeline
from formloop.workflows.pages import STATUS
from formloop.workflows.played import Entered, Played
from formloop.workflows.replaying import Difference
from formloop.workflows.spec import Step

OFFERED = {"approve": M("Approve"), "reject": M("Reject"), "return": M("Return"), "submit": M("Submit again")}
RIGHTS = {
    "view": M("read only"),
    "edit": M("may be filled in"),
    "require": M("must be filled in"),
    "hide": M("hidden"),
}
ACTIONS = {
    **timeline.ACTIONS,
    "assumed": (M("Assumed, since nobody waits here"), "secondary", "hourglass"),
    "given": (M("As chosen on this page"), "blue", "hourglass"),
}
CHANGED = {"created": M("is created"), "updated": M("is changed"), "deleted": M("is deleted")}


def of_play(actor: Actor, played: Played, spec: FormSpec, locale: str) -> dict[str, Any]:
    """How a play went, for its page."""
    named, titles = _names(played), _titles(played, locale)
    return {
        "status": STATUS.get(played.status, STATUS["draft"]),
        "problems": played.problems,
        "path": [
            (titles.get(step, ""), ACTIONS[action], named.get(person or 0, ""))
            for step, action, person in played.path
        ],
        "waiting": [
            (titles.get(step, ""), named.get(person, ""), _offers(played.steps, step, person))
            for step, person in played.waiting
        ],
        "stays": [(titles.get(step, ""), because) for step, because in played.stays],
        "asked": [
            (
                titles.get(a.step, ""),
                named.get(a.person, ""),
                timeline.describe(a.why),
                _rights(a.fields.items(), spec, locale),
            )
            for a in played.asked
        ],
        "changes": list(dict.fromkeys(_change(actor, *each, locale) for each in played.changes)),
        "entries": [text for each in played.entries if (text := _entry(actor, each, locale))],
        "told": [(named.get(person, ""), reasons.read(said, locale)) for person, said in played.told],
        "messages": Counter(_topic(name) for name, _ in played.messages).items(),
    }


def of_difference(actor: Actor, found: Difference, spec: FormSpec, locale: str) -> dict[str, Any]:
    """What of a past case would go another way, as two lists of sentences."""
    named = _names(found.was) | _names(found.would)
    titles = _titles(found.was, locale) | _titles(found.would, locale)

    def title(step: str) -> str:
        return titles.get(step, "")

    writers: dict[str, Callable[[Any], str]] = {
        "status": lambda s: STATUS.get(s, STATUS["draft"])[0].render(locale),
        "path": lambda p: _joined(title(p[0]), ACTIONS[p[1]][0].render(locale), named.get(p[2])),
        "asked": lambda a: _joined(named.get(a[1]), title(a[0]), _rights(a[3], spec, locale)),
        "changes": lambda c: " ".join(
            str(each) for each in (get_form(c[0]).title(locale), _word(c[0], c[2], locale))
        ),
        "entries": lambda e: _entry(actor, Entered(e[0], dict(e[1]), dict(e[2])), locale),
        "told": lambda t: _joined(named.get(t[0]), reasons.read(t[1], locale)),
        "messages": lambda topic: _topic(topic).render(locale),
    }

    def lines(side: Mapping[str, Counter[Any]]) -> list[tuple[str, int]]:
        told = [
            (writers[part](each), count) for part, several in side.items() for each, count in several.items()
        ]
        return [(text, count) for text, count in told if text]

    return {
        "case": found.case,
        "title": reads.list_titles(actor, spec, spec.table.c.id == found.record, 1).get(found.record, ""),
        "less": lines(found.less),
        "more": lines(found.more),
        "problems": found.problems,
    }


def _names(played: Played) -> dict[int, str]:
    met = {person for _, _, person in played.path if person is not None}
    met |= {each.person for each in played.asked} | {person for person, _ in played.told}
    return dict(people.names_of(met | {person for _, person in played.waiting}))


def _titles(played: Played, locale: str) -> dict[str, str]:
    return {name: step.title(locale) for name, step in played.steps.items()}


def _joined(*parts: str | None) -> str:
    return " · ".join(part for part in parts if part)


def _offers(steps: Mapping[str, Step], step: str, person: int) -> list[tuple[str, Message]]:
    """What may be decided as a person who is asked: the value and the word of each button."""
    found = steps.get(step)
    if found is None:
        return [(f"{person}:submit:{step}", OFFERED["submit"])]
    words = {**OFFERED, "approve": found.node.agree}
    return [(f"{person}:{each}:{step}", words[each]) for each in OFFERED if each in found.actions]


def _change(actor: Actor, form: str, record: int, action: str, locale: str) -> tuple[str, str, Message]:
    """Form, record and what becomes of it; new records have no name yet."""
    spec = get_form(form)
    known = reads.list_titles(actor, spec, spec.table.c.id == record, 1) if spec.is_there else {}
    title = known.get(record, "")
    return spec.title(locale), title, _word(form, action, locale)


def _word(form: str, action: str, locale: str) -> Message:
    states = get_form(form).states
    state = states.get(action.removeprefix("state:")) if action.startswith("state:") else None
    return (
        M("becomes “{state}”", state=state.title(locale))
        if state
        else CHANGED.get(action, CHANGED["updated"])
    )


def _entry(actor: Actor, entered: Entered, locale: str) -> str:
    """An entry in one line, for whoever may see the whole ledger."""
    ledger = get_ledger(entered.ledger)
    if not refusals.sees_whole(actor, ledger.resource):
        return ""
    called = names.titles(ledger, [entered.dims], actor)
    dims = " / ".join(called[key, value] for key, value in entered.dims.items() if value)
    amounts = ", ".join(
        f"{ledger.measures[key].title.render(locale)} {amount:+f}"
        for key, amount in entered.amounts.items()
        if amount
    )
    return f"{ledger.title.render(locale)}: {dims} · {amounts}"


def _topic(name: str) -> Message:
    topic = outbox.topics.find(name)
    return topic.title if topic is not None and topic.title else M("Message")


def _rights(fields: Iterable[tuple[str, str]], spec: FormSpec, locale: str) -> str:
    """The field rights of a step, in words."""
    found = []
    for path, right in fields:
        field = spec.find(path)
        name = field.title(locale) if field else M("All other fields").render(locale) if path == "*" else path
        found.append(f"{name}: {RIGHTS[right].render(locale)}")
    return ", ".join(found)
