"""What a step hides is hidden on the record's page, in lists, exports and over the API while the step asks."""

from decimal import Decimal
from typing import Any

from formloop.forms import listing, permits, reads
from formloop.forms.filters import Filter
from formloop.forms.kind import get_form
from formloop.forms.list_query import Query
from formloop.workflows import administration, hiding, inbox, narrowing, service, task_page
from workflows.stage import END, Stage, approval


def listed(stage: Stage, who: str, **query: Any) -> dict[int, Any]:
    found = listing.list_records(stage.actors[who], get_form("request"), Query(columns=("amount",), **query))
    return {row["id"]: row["amount"] for row in found.rows}


def test_a_field_is_hidden_everywhere_from_whom_the_step_asks_and_only_then(stage: Stage) -> None:
    hiding.start()
    stage.publish(approval("one", "bob", fields={"amount": "hide"}), approval("two", "cho"), END)
    bob, spec = stage.actors["bob"], get_form("request")
    other = stage.record(amount="50")
    case = stage.submit(amount="70").case
    record = stage.record_of(case)
    assert "amount" not in reads.look(bob, "request", record).visible
    assert "amount" in reads.look(bob, "request", other).visible
    assert "amount" in reads.look(stage.actors["cho"], "request", record).visible
    assert listed(stage, "bob") == {record: None, other: Decimal(50)}
    above = (Filter("amount", "at_least", "60"),)
    assert listed(stage, "bob", filters=above) == {}, "a filter tells nothing either"
    assert listed(stage, "cho", filters=above) == {record: Decimal(70)}
    assert listing.sum_records(bob, spec, Query(), ["amount"]) == {"amount": Decimal(50)}
    stage.do("bob", "approve", case)
    assert listed(stage, "bob") == {record: Decimal(70), other: Decimal(50)}


def test_where_many_are_hidden_the_field_is_hidden_in_all(stage: Stage, monkeypatch: Any) -> None:
    hiding.start()
    monkeypatch.setattr(permits, "MOST_NARROWED", 1)
    stage.publish(approval("one", "bob", fields={"amount": "hide"}), END)
    other = stage.record(amount="50")
    for _ in range(2):
        stage.submit(amount="70")
    assert listed(stage, "bob")[other] is None


def test_a_version_that_hides_goes_on_hiding_for_its_running_cases(stage: Stage) -> None:
    hiding.start()
    stage.publish(approval("one", "bob", fields={"amount": "hide"}), END)
    record = stage.record_of(stage.submit(amount="70").case)
    stage.publish(approval("one", "bob"), END)
    newer = stage.record_of(stage.submit(amount="80").case)
    assert listed(stage, "bob") == {record: None, newer: Decimal(80)}


def test_a_case_taken_up_again_by_an_old_version_hides_what_that_hides(stage: Stage) -> None:
    hiding.start()
    stage.publish(approval("one", "bob", fields={"amount": "hide"}), END)
    case = stage.submit(amount="70").case
    stage.do("bob", "reject", case, "no")
    stage.publish(approval("one", "bob"), END)
    record = stage.record_of(case)
    assert listed(stage, "bob")[record] == Decimal(70)
    administration.reactivate(stage.actors["adm"], case, comment="once more")
    assert stage.is_asked("bob", case)
    assert listed(stage, "bob")[record] is None


def test_a_copy_to_oneself_shows_no_more_than_the_task(stage: Stage) -> None:
    hiding.start()
    stage.publish(approval("one", "bob", fields={"amount": "hide"}), END)
    case = stage.submit(amount="70").case
    bob = stage.actors["bob"]
    service.copy_to(bob, case, [bob.person_id or 0])
    copies = inbox.list_tab(bob, "copies", "en").rows
    found = task_page.get_task(bob, copies[0].id)
    shown = task_page.show(bob, found, "en")["screen"]
    assert "amount" not in {cell.field.key for cell in shown.cells() if cell.shown}


def test_a_search_of_the_inbox_tells_nothing_of_a_hidden_title(stage: Stage) -> None:
    hiding.start()
    stage.publish(approval("one", "bob", fields={"subject": "hide"}), approval("two", "cho"), END)
    stage.submit(subject="Secret desk")
    wanted = narrowing.read_wanted({"q": "Secret"})
    assert inbox.list_tab(stage.actors["bob"], "todo", "en", wanted).rows == []
    assert len(inbox.list_tab(stage.actors["bob"], "todo", "en").rows) == 1
