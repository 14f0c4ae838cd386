"""Whoever stands in a field of the record."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from formloop.core.definitions import Library
from formloop.core.errors import Problem
from formloop.core.text import M, Message, Titled
from formloop.forms.spec import FormSpec
from formloop.workflows.spec import AssigneeRule, Directory
from formloop.workflows.state import Rule


class MemberField(AssigneeRule):
    """The person, or with a field of lines the people, in a member field."""

    name = "member_field"
    title = M("Member field")
    icon = "user-search"
    required = ("field",)
    schema: ClassVar[Mapping[str, Any]] = {
        "field": {"type": "string", "x-pick": "member_field", "title": "Field", "x-title": {"zh-CN": "字段"}}
    }

    def check(self, rule: Rule, at: str, form: FormSpec, library: Library) -> list[Problem]:
        """A member field of the form or of its lines."""
        field = form.find(rule["field"])
        if field is not None and field.type.name == "member":
            return []
        text = M("“{key}” is no member field of the form.", key=rule["field"])
        return [Problem("no_field", f"{at}.field", text)]

    def find(self, rule: Rule, directory: Directory) -> Sequence[int]:
        """In the order of the lines."""
        value = directory.value(rule["field"])
        found = value if isinstance(value, list) else [value]
        return [int(each) for each in found if each is not None]

    def explain(self, rule: Rule, form: FormSpec, names: Mapping[str, Message]) -> Message:
        """By standing in the field."""
        field = form.find(rule["field"])
        return M(
            "You are named in the field “{field}”.",
            field=Titled(field.schema if field else {}, rule["field"]),
        )
