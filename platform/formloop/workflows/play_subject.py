"""What is played: a published workflow or its draft, with the forms it needs that were never published."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from formloop.access import gate
from formloop.access.actor import Actor
from formloop.core.definitions import Doc
from formloop.core.errors import Conflict, NotFound, Problem
from formloop.core.text import M
from formloop.definitions import drafts, library
from formloop.definitions import service as definitions
from formloop.definitions.needed import list_needed, seen_as_published
from formloop.workflows.kind import called, prepare
from formloop.workflows.reading import walk
from formloop.workflows.spec import Workflow


@dataclass(frozen=True, slots=True)
class Subject:
    """What is played: a published workflow, its draft, or a draft that was never published."""

    id: str
    key: str
    published: Workflow | None
    draft: Doc | None
    needed: Sequence[drafts.Draft] = ()  # never published either: played as if they were

    @property
    def document(self) -> Mapping[str, Any]:
        """The published document, else the draft."""
        return self.published.document if self.published else self.draft or {}

    @property
    def form(self) -> str:
        """The form whose records are submitted."""
        return str(self.document["form"])

    @property
    def form_is_new(self) -> bool:
        """Whether the form was never published, so that it has no records."""
        return any(each.doc["x-key"] == self.form for each in self.forms)

    @property
    def forms(self) -> list[drafts.Draft]:
        """The forms among what was never published, its own first."""
        found = [each for each in self.needed if each.definition.kind == "form"]
        return sorted(found, key=lambda each: each.doc["x-key"] != self.document.get("form"))

    def tried(self, draft: Doc | None) -> Workflow:
        """What runs: of the draft, if one is given, else what is published."""
        if draft is None and self.published is not None:
            return self.published
        return prepare(draft or {}, self.published.version if self.published else 1)

    def newest(self, actor: Actor, problems: Sequence[Problem]) -> Workflow | None:
        """What would run once the draft is published; while it has mistakes, what is published."""
        if self.published is not None and self.draft is not None:
            problems = self.list_mistakes(actor)
        return self.published if problems else self.tried(self.draft)

    def list_mistakes(self, actor: Actor) -> list[Problem]:
        """What stands against publishing the draft, and so against playing it."""
        return [each for each in definitions.check_draft(actor, self.id) if each.severity == "error"]

    @contextmanager
    def seen(self, actor: Actor) -> Iterator[list[Problem]]:
        """Inside the block all that it needs is seen as if it were published; yields what stands against playing."""
        with seen_as_published(self.needed) as problems:
            if self.published is None:
                yield problems or self.list_mistakes(actor)
            else:
                yield []


def find_subject(actor: Actor, key: str) -> Subject:
    """The published workflow, and its draft for whoever designs definitions; or the draft alone."""
    designs = gate.allows(actor, "design", "definition")
    workflow = library.find_published("workflow", key)
    if not isinstance(workflow, Workflow):
        found = drafts.find_unpublished("workflow", key) if designs else None
        draft = drafts.find_draft(found.id) if found else None
        if draft is None or "amends" in draft.doc:
            raise NotFound
        subject = Subject(draft.definition.id, key, None, draft.doc, list_needed("workflow", draft.doc))
        if library.find_published("form", str(draft.doc.get("form"))) is None and not subject.form_is_new:
            raise Conflict(M("There is no form for it yet: a case is played with a record of one."))
        return subject
    if workflow.amends is not None:
        raise Conflict(M("A workflow for changes is played on the page where a change is proposed."))
    draft = drafts.find_draft(workflow.id) if designs else None
    doc = draft.doc if draft else None
    return Subject(workflow.id, key, workflow, doc, list_needed("workflow", doc) if doc else [])


def find_drafted(actor: Actor, form: str) -> drafts.Draft | None:
    """The draft of the workflow of a form that has none yet, for whoever designs definitions."""
    if not gate.allows(actor, "design", "definition"):
        return None
    known = drafts.list_unpublished("workflow")
    return next((each for each in known if each.doc.get("form") == form and "amends" not in each.doc), None)


def list_steps(document: Mapping[str, Any], locale: str) -> list[tuple[str, str]]:
    """The steps of a document, which may be wrong, with what they are called, in reading order."""
    try:
        return [(step["id"], called(step, step["id"]).render(locale)) for step, _ in walk(dict(document))]
    except (KeyError, TypeError, AttributeError):
        return []
