"""One gate: rows and fields a person may not see do not exist for them, whichever way they ask."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import insert

from formloop.access.actor import SYSTEM
from formloop.core import clock
from formloop.core.errors import Forbidden, Invalid, NotFound
from formloop.core.expression import Context
from formloop.db import connection, transactional
from formloop.definitions import service as definitions
from formloop.events import Event
from formloop.forms import bulk, drafts, listing, live, reads, screen, service
from formloop.forms.filters import Filter
from formloop.forms.kind import get_form
from formloop.forms.listing import Query
from formloop.forms.permits import find_permit
from formloop.forms.service import Draft, How
from formloop.forms.tables import record_link

from .conftest import CUSTOMER, Shop, form, publish, relation

MINE = "owner = USER()"


def test_without_a_grant_there_is_nothing(shop: Shop) -> None:
    stranger = shop.person("stranger", {"form": "item", "may": ["view"]})
    order = shop.order()
    with pytest.raises(Forbidden):
        listing.list_records(stranger, get_form("order"), Query())
    with pytest.raises(NotFound):
        reads.get_record(stranger, "order", order["id"])
    with pytest.raises(Forbidden):
        service.create(stranger, "order", {})


def test_a_row_condition_limits_list_record_and_change(shop: Shop) -> None:
    seller = shop.person(
        "seller",
        {"form": "order", "may": ["view", "create", "edit", "delete"], "where": MINE},
        {"form": "customer", "may": ["view"]},
        {"form": "item", "may": ["view"]},
    )
    theirs, mine = shop.order(), shop.order(actor=seller)
    spec = get_form("order")
    assert [row["id"] for row in listing.list_records(seller, spec, Query()).rows] == [mine["id"]]
    assert listing.count_records(seller, spec, Query()) == 1
    with pytest.raises(NotFound):
        reads.get_record(seller, "order", theirs["id"])
    with pytest.raises(NotFound):
        service.change_record(seller, "order", theirs["id"], {"note": "x"})
    with pytest.raises(NotFound):
        service.delete_record(seller, "order", theirs["id"])
    assert service.change_record(seller, "order", mine["id"], {"note": "x"})["note"] == "x"


def test_a_row_condition_is_written_as_sql_once_for_a_person_and_anew_for_each_moment(shop: Shop) -> None:
    spec = get_form("order")
    mine, today = [
        find_permit(shop.person(name, {"form": "order", "may": ["view"], "where": where}), "view", spec)
        for name, where in (("steady", MINE), ("daily", "created_at <= NOW()"))
    ]
    assert mine is not None and today is not None
    early, late = Context(datetime(2026, 1, 1, tzinfo=UTC), 7), Context(datetime(2026, 1, 2, tzinfo=UTC), 7)
    assert mine.where(early) is mine.where(late)
    assert mine.where(early) is not mine.where(replace(early, person=8))
    assert today.where(early) is not today.where(late)


def test_a_condition_over_what_a_relation_points_to_is_written_anew_when_that_form_is_published(
    shop: Shop,
) -> None:
    where = {"form": "order", "may": ["view"], "where": 'customer.name = "Acme"'}
    keen = find_permit(shop.person("keen", where), "view", get_form("order"))
    assert keen is not None
    moment = Context(datetime(2026, 1, 1, tzinfo=UTC), 7)
    before = keen.where(moment)
    assert before is keen.where(moment)
    publish(
        {**CUSTOMER, "properties": {**CUSTOMER["properties"], "note": {"type": "string", "title": "Note"}}}
    )
    assert keen.where(moment) is not before


def test_a_cell_needs_one_grant_that_gives_both_row_and_field(shop: Shop) -> None:
    reader = shop.person(
        "reader",
        {"form": "order", "may": ["view"], "where": 'note = "open"', "fields": ["number", "note"]},
        {"form": "order", "may": ["view"], "where": "total > 10", "fields": ["number", "total"]},
    )
    small, large, both = (
        shop.order(note="open"),
        shop.order((shop.bolt, "20")),
        shop.order((shop.bolt, "20"), note="open"),
    )
    shop.order(note="hidden")
    spec = get_form("order")
    query = Query(columns=("number", "note", "total"), sort=("id",))
    rows = {row["id"]: (row["note"], row["total"]) for row in listing.list_records(reader, spec, query).rows}
    assert rows == {
        small["id"]: ("open", None),
        large["id"]: (None, Decimal("30")),
        both["id"]: ("open", Decimal("30")),
    }
    seen = reads.get_record(reader, "order", small["id"])
    assert "total" not in seen and "lines" not in seen and seen["note"] == "open"


def test_a_hidden_cell_answers_no_question(shop: Shop) -> None:
    reader = shop.person(
        "reader",
        {"form": "order", "may": ["view"], "fields": ["number"]},
        {"form": "order", "may": ["view"], "where": 'note = "open"', "fields": ["number", "total", "note"]},
    )
    spec = get_form("order")
    hidden, seen = shop.order((shop.bolt, "20")), shop.order((shop.bolt, "10"), note="open")
    above = Query(filters=(Filter("total", "at_least", "1"),), sort=("id",))
    assert [r["id"] for r in listing.list_records(reader, spec, above).rows] == [seen["id"]]
    falling = Query(sort=("-total",), columns=("number", "total"))
    assert [r["id"] for r in listing.list_records(reader, spec, falling).rows] == [seen["id"], hidden["id"]]
    assert listing.sum_records(reader, spec, Query(), ["total"]) == {"total": Decimal("15")}
    none = shop.person("blind", {"form": "order", "may": ["view"], "fields": ["number"]})
    assert listing.sum_records(none, spec, Query(), ["total"]) == {}
    with pytest.raises(Invalid):
        listing.list_records(none, spec, Query(sort=("-total",)))
    assert listing.list_records(none, spec, above).problems[0].code == "unknown_field"


def test_only_granted_fields_can_be_written(shop: Shop) -> None:
    clerk = shop.person(
        "clerk", {"form": "order", "may": ["view"]}, {"form": "order", "may": ["edit"], "fields": ["note"]}
    )
    order = shop.order()
    assert service.change_record(clerk, "order", order["id"], {"note": "seen"})["note"] == "seen"
    line = {"id": order["lines"][0]["id"], "quantity": "5"}
    with pytest.raises(Invalid) as error:
        service.change_record(clerk, "order", order["id"], {"lines": [line]})
    assert error.value.problems[0].code == "forbidden"


def test_nobody_saves_a_record_that_would_not_be_theirs(shop: Shop) -> None:
    timid = shop.person(
        "timid",
        {"form": "item", "may": ["view"]},
        {"form": "item", "may": ["create", "edit"], "where": "price < 10"},
    )
    cheap = service.create(timid, "item", {"name": "Cheap", "price": "5"})
    with pytest.raises(Forbidden):
        service.create(timid, "item", {"name": "Dear", "price": "50"})
    with pytest.raises(Forbidden):
        service.change_record(timid, "item", cheap["id"], {"price": "50"})


def test_what_may_not_be_seen_can_neither_be_picked_nor_set(shop: Shop) -> None:
    seller = shop.person(
        "seller",
        {"form": "order", "may": ["view", "create"]},
        {"form": "item", "may": ["view"]},
        {"form": "customer", "may": ["view"], "where": 'name <> "Acme"'},
    )
    spec = get_form("order")
    field = spec.fields["customer"]
    other = shop.customer("Other")
    shop.customer("Asleep", active=False)
    assert [c["text"] for c in live.choices(seller, spec, field, "")] == ["Other"]
    assert live.choices(seller, spec, field, "Acm") == []
    lines = [{"item": shop.bolt, "quantity": 1}]
    with pytest.raises(Invalid):
        service.create(seller, "order", {"customer": shop.acme, "lines": lines})
    assert service.create(seller, "order", {"customer": other, "lines": lines})["customer"] == other


def test_administrators_see_everything(shop: Shop) -> None:
    shop.order()
    assert len(listing.list_records(SYSTEM, get_form("order"), Query()).rows) == 1


def test_a_row_condition_may_read_through_a_relation(shop: Shop) -> None:
    keen = shop.person(
        "keen",
        {"form": "order", "may": ["view", "create", "edit"], "where": 'customer.name = "Acme"'},
        {"form": "customer", "may": ["view"]},
        {"form": "item", "may": ["view"]},
    )
    mine = shop.order(actor=keen)
    assert service.change_record(keen, "order", mine["id"], {"note": "x"})["note"] == "x"
    assert reads.get_record(keen, "order", mine["id"])["note"] == "x"
    other = shop.customer("Other")
    with pytest.raises(Forbidden):
        service.change_record(keen, "order", mine["id"], {"customer": other})


def test_a_new_record_is_judged_by_the_state_it_will_have(shop: Shop) -> None:
    timid = shop.person("timid", {"form": "item", "may": ["view", "create"], "where": 'state = "draft"'})
    assert service.create(timid, "item", {"name": "Mine"})["state"] == "draft"


def test_a_list_whose_own_sort_is_hidden_is_still_a_list(shop: Shop) -> None:
    shop.order()
    blind = shop.person("blind", {"form": "order", "may": ["view"], "fields": ["number"]})
    assert len(listing.list_records(blind, get_form("order"), Query()).rows) == 1


def test_what_is_typed_or_added_shows_nothing_of_a_record_one_may_not_see(shop: Shop) -> None:
    seller = shop.person(
        "seller",
        {"form": "order", "may": ["view", "create"]},
        {"form": "customer", "may": ["view"]},
        {"form": "item", "may": ["view"], "where": 'name <> "Bolt"'},
    )
    raw = {"lines": [{"item": str(shop.bolt), "quantity": "2"}]}
    answer = live.answer(seller, get_form("order"), raw, None, ["lines.0.item"], "en")
    assert "1.5" not in str(answer) and "Bolt" not in str(answer)
    assert "may not see" in answer["problems"]["lines.0.item"]


def test_live_answers_of_somebody_who_edits_one_field_are_of_the_whole_record(shop: Shop) -> None:
    clerk = shop.person(
        "clerk", {"form": "order", "may": ["view"]}, {"form": "order", "may": ["edit"], "fields": ["note"]}
    )
    order = shop.order()
    before = reads.look(clerk, "order", order["id"], "edit").record
    answer = live.answer(clerk, get_form("order"), {"note": "x"}, before, ["note"], "en")
    assert answer["values"]["total"]["text"] == "3.00"
    assert answer["problems"] == {}


def test_a_program_that_gives_values_still_asks_the_rights_it_is_told_to_ask(shop: Shop) -> None:
    how = How(trusted=True, asks="import")
    narrow = shop.person("narrow", {"form": "item", "may": ["import"], "where": 'name = "Mine"'})
    service.save_many(narrow, "item", [Draft({"name": "Mine"})], how=how)
    with pytest.raises(Forbidden):
        service.save_many(narrow, "item", [Draft({"name": "Theirs"})], how=how)


def test_nothing_opens_a_lock_but_who_says_so(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    order = shop.order()
    monkeypatch.setattr(drafts, "_guards", [lambda spec, record: True])
    with pytest.raises(Forbidden):
        service.change_record(SYSTEM, "order", order["id"], {"note": "x"}, how=How(trusted=True))
    how = How(trusted=True, unlocked=True)
    assert service.change_record(SYSTEM, "order", order["id"], {"note": "x"}, how=how)["note"] == "x"


def test_what_one_of_many_was_refused_is_not_done(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(event: Event) -> None:
        if event.record == shop.nut:
            raise Forbidden

    monkeypatch.setattr("formloop.events._subscribers", [(1, refuse)])
    done, failed = bulk.delete_records(SYSTEM, "item", {shop.bolt: 1, shop.nut: 1})
    assert (done, [p.at for p in failed]) == (1, [str(shop.nut)])
    assert reads.get_record(SYSTEM, "item", shop.nut)["name"] == "Nut"


def test_a_hidden_unique_value_is_not_told_by_trying(shop: Shop) -> None:
    shop.customer("Known", tax_number="SECRET-1")
    clerk = shop.person(
        "clerk", {"form": "customer", "may": ["view", "create", "delete"], "except": ["tax_number"]}
    )
    answers = []
    for guess in ("SECRET-1", "SECRET-2"):
        with pytest.raises(Invalid) as error:
            service.create(clerk, "customer", {"name": "New", "tax_number": guess})
        answers.append([(p.code, p.at, str(p.message)) for p in error.value.problems])
    assert answers[0] == answers[1] and answers[0][0][:2] == ("forbidden", "tax_number")


def test_restoring_names_a_taken_value_only_to_who_may_see_it(shop: Shop) -> None:
    gone = shop.customer("Gone", tax_number="SECRET-1")
    service.delete_record(SYSTEM, "customer", gone)
    shop.customer("New", tax_number="SECRET-1")
    clerk = shop.person("clerk", {"form": "customer", "may": ["view", "delete"], "except": ["tax_number"]})
    boss = shop.person("boss", {"form": "customer", "may": ["view", "delete"]})
    told = {}
    for actor in (clerk, boss):
        _, (problem,) = bulk.restore_records(actor, "customer", {gone: None})
        with pytest.raises(Invalid) as error:
            service.restore_record(actor, "customer", gone)
        told[actor.name] = f"{problem.message} {error.value.problems}"
    assert "SECRET-1" not in told["Clerk"] and "SECRET-1" in told["Boss"]


def test_who_may_not_see_a_title_is_not_told_it_where_something_points_to_it(shop: Shop) -> None:
    order = shop.order()
    _link("order", order["id"], "customer", shop.acme)
    every = {"form": "order", "may": ["view", "create"]}
    blind = shop.person("blind", every, {"form": "customer", "may": ["view"], "except": ["name"]})
    outside = shop.person("outside", every)
    spec, field = get_form("order"), get_form("order").fields["customer"]
    assert screen.names_for(blind, spec, [order])["customer", shop.acme] == f"#{shop.acme}"
    assert screen.names_for(outside, spec, [order])["customer", shop.acme] == "Acme"
    assert [each["text"] for each in live.choices(blind, spec, field, "")] == [f"#{shop.acme}"]
    for actor, told in ((blind, f"#{shop.acme}"), (SYSTEM, "Acme")):
        assert [each.title for each in reads.list_chain(actor, "order", order["id"])] == [told]


@transactional
def _link(from_form: str, from_record: int, to_form: str, to_record: int) -> None:
    row = {"from_form": from_form, "from_record": from_record, "from_line": 0, "via": "test", "version": 1}
    to = {"to_form": to_form, "to_record": to_record, "at": clock.now()}
    connection().execute(insert(record_link).values(**row, **to))


def test_a_name_that_was_asked_for_by_its_number_is_told_only_to_who_may_see_the_record(shop: Shop) -> None:
    mine = {"form": "customer", "may": ["view"], "where": 'name = "Bcme"'}
    clerk = shop.person("clerk", {"form": "order", "may": ["view"]}, mine)
    none = shop.person("none", {"form": "order", "may": ["view"]})
    bcme, spec = shop.customer("Bcme"), get_form("order")
    asked = [{"customer": shop.acme}, {"customer": bcme}]
    assert screen.names_for(clerk, spec, asked, asked=True) == {("customer", bcme): "Bcme"}
    assert screen.names_for(none, spec, asked, asked=True) == {}


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("nonsense = 1", "There is no “nonsense”"),
        ("total +", "ends too early"),
        ("total + 1", "yes or no is wanted"),
        ("SUM(order.lines.quantity) > 1", "There is no “lines”"),
    ],
)
def test_a_condition_that_says_nothing_is_not_published(shop: Shop, where: str, told: str) -> None:
    total = {"type": "number", "x-type": "amount", "title": "Total"}
    publish(form("visit", {"order": relation("Order", "order"), "total": total}))
    grants = [{"id": "some", "form": "visit", "may": ["view"], "where": where}]
    role = {"x-kind": "role", "x-id": "0000e0f1", "x-key": "odd", "title": "Odd", "grants": grants}
    with pytest.raises(Invalid) as refused:
        definitions.publish_many(SYSTEM, [role], "test")
    (problem,) = refused.value.problems
    assert problem.at.endswith("grants.0.where") and told in str(problem.message)
