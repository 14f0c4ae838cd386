"""Who sits at a step: everybody its rules choose, once each, with the rule that chose them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from formloop.core.definitions import Doc, Library, with_suggestion
from formloop.core.errors import Problem
from formloop.core.text import M, Message
from formloop.forms.spec import FormSpec
from formloop.workflows.assignees import rules
from formloop.workflows.spec import Visit, World
from formloop.workflows.state import Rule, Seat


def choose(visit: Visit, world: World) -> tuple[Seat, ...]:
    """One seat for each person whom the step names; where it finds nobody, for whoever it names for that case."""
    return sit(name(visit, world), world)


def name(visit: Visit, world: World) -> dict[int, Rule]:
    """Whom the step asks, with the first rule that chose each of them as the reason."""
    found: dict[int, Rule] = {}
    for rule in visit.step.who:
        for person in world.find_people(rule, visit):
            found.setdefault(person, rule)
    return found or _in_their_place(visit, world)


def sit(found: Mapping[int, Rule], world: World) -> tuple[Seat, ...]:
    """A seat for each of the people, by the rule that chose them; for one who is away the deputy's."""
    away = world.find_deputies(list(found)) if found else {}
    seats: dict[int, Seat] = {}
    for person, rule in found.items():
        deputy = away.get(person)
        if deputy is None:
            seats[person] = Seat(person, rule)
        else:
            seats.setdefault(deputy, Seat(deputy, {"rule": "delegated", "of": person}))
    return tuple(seats.values())


GONE = M("Whoever is next to decide has left. Name somebody else.")
WAITS = ("open", "waiting", "gone")  # of a seat that has not decided


def call_next(seats: tuple[Seat, ...], person: int | None) -> tuple[Seat, ...]:
    """The turn of those who wait for a person has come."""
    return tuple(
        replace(s, state="open", round=0, after=None) if s.state == "waiting" and s.after == person else s
        for s in seats
    )


def call(visit: Visit, seats: tuple[Seat, ...], world: World) -> tuple[Seat, ...]:
    """The seats once those whose turn has come are to be asked.

    For one who is away now the deputy is. Who has left is dealt with as the step does when nobody is found: the seat
    is gone, or somebody else's, or left out, and then the next one's turn comes.
    """
    known: set[int] = set()
    while True:
        coming = (s for s in seats if s.state == "open" and not s.round and s.person not in known)
        mine = next(coming, None)
        if mine is None:
            return seats
        found = _called(visit, mine, [s.person for s in seats if s is not mine], world)
        known |= {mine.person, found.person} if found else {mine.person}
        seats = put_instead(seats, mine, found)


def _called(visit: Visit, mine: Seat, others: Sequence[int], world: World) -> Seat | None:
    """Who sits at a seat whose turn has come; nobody where that one sits here anyway, or it is left out."""
    (found,) = sit({mine.person: mine.why}, world)
    if not world.is_here(found.person):
        if visit.step.document.get("nobody") == "pass":
            return None
        found = next(iter(sit(_in_their_place(visit, world), world)), replace(mine, state="gone"))
    if found.person == mine.person:
        return replace(mine, state=found.state)
    return None if found.person in others else found


def put_instead(seats: tuple[Seat, ...], mine: Seat, other: Seat | None) -> tuple[Seat, ...]:
    """Somebody else sits where somebody sat, and who waits for the one waits for the other; without, their turn comes."""
    if other is None:
        return call_next(tuple(s for s in seats if s is not mine), mine.person)
    return tuple(
        other if s is mine else replace(s, after=other.person) if s.after == mine.person else s for s in seats
    )


def _in_their_place(visit: Visit, world: World) -> dict[int, Rule]:
    """Whoever is asked where nobody is found, if the step names somebody."""
    nobody = visit.step.document.get("nobody")
    if not isinstance(nobody, dict):
        return {}
    rule = {"rule": "stand_in", "person": nobody["person"]}
    return dict.fromkeys(world.find_people(rule, visit), rule)


def line_up(seats: Sequence[Seat]) -> tuple[Seat, ...]:
    """The first who is still to decide is asked; each other one waits for the one before."""
    found: list[Seat] = []
    before: int | None = None
    for seat in seats:
        if seat.state == "open":
            found.append(seat if before is None else replace(seat, state="waiting", after=before))
            before = seat.person
        else:
            found.append(seat)
    return tuple(found)


def pass_repeated(visit: Visit, seats: tuple[Seat, ...]) -> tuple[Seat, ...]:
    """Whoever agreed before counts as agreeing here too, where the workflow says so and nothing else is asked of them."""
    hands = visit.state.hands
    if visit.step.demands:
        return seats
    if visit.step.repeated == "any":
        agreed = {person for people in hands.values() for person in people}
    elif visit.step.repeated == "before" and visit.state.passed:
        agreed = set(hands.get(visit.state.passed[-1], ()))
    else:
        return seats
    return tuple(replace(s, state="done") if s.person in agreed else s for s in seats)


def check_who(doc: Doc, at: str, form: FormSpec, library: Library) -> list[Problem]:
    """What is wrong with the rules of a step."""
    problems = []
    for index, rule in enumerate(doc.get("who", ())):
        known = rules.find(rule["rule"])
        if known is not None:
            problems += known.check(rule, f"{at}.who.{index}", form, library)
    return problems


WHO = {
    "type": "array",
    "minItems": 1,
    "maxItems": 50,
    "items": {"$ref": "#/$defs/who"},
    "title": "Who",
    "x-title": {"zh-CN": "处理人"},
}

NEEDS = {
    "type": "array",
    "uniqueItems": True,
    "items": {
        "enum": ["comment", "signature"],
        "x-titles": {
            "comment": {"title": "A comment", "x-title": {"zh-CN": "审批意见"}},
            "signature": {"title": "A signature", "x-title": {"zh-CN": "手写签名"}},
        },
    },
    "title": "To agree takes",
    "x-title": {"zh-CN": "同意时必填"},
}


def no_field(form: FormSpec, path: str) -> Message:
    """That a form has no such field, with the one that is near."""
    known = [each.path for top in form.fields.values() for each in (top, *top.children)]
    return with_suggestion(M("There is no field “{key}”.", key=path), path, known)


FIELD_RIGHTS = ("view", "edit", "require", "hide")
FIELD_WORDS = {
    "view": {"title": "Read only", "x-title": {"zh-CN": "只读"}},
    "edit": {"title": "May be filled in", "x-title": {"zh-CN": "可编辑"}},
    "require": {"title": "Must be filled in", "x-title": {"zh-CN": "必填"}},
    "hide": {"title": "Hidden", "x-title": {"zh-CN": "隐藏"}},
}


def check_fields(doc: Doc, at: str, form: FormSpec) -> list[Problem]:
    """Unknown fields, and fields nobody can fill in."""
    problems = []
    for path, right in doc.get("fields", {}).items():
        place = f"{at}.fields.{path}"
        field = None if path == "*" else form.find(path)
        if path != "*" and field is None:
            problems.append(Problem("no_field", place, no_field(form, path)))
        elif right in ("edit", "require") and field is not None and (field.computed or field.readonly):
            text = M("“{field}” is calculated or read-only; nobody can fill it in.", field=path)
            problems.append(Problem("computed", place, text))
    return problems
