"""Whoever an expression gives."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from formloop.core.expression import EvaluationError
from formloop.core.text import M, Message
from formloop.forms.spec import FormSpec
from formloop.workflows.spec import AssigneeRule, Directory
from formloop.workflows.state import Rule


class ByExpression(AssigneeRule):
    """The person that an expression gives, by id or by account: `IF(amount > 1000, boss, clerk)`."""

    name = "expression"
    title = M("Expression")
    icon = "math-function"
    required = ("value",)
    schema: ClassVar[Mapping[str, Any]] = {
        "value": {
            "type": "string",
            "minLength": 1,
            "maxLength": 4096,
            "x-pick": "expression",
            "title": "Expression",
            "x-title": {"zh-CN": "表达式"},
        }
    }

    def find(self, rule: Rule, directory: Directory) -> Sequence[int]:
        """One or several; what is no person counts as nobody."""
        visit = directory.visit
        expression = visit.step.expressions.get(f"who:{rule['value']}")
        if expression is None:
            return ()
        try:
            value = directory.value_of(expression, visit.names)
        except EvaluationError:
            return ()
        values = value if isinstance(value, list | tuple) else [value]
        accounts = [each for each in values if isinstance(each, str)]
        numbers = [int(each) for each in values if each is not None and not isinstance(each, str)]
        return [*numbers, *directory.with_accounts(accounts)] if accounts else numbers

    def explain(self, rule: Rule, form: FormSpec, names: Mapping[str, Message]) -> Message:
        """By calculation."""
        return M("The workflow calculates from the record who decides, and it is you.")
