"""The history of an approval as its page tells it."""

from flask import Flask

from workflows.site import app, browser, play, text_of
from workflows.stage import END, Stage, approval

__all__ = ["app", "play"]


def test_what_the_workflow_itself_did_is_folded_between_what_people_decided(app: Flask, play: Stage) -> None:
    raised = [
        {"id": key, "node": "data", "do": "update", "values": {"amount": "amount + 1"}} for key in ("a", "b")
    ]
    play.publish(approval("one", "bob"), *raised, approval("two", "cho"), END)
    case = play.submit().case
    play.do("bob", "approve", case)
    page = text_of(browser(app, play, "cho"), f"/inbox/{play.task_of('cho', case)}")
    before, _, rest = page.partition("Steps of the workflow itself")
    inside, _, after = rest.partition("</details>")
    assert inside.count("Records changed") == 2
    assert "Records changed" not in before + after
    assert "Approved" in before and "Approved" not in inside
