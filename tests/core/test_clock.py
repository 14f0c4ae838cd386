"""Ids rise within a process, and beyond what another process has made where they are told to pass it by."""

from collections.abc import Iterator
from itertools import product

import pytest

from formloop.core import clock


@pytest.fixture(autouse=True)
def own_node(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The node and the last id of this process as they were, afterwards."""
    monkeypatch.setattr(clock, "_node", clock._node)
    monkeypatch.setattr(clock, "_last", clock._last)
    yield


@pytest.mark.parametrize(("other", "own", "far"), list(product((0, 5, 1023), (0, 5, 1023), (1, 5_000))))
def test_an_id_passes_by_what_another_process_made_in_this_second(other: int, own: int, far: int) -> None:
    clock.set_node(other)
    known = clock.new_ids(far)[-1]  # a bulk load borrows seconds
    clock.set_node(own)
    clock.pass_by(known)
    later = clock.new_ids(3)
    assert known < later[0] < later[1] < later[2]


def test_what_is_long_past_moves_nothing() -> None:
    clock.pass_by(clock.first_id(3_600))
    before = clock._last
    clock.pass_by(clock.first_id(3_600))
    assert clock._last == before
    assert clock.new_id() > clock.first_id(1)
