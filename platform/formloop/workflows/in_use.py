"""The versions of a form's workflows that cases run by, or ever ran by: the newest is not the only one that counts.

What is published next, or taken out of use, neither unlocks what went through an earlier version nor locks it for
good.
"""

from collections.abc import Sequence

from sqlalchemy import func, select

from formloop.core.errors import Problem
from formloop.core.text import M, Titled
from formloop.db import reading
from formloop.definitions import library
from formloop.forms.spec import FormSpec
from formloop.workflows.spec import Workflow
from formloop.workflows.tables import case


def list_versions(spec: FormSpec) -> Sequence[Workflow]:
    """The newest ones, and all by which there ever was a case: it may be taken up again.

    Between two publishings no other version comes to run, so the answer holds until the next one.
    """
    known = library.until_published("workflows.in_use")
    if spec.key not in known:
        known[spec.key] = _read_versions(spec)
    found: Sequence[Workflow] = known[spec.key]
    return found


def list_own(spec: FormSpec) -> list[Workflow]:
    """Those that records are submitted to, without those for changes of approved ones."""
    return [each for each in list_versions(spec) if each.amends is None]


def free_states(spec: FormSpec) -> frozenset[str]:
    """In which nothing locks a record: before it is submitted, or after it came back, by any version.

    A state in which another version has a record, or had it approved, is not among them.
    """
    own = list_own(spec)
    free = frozenset[str]().union(*(each.free_states for each in own))
    return free.difference(*(each.held_states for each in own))


def check_states(new: Workflow, spec: FormSpec) -> list[Problem]:
    """States that a workflow would call otherwise than a version whose cases left records in them."""
    if new.amends is not None:
        return []
    held, free = set[str](), set[str]()
    for each in _read_with_cases(spec):
        if each.amends is None:
            held |= each.held_states
            free |= each.free_states
    wrong = sorted((new.free_states & held) | (new.held_states & (free - held)))
    return [_called_otherwise(spec, state, unlocks=state in held) for state in wrong]


def _called_otherwise(spec: FormSpec, state: str, unlocks: bool) -> Problem:
    with reading() as conn:
        query = select(func.count()).select_from(spec.table).where(spec.table.c.state == state)
        count = int(conn.execute(query).scalar_one())
    called = Titled(spec.states[state].document, state) if state in spec.states else state
    words = {"state": called, "count": count}
    text = (
        M(
            "“{state}” has records that were submitted or approved before ({count}): this unlocks them.",
            **words,
        )
        if unlocks
        else M(
            "“{state}” has records that were returned or rejected before ({count}): this locks them.", **words
        )
    )
    return Problem("states", "states", text)


def _read_versions(spec: FormSpec) -> list[Workflow]:
    found = {(each.key, each.version): each for each in _read_with_cases(spec)}
    found |= {(each.key, each.version): each for each in library.of_form("workflow", spec.key)}
    return list(found.values())


def _read_with_cases(spec: FormSpec) -> list[Workflow]:
    query = select(case.c.workflow, case.c.version).where(case.c.form == spec.key)
    with reading() as conn:
        return [library.at_version("workflow", *row) for row in conn.execute(query.distinct())]
