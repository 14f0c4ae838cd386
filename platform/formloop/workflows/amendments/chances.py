"""What a person may propose for a record, and how far the record is."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Row

from formloop.access.actor import Actor
from formloop.forms import service as records
from formloop.forms.spec import FormSpec, Values
from formloop.workflows import cases
from formloop.workflows.amendments.applying import find_stage
from formloop.workflows.amendments.spec import CANCEL, EVERYTHING, Amends, Stage, Supplement
from formloop.workflows.kind import find_amending, find_workflow, get_version
from formloop.workflows.sight import gives_row
from formloop.workflows.spec import Workflow


@dataclass(frozen=True, slots=True)
class Chance:
    """What a person may propose for a record: its amending workflow, how far it is, and a proposal they may renew."""

    workflow: Workflow
    amends: Amends
    stage: Stage | None
    mine: Row[Any] | None = None  # the case of a proposal that came back

    def forbids(self, what: str) -> bool:
        """Whether the stage has something locked."""
        return self.stage is not None and self.stage.is_forbidden(what)

    @property
    def may_change(self) -> bool:
        """Whether anything at all can still be changed."""
        return not self.forbids(EVERYTHING)

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
    workflow, own = find_amending(spec.key), find_workflow(spec.key)
    if workflow is None or workflow.amends is None or own is None or actor.person_id is None:
        return None
    if record["state"] in (own.states["submitted"], workflow.amends.cancelled):
        return None
    if not records.is_locked(spec, record) or not gives_row(actor, "amend", spec, record["id"]):
        return None
    running = cases.find_open(spec.key, record["id"])
    if running is None:
        return Chance(workflow, workflow.amends, find_stage(workflow, spec, record))
    mine = cases.find_own_task(running.id, actor.person_id)
    if mine is None or mine.step:
        return None  # it was not returned to them
    begun = get_version(running.workflow, running.version)  # it goes on by the version it began with
    if begun.amends is None:
        return None
    return Chance(begun, begun.amends, find_stage(begun, spec, record), running)
