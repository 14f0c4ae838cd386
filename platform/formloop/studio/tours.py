"""Guided tours: what each step points to and says, and how far everybody has come."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select

from formloop.access.actor import Actor
from formloop.core import clock
from formloop.core.registry import Registry
from formloop.core.text import M, Message
from formloop.db import connection, reading, transactional
from formloop.studio.tables import tour_progress


@dataclass(frozen=True, slots=True)
class Step:
    """What is pointed at and said. `until` is what the page shows once it is done: then the tour goes on by itself."""

    at: str
    says: Message
    until: str = ""


@dataclass(frozen=True, slots=True)
class Tour:
    """A tour; it begins at the page `start`, an endpoint with its values."""

    name: str
    title: Message
    says: Message
    icon: str
    start: str
    values: Mapping[str, Any]
    steps: tuple[Step, ...]


PUBLISH = (
    Step(
        "#studio-check",
        M("*Check* counts what still stands against publishing. A click on a problem leads to its place."),
    ),
    Step(
        ".fl-studio-tools .btn-primary",
        M("*Publish* leads to a page that says first what would happen to records and to other definitions."),
        'form[action$="/publish"]',
    ),
    Step(
        'form[action$="/publish"]',
        M(
            "Read what would change, write a note if you like, and publish. Going back to an earlier version stays possible."
        ),
        "#versions",
    ),
)

tours: Registry[Tour] = Registry("guided tour")
tours.add(
    "form",
    Tour(
        "form",
        M("Build a form"),
        M("From an empty page to a form that people fill in."),
        "forms",
        "definitions.list_all",
        {},
        (
            Step(
                'details:has(a[href^="/studio/new"])',
                M("Open this menu and choose *Form*."),
                'form[action$="/studio/new"]',
            ),
            Step(
                'form[action$="/studio/new"]',
                M("Say what the form is called, then press Enter."),
                ".fl-studio-form",
            ),
            Step(
                ".fl-palette",
                M("These are the kinds of fields. Click one, or drag it to its place."),
                ".fl-brick",
            ),
            Step(
                "#studio-props",
                M(
                    "What is selected has its settings here: its label, whether it is required, a formula, a rule when it shows."
                ),
            ),
            Step(
                "#studio-undo",
                M(
                    "Everything is kept at once as a draft, and fifty steps can be taken back. People notice nothing before you publish."
                ),
            ),
            Step(
                '.fl-studio-tools a[href$="/preview"]',
                M("The eye shows the form as on a desk and on a phone."),
            ),
            *PUBLISH,
            Step(
                ".fl-head-tools",
                M("That is all: *Open the form* leads to its records. The menu has it as well."),
            ),
        ),
    ),
)
tours.add(
    "approval",
    Tour(
        "approval",
        M("Add an approval"),
        M("Who is asked before a record of a form counts."),
        "checks",
        "definitions.list_all",
        {"kind": "form"},
        (
            Step("#definitions", M("Choose the form whose records are to be approved."), ".fl-studio-form"),
            Step(
                ".fl-steps a:nth-child(2)",
                M("*② Workflow* draws who approves its records."),
                'form[action$="/flow"], .fl-flow-canvas',
            ),
            Step('form[action$="/flow"]', M("It has none yet: draw one."), ".fl-flow-canvas"),
            Step(
                ".fl-plus summary",
                M("A plus on each line offers the kinds of steps. Choose *Approval*."),
                ".fl-step-card.fl-selected",
            ),
            Step(
                "#studio-props",
                M(
                    "Here you say who is asked: a person, a role, the head of a department. *Field rights* says what they see and may change."
                ),
            ),
            Step(".fl-flow-end", M("A record whose approval ends here counts as confirmed.")),
            *PUBLISH,
            Step(
                ".fl-head-tools",
                M(
                    "From now on each record of this form is approved. *Simulate* plays it without leaving anything behind."
                ),
            ),
        ),
    ),
)
tours.add(
    "bridge",
    Tour(
        "bridge",
        M("Connect two forms"),
        M("What happens in one form makes or changes records of another."),
        "arrows-exchange",
        "studio_bridges.list_all",
        {},
        (
            Step('a[href*="/bridges/new"]', M("Begin here."), 'form[action$="/bridges/new"]'),
            Step(
                'form[action$="/bridges/new"]',
                M(
                    "Choose the source, where something happens, and the target, where records are to be made. Then begin."
                ),
                ".fl-bridge-canvas",
            ),
            Step(
                '[data-act="accept"], [data-board]',
                M(
                    "Fields that fit by name and type suggest themselves: accept them all. Where none does, go on."
                ),
                ".fl-paired",
            ),
            Step(
                "[data-board]",
                M(
                    "Draw further pairs: drag a field to the right, or click both. *fx* opens the formula of a pair."
                ),
            ),
            Step(
                '#studio-props [data-at="from"]',
                M("Say what sets it off, and whether each line gives a record of its own."),
            ),
            Step(
                '[hx-get$="/try"]',
                M(
                    "Try it on real records: it says what would be created, changed or skipped, and nothing of it stays."
                ),
                "#fl-dialog .fl-trial",
            ),
            *PUBLISH,
            Step(
                ".fl-head-tools",
                M("From now on it runs by itself. What fails waits in the *Repair desk* with its reason."),
            ),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Progress:
    """At which step somebody would go on, and on which page."""

    step: int
    page: str


def list_progress(actor: Actor) -> dict[str, Progress]:
    """How far somebody has come, by tour; tours never begun are left out."""
    with reading() as conn:
        query = select(tour_progress).where(tour_progress.c.person == actor.person_id)
        found = [(tours.find(row.tour), row) for row in conn.execute(query)]
        return {tour.name: Progress(min(row.step, len(tour.steps)), row.page) for tour, row in found if tour}


@transactional
def keep_progress(actor: Actor, name: str, step: int, page: str = "") -> None:
    """Remember where somebody is in a tour."""
    step = max(0, min(step, len(tours.get(name).steps)))
    mine = (tour_progress.c.person == actor.person_id) & (tour_progress.c.tour == name)
    connection().execute(delete(tour_progress).where(mine))
    values = {"person": actor.person_id, "tour": name, "step": step, "page": page, "at": clock.now()}
    connection().execute(insert(tour_progress).values(**values))
