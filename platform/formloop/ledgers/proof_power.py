"""Proof `power`: the power fails at any byte of the write-ahead log, and every document is entered whole or not at all.

Documents are entered; after each commit the length of the log is noted. Then copies of the site are made whose log
ends at a random byte: what was committed before is there, every group is complete, and balances are the sums of
their entries. PostgreSQL keeps this promise itself; here it is about what we write in one transaction on SQLite.
"""

import random
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import event

from formloop import db
from formloop.access.actor import SYSTEM
from formloop.forms import service
from formloop.ledgers import proof_forms
from formloop.settings import Settings, read_settings

_UNEQUAL = """
SELECT count(*) FROM (
  SELECT b.key FROM fl_balance_proof_stock b LEFT JOIN fl_entry_proof_stock e ON e.key = b.key AND b.per = 0
  WHERE b.per = 0 GROUP BY b.key
  HAVING b.m_quantity <> coalesce(sum(e.m_quantity), 0) OR b.m_value <> coalesce(sum(e.m_value), 0))
"""
_UNBALANCED = """
SELECT count(*) FROM (
  SELECT posted FROM fl_entry_proof_general GROUP BY posted HAVING sum(m_debit) <> sum(m_credit))
"""
_HALF = """
SELECT count(*) FROM proof_move m WHERE m.state = 'done'
AND NOT EXISTS (SELECT 1 FROM fl_posted p WHERE p.form = 'proof_move' AND p.record = m.id AND p.sealed)
"""


def prove(
    seed: int, create_app: Callable[[Settings], Flask], documents: int = 60, cuts: int = 500
) -> dict[str, Any]:
    """Enter `documents`, cut the log `cuts` times; `ok` says that nothing committed was lost and nothing was half."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        settings = read_settings({"FORMLOOP_INSTANCE": folder})
        with create_app(settings).app_context():
            commits, file = _enter(documents, chance)
            problems = _cut(file, commits, cuts, chance, Path(folder) / "cut")
            db.engine().dispose()
    return {
        "ok": not problems,
        "documents": documents,
        "cuts": cuts,
        **({"problems": problems[:5]} if problems else {}),
    }


def _enter(documents: int, chance: random.Random) -> tuple[list[tuple[int, int]], Path]:
    """Documents, each with the length of the log after its commit; the log is never folded into the database."""
    made = proof_forms.prepare()
    file = Path(str(db.engine().url.database))
    db.engine().dispose()
    event.listen(db.engine(), "connect", lambda raw, _record: raw.execute("PRAGMA wal_autocheckpoint=0"))
    thing = service.create(SYSTEM, "proof_thing", {"name": "power", "method": "fifo"})["id"]
    log, commits = file.with_name(f"{file.name}-wal"), list[tuple[int, int]]()
    for number in range(documents):
        kind = "issue" if number % 3 == 2 else "receive"
        day, price = f"2026-01-{1 + chance.randrange(28):02}", chance.randrange(1, 90)
        quantity = 1 if kind == "issue" else 5
        day = "2026-02-01" if kind == "issue" else day
        record = proof_forms.move(kind, thing, spot=made["here"], day=day, quantity=quantity, price=price)
        commits.append((log.stat().st_size, record))
    return commits, file


def _cut(
    file: Path, commits: list[tuple[int, int]], cuts: int, chance: random.Random, folder: Path
) -> list[str]:
    folder.mkdir()
    copy = folder / "site.db"
    log, problems = file.with_name(f"{file.name}-wal").read_bytes(), list[str]()
    first = commits[0][0]
    for _ in range(cuts):
        length = chance.randrange(first, len(log) + 1)
        shutil.copyfile(file, copy)
        copy.with_name("site.db-wal").write_bytes(log[:length])
        copy.with_name("site.db-shm").unlink(missing_ok=True)
        problems += [f"cut at {length}: {each}" for each in _faults(copy, length, commits)]
    return problems


def _faults(copy: Path, length: int, commits: list[tuple[int, int]]) -> list[str]:
    found = []
    with sqlite3.connect(copy) as conn:
        there = {row[0] for row in conn.execute("SELECT id FROM proof_move WHERE state = 'done'")}
        found += [f"{record} is lost" for size, record in commits if size <= length and record not in there]
        found += [f"{record} is half there" for size, record in commits if size > length and record in there]
        for query, what in (
            (_UNEQUAL, "balances differ"),
            (_UNBALANCED, "vouchers"),
            (_HALF, "documents without entries"),
        ):
            count = conn.execute(query).fetchone()[0]
            if count:
                found.append(f"{count} {what}")
    conn.close()
    return found
