"""After a publication a process prepares what it is asked for, not everything that hangs on what was published."""

from flask import Flask

from formloop.access.actor import SYSTEM
from formloop.definitions import library
from formloop.definitions import service as definitions


def prepared_workflows() -> set[str]:
    shelf = library._current()
    return {key for kind, key in shelf.prepared if kind == "workflow"}


def test_the_workflows_of_one_form_do_not_wait_for_those_of_all_others(demo: Flask) -> None:
    library.of_form("workflow", "delivery")  # of which form each is comes to be known
    item = library.find_document("form", "item")
    assert item is not None
    definitions.publish_many(SYSTEM, [{**item, "description": "What we buy, make and sell."}], "said anew")
    assert "delivery_post" not in prepared_workflows()
    found = [each.key for each in library.of_form("workflow", "delivery")]
    assert found == ["delivery_cancel", "delivery_post"]
    assert {"delivery_post"} <= prepared_workflows()
    assert "receipt_post" not in prepared_workflows()
