import threading
from contextlib import suppress

import pytest

from formloop.web import pacing


def _asked_together(application: pacing.Application, environs: list[dict[str, str]]) -> None:
    threads = [threading.Thread(target=application, args=(environ, None)) for environ in environs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)


class _Counting:
    """An application that knows how many threads were in it at once."""

    def __init__(self, expected: int = 0) -> None:
        self.inside = self.most = 0
        self.lock = threading.Lock()
        self.all_in = threading.Barrier(expected) if expected else None

    def __call__(self, _environ: object, _start: object) -> list[bytes]:
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        if self.all_in is not None:
            self.all_in.wait(timeout=10)
        with self.lock:
            self.inside -= 1
        return []


def test_requests_of_one_process_compute_one_after_another() -> None:
    counting = _Counting()
    _asked_together(pacing.in_turn(counting), [{}] * 20)
    assert counting.most == 1


def test_a_slow_request_holds_nobody_up_for_ever() -> None:
    # each waits inside until the other has come in: that only ends if patience does
    counting = _Counting(expected=2)
    _asked_together(pacing.in_turn(counting), [{}, {}])
    assert counting.most == 2


def test_a_request_with_a_large_body_keeps_no_turn_while_it_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "PATIENCE", 15.0)
    counting = _Counting(expected=2)
    _asked_together(pacing.in_turn(counting), [{"CONTENT_LENGTH": "1000000"}, {"CONTENT_LENGTH": "10"}])
    assert counting.most == 2


def test_the_turn_is_given_back_when_a_request_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "PATIENCE", threading.TIMEOUT_MAX)
    came_in = []

    def failing(_environ: object, _start: object) -> list[bytes]:
        came_in.append(1)
        raise ValueError

    def ask() -> None:
        with suppress(ValueError):
            application({}, None)

    application = pacing.in_turn(failing)
    for _ in range(2):
        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        thread.join(timeout=10)
    assert len(came_in) == 2
