"""Proof `approve`: two people decide the same task at the same moment, a thousand times, on both databases."""

from collections.abc import Callable
from typing import Any

from flask import Flask

from formloop.db.throwaway import DATABASES, throwaway
from formloop.settings import Settings, read_settings
from formloop.workflows.races import prove_approve


def prove(
    seed: int,
    create_app: Callable[[Settings], Flask],
    rounds: int = 1_000,
    databases: tuple[str, ...] = DATABASES,
) -> dict[str, Any]:
    """Run `rounds` races on each database; `ok` says that each had one decision, step, row of history, notice and message."""
    found: dict[str, Any] = {"ok": True}
    for database in databases:
        with throwaway(database) as environment:
            settings = read_settings(environment)
            with create_app(settings).app_context():
                result = prove_approve(settings, rounds, seed)
        found["ok"] = found["ok"] and result.pop("ok")
        found |= {f"{database} {key}": value for key, value in result.items()}
    return found
