"""What a person may propose for a record, and how far the record is."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Row

from formloop.access.actor import Actor
from formloop.forms import service as records
from formloop.forms.reads import visible_in
from formloop.forms.spec import Field, FormSpec, Values
from formloop.workflows import cases, in_use
from formloop.workflows.amendments.applying import find_stage
from formloop.workflows.amendments.spec import CANCEL, Amends, Stage, Supplement
from formloop.workflows.kind import find_amending, get_version
from formloop.workflows.sight import gives_row
from formloop.workflows.spec import Workflow


@dataclass(frozen=True, slots=True)
class Chance:
    """What a person may propose for a record: its amending workflow, how far it is, and a proposal they may renew."""

    workflow: Workflow
    amends: Amends
    stage: Stage | None
    mine: Row[Any] | None = None  # the case of a proposal that came back
    paths: frozenset[str] = frozenset()  # the fields that the person might change at the first stage

    def forbids(self, what: str) -> bool:
        """Whether the stage has something locked."""
        return self.stage is not None and self.stage.is_forbidden(what)

    @property
    def may_change(self) -> bool:
        """Whether anything at all can still be changed."""
        return any(not self.forbids(path) for path in self.paths)

    @property
    def may_cancel(self) -> bool:
        """Whether cancelling the whole record can be proposed."""
        return self.amends.cancelled is not None and not self.forbids(CANCEL)

    @property
    def supplement(self) -> Supplement | None:
        """What is offered instead, where something is locked."""
        return self.amends.supplement if self.stage is not None and self.stage.forbids else None


def find_chance(actor: Actor, spec: FormSpec, record: Values) -> Chance | None:
    """What a person may propose for a record that is locked; None where it needs no proposal or takes none."""
    running = cases.find_open(spec.key, record["id"])
    if running is None:
        workflow = find_amending(spec.key)
    else:  # it goes on by the version it began with, even if none begins any more
        workflow = get_version(running.workflow, running.version)
    if workflow is None or workflow.amends is None or actor.person_id is None:
        return None
    if record["state"] in {
        workflow.amends.cancelled,
        *(o.states["submitted"] for o in in_use.list_own(spec)),
    }:
        return None
    if not records.is_locked(spec, record) or not gives_row(actor, "amend", spec, record["id"]):
        return None
    if running is not None:
        mine = cases.find_own_task(running.id, actor.person_id)
        if mine is None or mine.step:
            return None  # it was not returned to them
    stage, paths = find_stage(workflow, spec, record), visible_in(actor, spec, record, "amend")
    typed = frozenset(path for path in paths if (each := spec.find(path)) and _is_typed(each))
    return Chance(workflow, workflow.amends, stage, running, typed)


def _is_typed(field: Field) -> bool:
    return field.type.stored and not (field.computed or field.readonly)
