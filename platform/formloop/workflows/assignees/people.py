"""People by name."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from formloop.access import people
from formloop.core.definitions import Library, with_suggestion
from formloop.core.errors import Problem
from formloop.core.text import M, Message
from formloop.forms.spec import FormSpec
from formloop.workflows.spec import AssigneeRule, Directory
from formloop.workflows.state import Rule

MOST_KNOWN = 2_000  # accounts among which a misspelt one is looked for


class People(AssigneeRule):
    """Those who are named, by their accounts."""

    name = "people"
    title = M("People")
    icon = "user"
    required = ("people",)
    schema: ClassVar[Mapping[str, Any]] = {
        "people": {
            "type": "array",
            "minItems": 1,
            "maxItems": 200,
            "uniqueItems": True,
            "items": {"type": "string"},
            "x-pick": "person",
            "title": "Accounts",
            "x-title": {"zh-CN": "账号"},
        }
    }

    def check(self, rule: Rule, at: str, form: FormSpec, library: Library) -> list[Problem]:
        """An account that does not exist yet is only a warning: definitions travel before people do."""
        missing = [account for account in rule["people"] if people.find_person(account) is None]
        known = [each.account for each in people.list_people(limit=MOST_KNOWN)] if missing else []
        return [
            Problem(
                "no_person",
                f"{at}.people",
                with_suggestion(
                    M("There is no person with the account “{account}” yet.", account=account), account, known
                ),
                severity="warning",
            )
            for account in missing
        ]

    def find(self, rule: Rule, directory: Directory) -> Sequence[int]:
        """In the order they are named."""
        return directory.with_accounts(rule["people"])

    def explain(self, rule: Rule, form: FormSpec, names: Mapping[str, Message]) -> Message:
        """Named."""
        return M("The workflow names you for this step.")
