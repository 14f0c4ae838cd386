"""The proofs of ledgers in small; `formloop proof ledger|stock-race|power` run them in full."""

import random
from pathlib import Path

from formloop.ledgers import proof, proof_power, proof_power_postgresql, proof_race
from formloop.settings import Settings


def test_stories_leave_the_ledgers_in_agreement(database: Settings) -> None:
    from formloop.ledgers import service

    service.start()
    found = proof.tell_stories(seed=11, runs=6, steps=25)
    assert found["ok"], found
    assert found["stories"] == 6 and found["receive"] > 20
    assert min(found[kind] for kind in ("count", "count_at_price", "absorb", "accrue", "change")) > 0


def test_one_of_two_processes_gets_the_last_unit(database: Settings) -> None:
    from formloop.ledgers import service

    service.start()
    found = proof_race.race(database, seed=1, rounds=3, processes=2, transfers=10)
    assert found["ok"], found
    assert (found["done"], found["never:below"], found["crossed transfers"]) == (3, 3, 10)


def test_a_cut_log_holds_whole_documents_only(database: Settings, tmp_path: Path) -> None:
    from formloop.ledgers import service

    if not database.on_sqlite:
        return
    service.start()
    chance = random.Random(3)
    commits, file = proof_power._enter(6, chance)
    assert proof_power._cut(file, commits, 20, chance, tmp_path / "cut") == []
    lost = [(0, 1), *commits]  # a commit that never was must be missed
    assert proof_power._cut(file, lost, 1, chance, tmp_path / "other") != []


def test_a_server_that_fails_recovers_whole_documents_only(tmp_path: Path) -> None:
    from formloop.app import create_app

    assert proof_power_postgresql.cut_postgresql(tmp_path, create_app, random.Random(5), 4, 2) == []
