"""Installing as a job, so that the page can show how far it is.

The installation itself is one transaction, the sample data another for each pack; either may be done again.
"""

from collections.abc import Mapping
from typing import Any

from formloop.access.actor import Actor
from formloop.core.errors import NotFound
from formloop.events import jobs
from formloop.events.jobs import Job, Work
from formloop.forms.acting import acting
from formloop.packs import samples, service
from formloop.packs.reading import Pack, Sample

KIND = "install"
DEFINITIONS, SAMPLES = 0, 1  # how many steps were done before


def init() -> None:
    """Let installations be carried out, one after another."""
    jobs.enroll(KIND, Work(acting(_step), alone=True))


def begin(actor: Actor, pack: Pack, with_samples: bool) -> int:
    """Promise an installation; returns the job. Invalid when the pack has problems."""
    *needed, _ = service.require_installable(pack)
    files = {
        "manifest": dict(pack.manifest),
        "documents": dict(pack.documents),
        "samples": [{"file": s.file, "form": s.form, "by": s.by, "records": s.records} for s in pack.samples],
        "shipped": pack.shipped,
    }
    needed_keys = [each.key for each in needed]
    return jobs.start(actor, KIND, {"pack": files, "with_samples": with_samples, "needed": needed_keys})


def get_run(job: int) -> Job:
    """How far an installation is, for everybody who may install; when it failed, `done` tells at which step."""
    found = jobs.get_job(job)
    if found.kind != KIND:
        raise NotFound
    return found


def _step(job: Job, actor: Actor) -> bool:
    pack, with_samples = _pack(job.payload["pack"]), bool(job.payload["with_samples"])
    if job.done == DEFINITIONS:
        service.install(actor, pack, with_samples=False)
    else:
        for each in (*map(service.get_pack, job.payload["needed"]), pack):
            samples.add(actor, each)
    job.done += 1
    job.total = 2 if with_samples else 1
    return job.done == job.total


def _pack(said: Mapping[str, Any]) -> Pack:
    parts = (Sample(s.get("file", ""), s["form"], s["by"], s["records"]) for s in said["samples"])
    return Pack(said["manifest"], said["documents"], tuple(parts), None, (), bool(said.get("shipped")))
