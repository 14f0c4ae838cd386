"""An import made by choosing in the browser: the reference data, with a mapping file or without one."""

import json
import re
from html import unescape
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from formloop.access import people
from formloop.access.actor import SYSTEM, get_actor
from formloop.core.errors import Invalid
from formloop.definitions import service as definitions
from formloop.events import jobs
from formloop.forms import guessing, importing, staging
from formloop.forms.importing import import_file
from formloop.forms.kind import get_form
from forms.conftest import publish, role
from forms.imports.bringing import Write, mapping
from forms.specimens import publish_all

ROOT = Path(__file__).parents[3]
DATA = ROOT.parent / "shared" / "data" / "adventureworks"
MAPPINGS = ROOT / "docs" / "howto" / "adventureworks"
reference_data = pytest.mark.skipif(not DATA.is_dir(), reason="the reference data is not here")


@pytest.fixture
def packs(app: Flask) -> None:
    found = sorted((ROOT / "templates_library").glob("*/*.form.json"))
    definitions.publish_many(SYSTEM, [json.loads(f.read_text("utf-8")) for f in found], "packs")


def page(client: FlaskClient, path: str) -> str:
    return unescape(client.get(path).get_data(as_text=True))


def post(client: FlaskClient, path: str, start: str, **values: object) -> str:
    """Send a form as its page does; where that leads to."""
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page(client, start))
    assert token
    data = {"csrf_token": token[1], "idempotency_key": "k", **values}
    answer = client.post(path, data=data, headers={"Origin": "http://localhost"})
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return answer.headers["Location"]


def upload(client: FlaskClient, form: str, **names: Path) -> str:
    """Choose the files; the address of the import they become."""
    opened = {name: path.open("rb") for name, path in names.items()}
    return post(client, f"/f/{form}/import", f"/f/{form}/import", **opened)


def as_chosen(shown: str) -> dict[str, str]:
    """What the choices of a mapping page stand at."""
    found = {}
    for name, options in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', shown, re.DOTALL):
        chosen = re.search(r'<option(?: value="([^"]*)")? selected>([^<]*)', options)
        found[name] = (chosen[1] or chosen[2]) if chosen else ""
    return found


def bring_in(client: FlaskClient, batch: str, **other: str) -> dict[str, int]:
    """Check and write an import as the page stands, with `other` choices; what became of the rows."""
    post(client, f"{batch}/check", batch, **{**as_chosen(page(client, batch)), **other})
    number = int(batch.rpartition("/")[2])
    jobs.run(staging.get_batch(number).job or 0).require_done()
    post(client, f"{batch}/run", batch)
    jobs.run(staging.get_batch(number).job or 0).require_done()
    return staging.counts(number)


@pytest.mark.shared
@reference_data
def test_the_reference_orders_come_in_by_choosing_in_the_browser(client: FlaskClient, packs: None) -> None:
    for form, name in (("customer", "customers"), ("item", "products")):
        batch = upload(client, form, file=DATA / f"{name}.csv", mapping=MAPPINGS / f"{name}.json")
        assert set(bring_in(client, batch)) == {"created"}
    batch = upload(
        client, "sales_order", file=DATA / "sales_orders.csv", lines=DATA / "sales_order_lines.csv"
    )
    guessed = as_chosen(page(client, batch))
    assert {guessed[f"column.{n}"] for n in (1, 2, 3, 5)} == {
        "number",
        "customer_po",
        "customer",
        "promise_date",
    }
    assert (guessed["line.2"], guessed["line.4"]) == ("lines.item", "lines.price")
    assert (guessed["by"], guessed["of"]) == ("number", "sales_order_id")
    found = {"column.3": "customer=code", "line.2": "lines.item=former_code"}
    assert bring_in(client, batch, **found) == {"created": 25, "bad": 7}  # high discounts need a reason
    saved = client.get(f"{batch}/mapping").get_json()
    assert saved["relations"] == {"customer": "code", "lines.item": "former_code"}
    assert saved["lines"]["file"] == "sales_order_lines.csv"


@pytest.mark.shared
@reference_data
def test_a_mapping_file_brings_all_orders_in_and_the_one_saved_changes_nothing(
    client: FlaskClient, packs: None, tmp_path: Path
) -> None:
    for form, name in (("customer", "customers"), ("item", "products")):
        import_file(form, DATA / f"{name}.csv", MAPPINGS / f"{name}.json")
    files = {"file": DATA / "sales_orders.csv", "lines": DATA / "sales_order_lines.csv"}
    batch = upload(client, "sales_order", **files, mapping=MAPPINGS / "sales_orders.json")
    shown = page(client, batch)
    assert "“AdventureWorks special offer” where the file says nothing" in shown
    assert bring_in(client, batch) == {"created": 32}
    again = tmp_path / "saved.json"
    again.write_bytes(client.get(f"{batch}/mapping").data)
    assert bring_in(client, upload(client, "sales_order", **files, mapping=again)) == {"unchanged": 32}


@pytest.mark.shared
@reference_data
def test_what_is_wrong_is_said_by_file_and_title_and_the_rest_is_counted(
    client: FlaskClient, packs: None
) -> None:
    files = {"file": DATA / "sales_orders.csv", "lines": DATA / "sales_order_lines.csv"}
    batch = upload(client, "sales_order", **files)
    post(client, f"{batch}/check", batch, **as_chosen(page(client, batch)))
    number = int(batch.rpartition("/")[2])
    jobs.run(staging.get_batch(number).job or 0).require_done()
    reasons = importing.list_reasons(number, "zh-CN")
    assert "sales_orders.csv 第 2 行，customer_id：没有名为“29847”的“客户”。" in reasons
    assert any(r.startswith("sales_order_lines.csv") and "“物料”" in r for r in reasons)
    shown = page(client, batch)
    assert f"and {len(reasons) - 20} more" in shown and "Change the columns" in shown
    assert "What the columns mean" in page(client, f"{batch}?columns=1")


def test_a_mapping_file_that_does_not_fit_is_refused_in_words(
    client: FlaskClient, write: Write, tmp_path: Path
) -> None:
    publish_all()
    said = mapping(tmp_path, columns={"Nothing": "name"})
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page(client, "/f/partner/import"))
    assert token
    given = {"csrf_token": token[1], "file": write(["Name"], ["Acme"]).open("rb"), "mapping": said.open("rb")}
    answer = client.post("/f/partner/import", data=given, headers={"Origin": "http://localhost"})
    assert answer.status_code == 422
    assert "no column “Nothing”" in unescape(answer.get_data(as_text=True))


def test_a_checked_file_says_how_many_records_are_new_how_many_change_and_how_many_do_not(
    client: FlaskClient, write: Write
) -> None:
    publish_all()
    import_file("partner", write(["Name", "Code"], ["Acme", "A"], ["Bolt", "B"]))
    batch = upload(
        client, "partner", file=write(["Name", "Code"], ["Acme & Co", "A"], ["Cog", "C"], ["Dot", "D"])
    )
    post(client, f"{batch}/check", batch, **{**as_chosen(page(client, batch)), "by": "code"})
    jobs.run(staging.get_batch(int(batch.rpartition("/")[2])).job or 0).require_done()
    assert "2 will be new records and 1 will change records that are there" in page(client, batch)


def test_new_records_belong_to_the_account_that_was_said(app: Flask, write: Write) -> None:
    publish_all()
    ann = people.add_person(SYSTEM, "ann", "Ann")
    result = import_file("partner", write(["Name"], ["Acme"]), owner="ann")
    assert result.owned and not import_file("partner", write(["Name"], ["Bolt"])).owned
    assert _owners() == {"Acme": ann, "Bolt": None}
    with pytest.raises(Invalid, match="account"):
        import_file("partner", write(["Name"], ["Cog"]), owner="nobody")


def test_nobody_imports_for_somebody_else_unless_they_administer(app: Flask, write: Write) -> None:
    publish_all()
    people.add_person(SYSTEM, "ann", "Ann")
    publish(role("importer", {"form": "partner", "may": ["import"]}))
    bob = get_actor(people.add_person(SYSTEM, "bob", "Bob", roles=["importer"]))
    with pytest.raises(Invalid, match="administrator"):
        import_file("partner", write(["Name"], ["Acme"]), actor=bob, owner="ann")


def _owners() -> dict[str, int | None]:
    from sqlalchemy import select

    from formloop.db import reading

    table = get_form("partner").table
    with reading() as conn:
        return {row.name: row.owner for row in conn.execute(select(table.c.name, table.c.owner))}


def test_a_name_that_resembles_finds_its_field_after_those_called_exactly_so(app: Flask) -> None:
    publish_all()
    columns = ["partner_id", "Price", "unit_price"]
    assert guessing.guess(get_form("rate"), columns) == {"partner_id": "partner", "Price": "price"}
    assert guessing.guess(get_form("rate"), ["unit_price"]) == {"unit_price": "price"}
