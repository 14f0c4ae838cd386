"""Steps of a job are done with the rights that the person who started it has at that moment."""

from collections.abc import Callable
from dataclasses import replace

from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.events.jobs import Job
from formloop.forms.fields.datetime import site_zone


def acting(step: Callable[[Job, Actor], bool]) -> Callable[[Job], bool]:
    """`step` with the actor that a job belongs to, in the site's zone because nobody looks."""

    def act(job: Job) -> bool:
        actor = SYSTEM if job.person is None else replace(get_actor(job.person), zone=site_zone())
        return step(job, actor)

    return act
