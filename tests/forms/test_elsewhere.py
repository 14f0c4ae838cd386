"""Fields that look into other forms: looked-up values, offered options, tables of records."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event

from formloop.access.actor import SYSTEM, Actor
from formloop.core.errors import Invalid
from formloop.db import engine
from formloop.forms import elsewhere, live, service
from formloop.forms.kind import get_form
from formloop.forms.linkages import Linkages
from formloop.settings import Settings
from forms.conftest import form, publish, text
from forms.specimens import publish_all


@pytest.fixture
def partners(database: Settings) -> dict[str, int]:
    publish_all()
    made = {
        n: service.create(SYSTEM, "partner", {"name": n, "region": f"R-{n}"})["id"] for n in ("one", "two")
    }
    for name, price in (("one", "1.5"), ("one", "2.5"), ("two", "7")):
        service.create(SYSTEM, "rate", {"partner": made[name], "price": price})
    return made


def test_a_look_up_takes_the_newest_record_that_fits_also_in_lines(partners: dict[str, int]) -> None:
    lines = [{"relation": partners["two"]}, {"relation": partners["one"], "rate": "9"}, {"text": "nobody"}]
    saved = service.create(SYSTEM, "everything", {"relation": partners["one"], "subform": lines})
    assert saved["rate"] == Decimal("2.5")
    assert [line.get("rate") for line in saved["subform"]] == [Decimal(7), Decimal(9), None]


def test_a_look_up_asks_once_however_many_lines_there_are(partners: dict[str, int]) -> None:
    statements: list[str] = []
    event.listen(engine(), "before_cursor_execute", lambda *a: statements.append(a[2]))
    lines = [{"relation": partners[n]} for n in ("one", "two") * 50]
    service.create(SYSTEM, "everything", {"subform": lines})
    assert (
        len([s for s in statements if "FROM rate" in s]) == 2
    )  # one for the lines, one for the record itself


def test_a_record_that_is_only_changed_looks_nothing_up_and_asks_after_no_choice_again(
    partners: dict[str, int],
) -> None:
    made = service.create(
        SYSTEM, "everything", {"relation": partners["one"], "subform": [{"relation": partners["two"]}]}
    )
    statements: list[str] = []
    event.listen(engine(), "before_cursor_execute", lambda *a: statements.append(a[2]))
    service.change_record(SYSTEM, "everything", made["id"], {"text": "changed"})
    assert not [each for each in statements if "FROM rate" in each]
    service.set_state(SYSTEM, "everything", made["id"], made["state"])
    line = {"id": made["subform"][0]["id"], "relation": partners["one"]}
    with pytest.raises(Invalid) as refused:
        service.change_record(
            SYSTEM, "everything", made["id"], {"subform": [line, {"relation": 7}, {"relation": 8}]}
        )
    assert [each.at for each in refused.value.problems] == ["subform.1.relation", "subform.2.relation"]


def test_a_look_up_finds_nothing_in_a_form_that_may_not_be_seen(partners: dict[str, int]) -> None:
    spec = get_form("everything")
    found = Linkages(Actor(1, "Nobody"), spec).find(spec.fields["rate"], {"relation": partners["one"]})
    assert found is None


def test_choosing_a_partner_in_the_page_brings_its_rate(partners: dict[str, int]) -> None:
    raw = {"relation": str(partners["two"]), "rate": "1"}
    answer = live.answer(SYSTEM, get_form("everything"), raw, None, ["relation"], "en")
    assert answer["values"]["rate"]["input"] == "7"


def test_options_are_what_records_of_the_other_form_have(partners: dict[str, int]) -> None:
    spec = get_form("everything")
    assert elsewhere.list_options(SYSTEM, spec, spec.fields["region"], "tw", 9) == ["R-two"]
    with pytest.raises(Invalid) as refused:
        service.create(SYSTEM, "everything", {"region": "Nowhere"})
    assert refused.value.problems[0].at == "region"


def test_a_query_field_lists_records_that_belong_to_this_one(partners: dict[str, int]) -> None:
    spec = get_form("everything")
    env = {"relation": partners["one"]}
    _, columns, rows, more = elsewhere.query_rows(SYSTEM, spec, spec.fields["query"], env)
    assert (columns, [row["price"] for row in rows], more) == (
        ["partner", "price"],
        [Decimal("2.5"), Decimal("1.5")],
        False,
    )


def test_what_points_to_a_record_is_not_asked_for_before_it_is_saved(database: Settings) -> None:
    listed = {"form": "task", "where": "plan = this.id", "columns": ["name"]}
    tasks = {"type": "string", "x-type": "query", "title": "Tasks", "x-query": listed}
    plan = {"type": "integer", "x-type": "relation", "title": "Plan", "x-relation": {"form": "plan"}}
    publish(
        form("plan", {"name": text("Name"), "tasks": tasks}),
        form("task", {"name": text("Name"), "plan": plan}),
    )
    one = int(service.create(SYSTEM, "plan", {"name": "One"})["id"])
    for each, of in (("alone", None), ("of one", one)):
        service.create(SYSTEM, "task", {"name": each, "plan": of})
    spec = get_form("plan")
    _, columns, rows, _ = elsewhere.query_rows(SYSTEM, spec, spec.fields["tasks"], {"id": None})
    assert (columns, rows) == (["name"], [])
    _, _, rows, _ = elsewhere.query_rows(SYSTEM, spec, spec.fields["tasks"], {"id": one})
    assert [row["name"] for row in rows] == ["of one"]


def test_people_and_files_that_do_not_exist_are_refused(database: Settings) -> None:
    publish_all()
    raw: dict[str, Any] = {"member": 5, "members": [6, 7], "attachment": ["0" * 32], "subform": [{"team": 8}]}
    with pytest.raises(Invalid) as refused:
        service.create(SYSTEM, "everything", raw)
    assert [p.at for p in refused.value.problems] == [
        "attachment",
        "member",
        "members",
        "members",
        "subform.0.team",
    ]
