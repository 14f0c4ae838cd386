"""A form exists for its builder the moment it is published."""

from typing import Any

import pytest

from formloop.access.actor import SYSTEM, get_actor
from formloop.core.errors import Invalid
from formloop.definitions import service as definitions
from formloop.forms import first_rights, listing, publisher_rights, service
from formloop.forms.kind import get_form
from formloop.forms.listing import Query

from .conftest import Shop, form, only, relation, text


def test_whoever_publishes_a_new_form_can_use_it_at_once(shop: Shop) -> None:
    first_rights.enroll()
    builder = shop.person("builder", {"on": "definition", "may": ["design"]})
    doc = only(form("visit", {"topic": text("Topic")}))
    made = definitions.save_draft(builder, "form", doc)
    definitions.publish(builder, made.id)
    builder = get_actor(builder.person_id or 0)
    saved = service.create(builder, "visit", {"topic": "x"})
    assert [row["id"] for row in listing.list_records(builder, get_form("visit"), Query()).rows] == [
        saved["id"]
    ]
    stranger = shop.person("stranger", {"form": "item", "may": ["view"]})
    assert "visit_all" not in stranger.roles


def test_forms_whose_keys_begin_alike_are_published_one_after_the_other(shop: Shop) -> None:
    first_rights.enroll()
    builder = shop.person("builder", {"on": "definition", "may": ["design"]})
    keys = [f"{'a' * 38}{end}" for end in ("one", "two")] + ["short", f"{'a' * 20}_{'b' * 15}_x"]
    for number, key in enumerate(keys):
        doc = {**only(form(key, {"topic": text("Topic")})), "x-id": f"000000c{number}"}
        definitions.publish(builder, definitions.save_draft(builder, "form", doc).id)
        builder = get_actor(builder.person_id or 0)
        assert service.create(builder, key, {"topic": "x"})["topic"] == "x"
    assert len(builder.roles) == 5, "a role for each form, beside that of the builder"
    assert "short_all" in builder.roles


def test_a_later_version_gives_nobody_anything(shop: Shop) -> None:
    first_rights.enroll()
    builder = shop.person("builder", {"on": "definition", "may": ["design"]})
    doc = only(
        form(
            "item", {"name": text("Name"), "price": {"type": "number", "x-type": "amount", "title": "Price"}}
        )
    )
    doc["required"] = ["name"]
    doc["description"] = "changed"
    definitions.publish_many(builder, [doc], "again")
    assert "item_all" not in get_actor(builder.person_id or 0).roles


def test_nobody_publishes_a_formula_over_what_they_may_not_see(shop: Shop) -> None:
    publisher_rights.enroll()
    builder = shop.person(
        "builder",
        {"on": "definition", "may": ["design"]},
        {"form": "customer", "may": ["view"], "except": ["limit"]},
    )
    leak = {"type": "number", "x-type": "amount", "title": "Leak", "x-formula": "who.limit + 0"}
    for doc in (
        form("leaks", {"who": relation("Who", "customer"), "leak": leak}),
        form(
            "fills",
            {"who": relation("Who", "customer", fill={"got": "limit"}), "got": {**leak, "x-formula": None}},
        ),
    ):
        doc["properties"] = {key: only(schema) for key, schema in doc["properties"].items()}
        made = definitions.save_draft(builder, "form", only(doc))
        told = definitions.check_draft(builder, made.id)
        assert {p.code for p in told} == {"reads_hidden"}
        with pytest.raises(Invalid) as error:
            definitions.publish(builder, made.id)
        assert {p.code for p in error.value.problems} == {"reads_hidden"}


@pytest.mark.parametrize(
    "asking",
    [
        {"who": {**relation("Who", "customer"), "x-relation": {"form": "customer", "where": "limit > 500"}}},
        {
            "who": {
                "type": "string",
                "title": "Who",
                "x-options": {"form": "customer", "field": "name", "where": "limit > 500"},
            }
        },
    ],
    ids=["a choice", "options"],
)
def test_nobody_offers_records_by_what_they_may_not_see_of_them(shop: Shop, asking: dict[str, Any]) -> None:
    publisher_rights.enroll()
    sees = {"form": "customer", "may": ["view"]}
    design = {"on": "definition", "may": ["design"]}
    made = definitions.save_draft(SYSTEM, "form", only(form("offers", asking)))
    builder = shop.person("builder", design, {**sees, "except": ["limit"]})
    told = definitions.check_draft(builder, made.id)
    assert [(p.code, p.at) for p in told] == [("reads_hidden", "properties.who")]
    with pytest.raises(Invalid):
        definitions.publish(builder, made.id)
    definitions.publish(shop.person("owner", design, sees), made.id)


def test_the_check_of_a_new_form_that_points_to_itself_holds_nothing_against_it(shop: Shop) -> None:
    publisher_rights.enroll()
    builder = shop.person("builder", {"on": "definition", "may": ["design"]})
    upper = {"type": "string", "title": "Above", "x-formula": "parent.name"}
    doc = only(form("place", {"name": text("Name"), "parent": relation("Part of", "place"), "upper": upper}))
    made = definitions.save_draft(builder, "form", doc)
    assert definitions.check_draft(builder, made.id) == []
