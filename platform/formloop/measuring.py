"""`formloop bench` and `formloop proof`: one name, one function, figures printed as lines or JSON.

Benchmarks live in tests/bench of a checkout (`run() -> dict`); proofs stand in the rooms whose promise they
test and return a dictionary with `ok`.
"""

import importlib
import importlib.util
import inspect
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from formloop.core.errors import NotFound
from formloop.core.text import M

BENCHES = (
    "records",
    "lists",
    "datasets",
    "import",
    "workflow",
    "bridge",
    "http",
    "expression",
    "ledger",
    "studio",
)
PROOFS: Mapping[str, str] = {
    "formula": "formloop.core.expression.proof:prove",
    "definitions": "formloop.definitions.proof:prove",
    "drafts": "formloop.studio.proof:prove",
    "ddl-kill": "formloop.forms.proof_ddl:prove",
    "fields": "formloop.forms.proof:prove",
    "authz": "formloop.access.proof:prove",
    "approve": "formloop.workflows.proof:prove",
    "outage": "formloop.workflows.proof_outage:prove",
    "versions": "formloop.workflows.proof_versions:prove",
    "ledger": "formloop.ledgers.proof:prove",
    "stock-race": "formloop.ledgers.proof_race:prove",
    "power": "formloop.ledgers.proof_power:prove",
    "bridge-kill": "formloop.bridges.proof:prove",
}


def bench(name: str) -> dict[str, Any]:
    """Run the benchmark `name`; NotFound outside a checkout."""
    folder = Path(__file__).resolve().parents[2] / "tests" / "bench"
    path = folder / f"bench_{name}.py"
    if name not in BENCHES or not path.is_file():
        raise SystemExit(
            str(M("There is no benchmark “{name}”. There are: {names}", name=name, names=", ".join(BENCHES)))
        )
    sys.path.insert(0, str(folder.parent))
    spec = importlib.util.spec_from_file_location(f"bench_{name}", path)
    if spec is None or spec.loader is None:
        raise NotFound
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    found: dict[str, Any] = module.run()
    return found


def prove(name: str, seed: int) -> dict[str, Any]:
    """Run the proof `name` with `seed`; its result says `ok` and counts."""
    if name not in PROOFS:
        raise SystemExit(
            str(M("There is no proof “{name}”. There are: {names}", name=name, names=", ".join(PROOFS)))
        )
    module, _, function = PROOFS[name].partition(":")
    work: Callable[..., dict[str, Any]] = getattr(importlib.import_module(module), function)
    from formloop.app import create_app  # proofs of lower rooms are handed the whole site

    wanted = inspect.signature(work).parameters
    given = {"create_app": create_app} if "create_app" in wanted else {}
    return {"proof": name, "seed": seed, **work(seed, **given)}


def show(found: Mapping[str, Any], as_json: bool) -> None:
    """Print figures: one a line, or as one JSON document."""
    if as_json:
        print(json.dumps(found, default=str, ensure_ascii=False))
        return
    width = max(len(key) for key in found)
    for key, value in found.items():
        text = f"{value:,.2f}" if isinstance(value, float) else value
        print(f"{key.ljust(width)}  {text}")
