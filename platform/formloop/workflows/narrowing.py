"""What a tab of the inbox is narrowed down to, and by which workflows and steps it can be."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, false, func, literal, or_, tuple_

from formloop.access.actor import Actor
from formloop.access.tables import person
from formloop.definitions import library
from formloop.forms import permits
from formloop.forms.fields.datetime import site_zone
from formloop.forms.kind import get_form
from formloop.forms.spec import FormSpec
from formloop.workflows import hiding
from formloop.workflows.tables import case, task

FILTERS = ("q", "workflow", "step", "initiator", "from", "until", "unread")  # names of the address


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a tab is narrowed down to; `until` is a day of its own."""

    search: str = ""
    workflow: str = ""
    step: str = ""
    initiator: str = ""
    since: date | None = None
    until: date | None = None
    unread: bool = False


EVERYTHING = Wanted()


def read_wanted(args: Mapping[str, str]) -> Wanted:
    """What an address asks for; a day that is none counts as not asked for."""
    search, workflow, step, initiator = (args.get(name, "").strip()[:200] for name in FILTERS[:4])
    return Wanted(
        search,
        workflow,
        step,
        initiator,
        since=_day(args.get("from", "")),
        until=_day(args.get("until", "")),
        unread=bool(args.get("unread")),
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def narrow(actor: Actor, tab: str, wanted: Wanted) -> list[ColumnElement[bool]]:
    """What the rows of a tab must fulfil besides belonging to it."""
    at, step = (case.c.started_at, case.c.step) if tab == "started" else (task.c.made_at, task.c.step)
    at = task.c.done_at if tab == "done" else at
    found = []
    if wanted.search:
        found.append(_search(actor, tab, wanted.search))
    if wanted.workflow:
        found.append(case.c.workflow == wanted.workflow)
    if wanted.step:
        found.append(step == wanted.step)
    if wanted.initiator:
        found.append(person.c.name.icontains(wanted.initiator, autoescape=True))
    if wanted.unread and tab != "started":
        found.append(task.c.seen_at.is_(None) & (task.c.state == "open"))
    if wanted.since:
        found.append(at >= _midnight(wanted.since))
    if wanted.until:
        found.append(at < _midnight(wanted.until + timedelta(days=1)))
    return found


def _midnight(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), ZoneInfo(site_zone())).astimezone(UTC)


def _search(actor: Actor, tab: str, text: str) -> ColumnElement[bool]:
    """Titles are only searched where the person may see them, so that a search tells nothing else."""
    told: list[ColumnElement[bool]] = []
    handed_on = literal(False) if tab == "started" else func.coalesce(task.c.decision, "") == "transfer"
    for entry in library.list_entries("form"):
        spec = get_form(entry.key)
        permit = permits.find_permit(actor, "view", spec)
        if permit is not None and spec.title_field in permit.anywhere:
            hidden = [ids for ids, paths in hiding.narrow(actor, spec) if spec.title_field in paths]
            shown = (case.c.form == entry.key) & case.c.record.not_in(frozenset().union(*hidden)) & ~handed_on
            told.append(shown if tab == "started" else shown & ~_at_a_step_that_hides(spec))
    return or_(
        case.c.title.icontains(text, autoescape=True) & or_(false(), *told),
        person.c.name.icontains(text, autoescape=True),
    )


def _at_a_step_that_hides(spec: FormSpec) -> ColumnElement[bool]:
    """Whether the task is of a step that hides the title from whoever it asks, then and afterwards."""
    steps = [place for place, paths in hiding.places_of(spec).items() if spec.title_field in paths]
    return tuple_(case.c.workflow, case.c.version, task.c.step).in_(steps) if steps else literal(False)


def list_workflows(locale: str) -> list[tuple[str, str]]:
    """The published workflows by key and title, to choose from."""
    chinese = locale.startswith("zh")
    return [
        (entry.key, entry.title_zh if chinese and entry.title_zh else entry.title)
        for entry in library.list_entries("workflow")
    ]


def list_steps(key: str, locale: str) -> list[tuple[str, str]]:
    """The steps of a workflow that ask people, by key and title."""
    if key not in {entry.key for entry in library.list_entries("workflow")}:
        return []
    steps = library.published("workflow", key).steps.values()
    return [(step.id, step.title(locale)) for step in steps if step.node.actions]
