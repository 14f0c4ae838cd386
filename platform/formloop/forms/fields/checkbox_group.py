"""Several of a few options, all in sight."""

from collections.abc import Mapping
from typing import Any

from formloop.core.text import M
from formloop.forms.fields.multi_select import MultiSelect
from formloop.forms.spec import FieldType


class CheckboxGroup(MultiSelect):
    """Like multi-select, with every option shown as a check box."""

    name = "checkbox_group"
    title = M("Checkbox group")
    icon = "checkbox"
    widget = "checkbox_group"

    def variant(self, schema: Mapping[str, Any]) -> FieldType:
        return self
