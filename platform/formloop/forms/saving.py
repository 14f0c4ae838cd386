"""From drafts to records: read what was given, complete it, find every problem, ask for the rights, write."""

from collections.abc import Mapping
from typing import Any

from formloop.access.actor import Actor
from formloop.core.errors import Conflict, Forbidden, NotFound, Problem
from formloop.core.text import M
from formloop.db import connection, transactional
from formloop.events import Cause
from formloop.forms import engine, permits, rows
from formloop.forms.choices import check_fitting, drop_unseen
from formloop.forms.drafts import Draft, How, Outcome, is_locked
from formloop.forms.fixed import check_fixed, check_lines
from formloop.forms.links import Links
from formloop.forms.names import context_of
from formloop.forms.outside import check_outside
from formloop.forms.permits import Permit
from formloop.forms.reads import visible_in
from formloop.forms.spec import FormSpec, Values
from formloop.forms.uniqueness import Claim, check_unique
from formloop.forms.writing import Work, note_unchanged, outcome_of, write


@transactional
def save(
    actor: Actor, spec: FormSpec, drafts: list[Draft], cause: Cause, how: How, all_or_nothing: bool
) -> list[Outcome]:
    """Save drafts of one form together; see `service.save_many`, which this is the inside of."""
    context = context_of(actor)
    prepared = _prepare(actor, spec, drafts, how)
    work = [w for w in prepared if not w.stays]
    rules = {creating: _permit(actor, spec, how, creating) for creating in {w.before is None for w in work}}
    judged = [w.before for w in work if w.before is not None and rules[False] is not None]
    also = frozenset().union(*(permit.reads for permit in rules.values() if permit is not None))
    links = Links(actor, spec, [*(w.after for w in work), *judged], also=also)
    links.linkages.prepare(w.after for w in work)
    drop_unseen(spec, [(w.before, w.after, w.given) for w in work], links, how.free)
    for each in work:
        each.env = engine.complete(spec, each.after, each.given, links, context, each.before)
        each.problems = engine.with_first(
            each.given.problems, engine.check(spec, each.after, each.env, context)
        )
    check_fitting(spec, work, links, context, how)
    for each in work:
        each.problems += check_lines(spec, each)
        if not how.trusted:
            each.problems += check_fixed(actor, spec, each, context)
    check_outside(actor, spec, [(w.before, w.after, w.problems) for w in work])
    _check_rights(actor, spec, work, how, rules, links)  # before what would tell of other records
    seen = _seen_everywhere(actor, spec, how)
    check_unique(
        connection(),
        spec,
        [Claim(w.before, w.after, w.problems, seen | w.given.keys) for w in work if w.error is None],
        how.unique,
    )
    good = [w for w in work if not w.problems and w.error is None]
    for each in work:
        if each.error is not None and (all_or_nothing or len(prepared) == 1):
            raise each.error
    if not how.dry and (len(good) == len(work) or not all_or_nothing):
        write(actor, spec, good, cause)
    if how.dry:
        for each in good:
            note_unchanged(spec, each)
    return [outcome_of(w) for w in prepared]


def _prepare(actor: Actor, spec: FormSpec, drafts: list[Draft], how: How) -> list[Work]:
    """Current values of what is to change, with what was given laid over them."""
    ids = [d.id for d in drafts if d.id is not None]
    current = rows.load(connection(), spec, ids, _may_edit(actor, spec, how)) if ids else {}
    work = []
    for draft in drafts:
        given = engine.read_given(spec, draft.raw, how.trusted)
        before = current.get(draft.id) if draft.id is not None else None
        item = Work(draft, before, engine.laid_over(spec, before, given.values), given)
        if draft.id is not None:
            item.error = _refusal(spec, draft, before, how)
            if how.asks == "import" and isinstance(item.error, Forbidden) and not _changed_paths(spec, item):
                item.error, item.stays, item.after = None, True, before or {}
        if draft.state is not None:
            item.after["state"] = draft.state
        work.append(item)
    return work


def _permit(actor: Actor, spec: FormSpec, how: How, creating: bool) -> Permit | None:
    """The grants that count for this save; None when none are asked. Forbidden without any."""
    if how.free or how.fields is not None:
        return None
    return permits.require_permit(actor, how.asks or ("create" if creating else "edit"), spec)


def _seen_everywhere(actor: Actor, spec: FormSpec, how: How) -> frozenset[str]:
    """The fields whose values may be named to this person, whatever record they are of."""
    if how.free:
        return frozenset(spec.fields)
    permit = permits.find_permit(actor, "view", spec)
    return frozenset() if permit is None else permit.everywhere


def _may_edit(actor: Actor, spec: FormSpec, how: How) -> Any:
    permit = _permit(actor, spec, how, creating=False)
    return None if permit is None else permit.where(context_of(actor))


def _refusal(spec: FormSpec, draft: Draft, before: Values | None, how: How) -> Exception | None:
    if before is None or before["deleted_at"] is not None:
        return NotFound()
    if draft.revision is not None and draft.revision != before["revision"]:
        return Conflict(current=before)
    if not how.unlocked and is_locked(spec, before):
        return Forbidden(M("This record is under approval or approved; it cannot be changed by hand."))
    return None


def _check_rights(
    actor: Actor,
    spec: FormSpec,
    work: list[Work],
    how: How,
    rules: Mapping[bool, Permit | None],
    links: Links,
) -> None:
    """A person may only write fields that a grant gives for the row as it was and as it becomes."""
    if how.free:
        return
    context = context_of(actor)
    for each in work:
        if each.error is not None:
            continue
        permit = rules[each.before is None]
        allowed = how.fields if permit is None else _writable(actor, spec, permit, each, links, context, how)
        if allowed is None:
            each.error = Forbidden(
                M("You may not save a record like this; a rule limits which ones are yours.")
            )
            continue
        for path in sorted(_changed_paths(spec, each) - allowed | _unseen_paths(actor, spec, each, allowed)):
            title = (spec.find(path) or spec.fields[path.split(".")[0]]).key
            each.problems.append(Problem("forbidden", path, M("You may not change “{field}”.", field=title)))


def _writable(
    actor: Actor, spec: FormSpec, permit: Permit, each: Work, links: Links, context: Any, how: How
) -> frozenset[str] | None:
    giving = permit.giving(_as_saved(actor, spec, each, how), context)
    if each.before is not None:
        was = permit.giving(links.environment(spec, each.before), context)
        giving = [index for index in was if index in giving]
    return frozenset().union(*(permit.reach[index] for index in giving)) if giving else None


def _as_saved(actor: Actor, spec: FormSpec, each: Work, how: How) -> Values:
    """The values that a row condition is asked about: those the row will have.

    Where nothing is saved, the state of a draft is one it comes to later: it only says what must be filled in.
    """
    if each.before is not None:
        return {**each.env, "state": each.after.get("state")}
    own = {
        "owner": each.draft.owner or actor.person_id,
        "department": each.draft.department or actor.department,
    }
    state = None if how.dry else each.draft.state
    return {**each.env, **own, "state": state or spec.initial_state}


def _changed_paths(spec: FormSpec, each: Work) -> frozenset[str]:
    """The paths somebody gave another value than the record had; what formulas give is not theirs."""
    found = set()
    before = each.before or {}
    for key in each.given.keys:
        known = spec.fields[key]
        if not known.children:
            if each.after.get(key) != before.get(key):
                found.add(key)
            continue
        was = {line["id"]: line for line in before.get(key) or ()}
        for line, given in zip(each.after.get(key) or (), each.given.line_keys.get(key, ()), strict=False):
            old = was.get(line.get("id"), {})
            found |= {f"{key}.{column}" for column in given if line.get(column) != old.get(column)}
        if [line.get("id") for line in each.after.get(key) or ()] != list(was):  # also in another order
            found.add(key)
    return frozenset(found)


def _unseen_paths(actor: Actor, spec: FormSpec, each: Work, allowed: frozenset[str]) -> frozenset[str]:
    """The paths that were given though they can be neither changed nor seen: trying would tell what they hold."""
    given = {key for key in each.given.keys if not spec.fields[key].children}
    given |= {f"{key}.{c}" for key, lines in each.given.line_keys.items() for line in lines for c in line}
    hidden = frozenset(given) - allowed
    return hidden - visible_in(actor, spec, each.before) if hidden and each.before else frozenset()
