"""The field types, one a file, in the order the palette shows them."""

from collections.abc import Mapping
from typing import Any

from formloop.core.registry import Registry
from formloop.forms.fields.address import Address
from formloop.forms.fields.amount import Amount
from formloop.forms.fields.attachment import Attachment
from formloop.forms.fields.calculation import Calculation
from formloop.forms.fields.cascade import Cascade
from formloop.forms.fields.checkbox_group import CheckboxGroup
from formloop.forms.fields.contact import Contact
from formloop.forms.fields.datetime import DateTime
from formloop.forms.fields.department import Department
from formloop.forms.fields.dropdown import Dropdown
from formloop.forms.fields.image import Image
from formloop.forms.fields.location import Location
from formloop.forms.fields.member import Member
from formloop.forms.fields.multi_select import MultiSelect
from formloop.forms.fields.multiline import Multiline
from formloop.forms.fields.number import Number
from formloop.forms.fields.query import QueryData
from formloop.forms.fields.radio import Radio
from formloop.forms.fields.relation import RelationField
from formloop.forms.fields.rich_text import RichText
from formloop.forms.fields.serial import Serial
from formloop.forms.fields.signature import Signature
from formloop.forms.fields.subform import Subform
from formloop.forms.fields.switch import Switch
from formloop.forms.fields.text import TextField
from formloop.forms.spec import FieldType

types: Registry[FieldType] = Registry("field type")
for _each in (
    TextField(),
    Multiline(),
    RichText(),
    Number(),
    Amount(),
    DateTime(),
    Radio(),
    CheckboxGroup(),
    Dropdown(),
    MultiSelect(),
    Switch(),
    Cascade(),
    Contact(),
    Address(),
    Location(),
    Image(),
    Attachment(),
    Signature(),
    Member(),
    Department(),
    Serial(),
    Subform(),
    RelationField(),
    QueryData(),
    Calculation(),
):
    types.add(_each.name, _each)


def type_of(schema: Mapping[str, Any]) -> str:
    """The name of the field type that a property's schema means, from `x-type` or from the standard alone."""
    if "x-type" in schema:
        return str(schema["x-type"])
    kind, items = schema.get("type"), schema.get("items")
    if kind == "array":
        of_lines = isinstance(items, Mapping) and items.get("type") == "object"  # drafts may hold anything
        return "subform" if of_lines else "multi_select"
    if kind in ("number", "integer"):
        return "number"
    if kind == "boolean":
        return "switch"
    if "enum" in schema:
        return "dropdown"
    if schema.get("format") in ("date", "date-time", "time"):
        return "datetime"
    if schema.get("format") in ("email", "uri", "phone"):
        return "contact"
    return "text"


def find_type(schema: Mapping[str, Any]) -> FieldType | None:
    """The field type for a property's schema, None when there is none of that name."""
    found = types.find(type_of(schema))
    return found.variant(schema) if found else None
