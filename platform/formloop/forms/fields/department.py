"""A department of the organisation."""

from collections.abc import Mapping
from typing import Any

from formloop.core.text import M
from formloop.forms.fields.member import Member
from formloop.forms.fields.several import Several
from formloop.forms.spec import Field, FieldType


class Department(Member):
    """A department of the organisation; several with `x-multiple`."""

    name = "department"
    title = M("Department")
    icon = "sitemap"
    widget = "department"

    def source(self, field: Field) -> str | None:
        return "@department"

    def variant(self, schema: Mapping[str, Any]) -> FieldType:
        return DEPARTMENTS if schema.get("x-multiple") else self


class Departments(Several, Department):
    """Several departments."""


DEPARTMENTS = Departments()
