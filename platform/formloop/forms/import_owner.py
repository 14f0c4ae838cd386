"""Whose the new records of an import are, and who submits them: asked when its mapping is kept and at each step again.

An owner is named by their account. Accounts are renamed and given to others, people leave, rights and workflows
change: then the import stops and says so, and nobody else becomes the owner or submits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Row

from formloop.access import gate, people
from formloop.access.actor import Actor, get_actor
from formloop.core.errors import Invalid, Problem
from formloop.core.text import M
from formloop.forms import submitting
from formloop.forms.mapping import ColumnMap
from formloop.forms.spec import FormSpec


@dataclass(frozen=True, slots=True)
class Owner:
    """What new records say of their owner, None where whoever imports has them; and who submits them."""

    person: int | None
    values: Mapping[str, int | None]
    submitter: Actor


def find_owner(actor: Actor, spec: FormSpec, mapping: ColumnMap, before: int | None = None) -> Owner:
    """The owner that a mapping names; Invalid where there is none, or another one than `before`."""
    found = _named(mapping)
    problems = _check(actor, spec, mapping, found, before)
    if problems:
        raise Invalid(problems)
    if found is None:
        return Owner(None, {}, actor)
    submitter = get_actor(found.id) if mapping.submit else actor
    return Owner(found.id, {"owner": found.id, "department": found.department}, submitter)


def check_owner(actor: Actor, spec: FormSpec, mapping: ColumnMap) -> list[Problem]:
    """What speaks against the owner that a mapping names, and against their submitting."""
    return _check(actor, spec, mapping, _named(mapping), None)


def _named(mapping: ColumnMap) -> Row[Any] | None:
    return people.find_person(mapping.owner) if mapping.owner else None


def _check(
    actor: Actor, spec: FormSpec, mapping: ColumnMap, found: Row[Any] | None, before: int | None
) -> list[Problem]:
    account = mapping.owner
    if before is not None and (found is None or found.id != before):
        return [
            Problem(
                "owner",
                "owner",
                M(
                    "The account “{account}” is not that of whom the records were to belong to any more. "
                    "Begin a new import that names their account of now.",
                    account=account,
                ),
            )
        ]
    if account and found is None:
        return [
            Problem("owner", "owner", M("There is nobody with the account “{account}”.", account=account))
        ]
    if found is not None and found.id != actor.person_id and not actor.administrator:
        return [Problem("owner", "owner", M("Only an administrator may import for somebody else."))]
    return _check_submitting(actor, spec, found) if mapping.submit else []


def _check_submitting(actor: Actor, spec: FormSpec, owner: Row[Any] | None) -> list[Problem]:
    """Who submits the records is their owner, by their own rights."""
    if submitting.state_of(spec.key) is None:
        return [
            Problem(
                "no_workflow",
                "submit",
                M("Records of this form are not submitted: it has no workflow. Leave “submit” out."),
            )
        ]
    if owner is not None and not owner.active:
        return [
            Problem(
                "owner",
                "owner",
                M(
                    "The account “{account}” is not active, so nothing is submitted in its name. "
                    "Activate it, or name another owner.",
                    account=owner.account,
                ),
            )
        ]
    submitter = get_actor(owner.id) if owner else actor
    if submitter.person_id is None:
        return [
            Problem(
                "nobody",
                "owner",
                M("Only a person can submit a record. Say whose the new records are (--owner ACCOUNT)."),
            )
        ]
    if not gate.allows(submitter, "submit", spec.resource):
        return [
            Problem(
                "forbidden",
                "owner",
                M("“{account}” may not submit records of this form.", account=submitter.account),
            )
        ]
    return []
