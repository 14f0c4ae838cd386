"""Everybody in the department that a field names, or its head only."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from formloop.core.definitions import Library
from formloop.core.errors import Problem
from formloop.core.text import M, Message, Titled
from formloop.forms.spec import FormSpec
from formloop.workflows.spec import AssigneeRule, Directory
from formloop.workflows.state import Rule


class DepartmentField(AssigneeRule):
    """The people of the department in a field of the record."""

    name = "department_field"
    title = M("Department field")
    icon = "building"
    required = ("field",)
    schema: ClassVar[Mapping[str, Any]] = {
        "field": {
            "type": "string",
            "x-pick": "department_field",
            "title": "Field",
            "x-title": {"zh-CN": "字段"},
        }
    }

    def check(self, rule: Rule, at: str, form: FormSpec, library: Library) -> list[Problem]:
        """A department field of the form itself."""
        field = form.fields.get(rule["field"])
        if field is not None and field.type.name == "department":
            return []
        text = M("“{key}” is no department field of the form.", key=rule["field"])
        return [Problem("no_field", f"{at}.field", text)]

    def find(self, rule: Rule, directory: Directory) -> Sequence[int]:
        """By name."""
        value = directory.value(rule["field"])
        return directory.in_department_numbered(int(value)) if value is not None else ()

    def explain(self, rule: Rule, form: FormSpec, names: Mapping[str, Message]) -> Message:
        """By belonging to the department."""
        field = form.find(rule["field"])
        title = Titled(field.schema if field else {}, rule["field"])
        return M("You belong to the department in the field “{field}”.", field=title)
