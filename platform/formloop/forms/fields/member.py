"""A person."""

from collections.abc import Mapping
from typing import Any, ClassVar

from formloop.core.text import M
from formloop.forms.fields.relation import RelationField
from formloop.forms.fields.several import Several
from formloop.forms.spec import Field, FieldType


class Member(RelationField):
    """Somebody with an account here; several with `x-multiple`."""

    name = "member"
    title = M("Member")
    icon = "user"
    widget = "member"
    options: ClassVar[Mapping[str, Any]] = {"x-multiple": {"type": "boolean"}}

    def source(self, field: Field) -> str | None:
        return "@person"

    def variant(self, schema: Mapping[str, Any]) -> FieldType:
        return MEMBERS if schema.get("x-multiple") else self


class Members(Several, Member):
    """Several people."""


MEMBERS = Members()
