"""Long work: one step at a time, gone on with by the next worker, and its end told to whoever began it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from formloop.core import clock
from formloop.core.errors import Invalid, NotFound, Problem, Unavailable
from formloop.core.text import M
from formloop.events import jobs, outbox, repair
from formloop.events.jobs import Job, Work


@dataclass(frozen=True)
class Someone:
    person_id: int | None = 7


class Killed(BaseException):
    """What stands for the death of a worker: nothing catches it."""


class Counting:
    """Work of three steps; what it meets at a step is raised."""

    def __init__(self) -> None:
        self.steps = 0
        self.meets: dict[int, BaseException] = {}
        self.meanwhile: Callable[[], None] | None = None

    def step(self, job: Job) -> bool:
        self.steps += 1
        job.total = 3
        job.alive()
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        if self.steps in self.meets:
            raise self.meets[self.steps]
        job.done += 1
        job.result = {"seen": job.done}
        return job.done == job.total


@pytest.fixture
def counting(database: Any) -> Iterator[Counting]:
    before = dict(jobs.kinds._things)
    there = Counting()
    jobs.enroll("count", Work(there.step))
    jobs.enroll("install_like", Work(there.step, alone=True))
    outbox.stopping.clear()
    yield there
    jobs.kinds._things.clear()
    jobs.kinds._things.update(before)


def begin(kind: str = "count") -> int:
    return jobs.start(Someone(), kind, {})


def test_a_job_ends_with_its_result_after_all_its_steps(counting: Counting) -> None:
    job = begin()
    assert outbox.drain(jobs.TOPIC) == 3
    found = jobs.get_job(job, Someone())
    assert (found.state, found.done, found.total, found.result) == ("done", 3, 3, {"seen": 3})


def test_a_job_is_shown_to_nobody_else(counting: Counting) -> None:
    job = begin()
    with pytest.raises(NotFound):
        jobs.get_job(job, Someone(8))


def test_a_job_whose_worker_dies_is_gone_on_with_and_finished_once(counting: Counting) -> None:
    job = begin()
    counting.meets[2] = Killed()
    with pytest.raises(Killed):
        outbox.drain(jobs.TOPIC)
    assert jobs.get_job(job).done == 1
    with clock.stopped_at(clock.now() + timedelta(seconds=61)):
        outbox.drain(jobs.TOPIC)
    assert (jobs.get_job(job).state, counting.steps) == ("done", 4)
    assert repair.count_waiting() == 0


def test_a_job_that_kills_every_worker_fails_and_says_so(counting: Counting) -> None:
    job = begin()
    counting.meets = {number: Killed() for number in range(1, 20)}
    for minutes in range(1, jobs.TRIES + 1):
        with clock.stopped_at(clock.now() + timedelta(minutes=2 * minutes)), pytest.raises(Killed):
            outbox.drain(jobs.TOPIC)
    with clock.stopped_at(clock.now() + timedelta(hours=1)):
        outbox.drain(jobs.TOPIC)
    assert jobs.get_job(job).reason("en") == "Its worker ended unexpectedly each time."
    assert counting.steps == jobs.TRIES


def test_what_a_person_did_wrong_fails_the_job_in_both_languages(counting: Counting) -> None:
    job = begin()
    counting.meets[2] = Invalid([Problem("full", "rows.3", M("Something went wrong."))])
    outbox.drain(jobs.TOPIC)
    found = jobs.get_job(job)
    assert found.problems == [{"at": "rows.3", "en": "Something went wrong.", "zh-CN": "出了点问题。"}]
    with pytest.raises(Invalid):
        found.require_done()
    assert repair.count_stuck() == 0


def test_a_busy_database_lets_a_job_wait_and_then_fail(counting: Counting) -> None:
    job = begin()
    counting.meets = {number: Unavailable() for number in range(1, 20)}
    outbox.drain(jobs.TOPIC)
    assert jobs.get_job(job).state == "waiting"
    for hours in range(1, jobs.TRIES):
        with clock.stopped_at(clock.now() + timedelta(hours=hours)):
            outbox.drain(jobs.TOPIC)
    assert (jobs.get_job(job).state, counting.steps) == ("failed", jobs.TRIES)


def test_jobs_of_a_kind_that_stands_alone_wait_for_each_other(counting: Counting) -> None:
    first, second = begin("install_like"), begin("install_like")
    counting.meets[1] = Killed()
    with pytest.raises(Killed):
        outbox.drain(jobs.TOPIC)
    assert outbox.drain(jobs.TOPIC) == 0
    assert (jobs.get_job(first).done, jobs.get_job(second).state) == (0, "waiting")


def test_a_worker_that_lost_its_lease_changes_nothing_of_a_job_that_is_over(counting: Counting) -> None:
    job = begin()
    slow, failing = jobs.get_job(job), jobs.get_job(job)
    outbox.drain(jobs.TOPIC)
    counting.steps, counting.meets = 0, {2: Invalid([])}
    jobs.step(slow)
    jobs.step(failing)
    found = jobs.get_job(job)
    assert (found.state, found.done, found.problems) == ("done", 3, []) and slow.over and failing.over


def test_a_worker_that_lost_its_lease_promises_nothing(counting: Counting) -> None:
    job = begin()
    delivery = outbox.claim(jobs.TOPIC)[0]

    def overtaken() -> None:
        for _ in range(3):
            jobs.step(jobs.get_job(job))

    counting.meanwhile = overtaken
    outbox.deliver(delivery)
    assert jobs.get_job(job).state == "done" and repair.count_waiting() == 0
