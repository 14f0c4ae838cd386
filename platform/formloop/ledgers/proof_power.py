"""Proof `power`: the power fails at any byte of the write-ahead log, and every document is entered whole or not at all.

Documents are entered; after each commit the length of the log is noted. Then copies of the site are made whose log
ends at a random byte: what was committed before is there, every group is complete, and balances are the sums of
their entries. PostgreSQL takes a second to recover each copy, so it is cut less often (`proof_power_postgresql`).
"""

import random
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import event

from formloop import db
from formloop.ledgers import proof_forms
from formloop.ledgers.proof_cut import Commit, enter_documents, list_done, list_faults
from formloop.ledgers.proof_power_postgresql import cut_postgresql
from formloop.settings import Settings, read_settings


def prove(
    seed: int,
    create_app: Callable[[Settings], Flask],
    documents: int = 60,
    cuts: int = 500,
    postgresql_cuts: int = 40,
) -> dict[str, Any]:
    """Enter `documents`, cut the log `cuts` times; `ok` says that nothing committed was lost and nothing was half."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        with create_app(read_settings({"FORMLOOP_INSTANCE": folder})).app_context():
            commits, file = _enter(documents, chance)
            problems = _cut(file, commits, cuts, chance, Path(folder) / "cut")
            db.engine().dispose()
        problems += cut_postgresql(Path(folder), create_app, chance, documents, postgresql_cuts)
    return {
        "ok": not problems,
        "documents": documents,
        "sqlite cuts": cuts,
        "postgresql cuts": postgresql_cuts,
        **({"problems": problems[:5]} if problems else {}),
    }


def _enter(documents: int, chance: random.Random) -> tuple[list[Commit], Path]:
    """Documents, each with the length of the log after its commit; the log is never folded into the database."""
    made = proof_forms.prepare()
    file = Path(str(db.engine().url.database))
    db.engine().dispose()
    event.listen(db.engine(), "connect", lambda raw, _record: raw.execute("PRAGMA wal_autocheckpoint=0"))
    log = file.with_name(f"{file.name}-wal")
    return enter_documents(documents, chance, made["here"], lambda: log.stat().st_size), file


def _cut(file: Path, commits: list[Commit], cuts: int, chance: random.Random, folder: Path) -> list[str]:
    folder.mkdir()
    copy = folder / "site.db"
    log, problems = file.with_name(f"{file.name}-wal").read_bytes(), list[str]()
    first = commits[0][0]
    for _ in range(cuts):
        length = chance.randrange(first, len(log) + 1)
        shutil.copyfile(file, copy)
        copy.with_name("site.db-wal").write_bytes(log[:length])
        copy.with_name("site.db-shm").unlink(missing_ok=True)
        with closing(sqlite3.connect(copy)) as conn:
            found = list_faults(conn.execute, length, commits)
            found += [
                f"{r} is half there" for size, r in commits if size > length and r in list_done(conn.execute)
            ]
        problems += [f"cut at {length}: {each}" for each in found]
    return problems
