"""One of several options, all in sight."""

from collections.abc import Mapping
from typing import Any

from formloop.core.text import M
from formloop.forms.fields.dropdown import Dropdown
from formloop.forms.spec import FieldType


class Radio(Dropdown):
    """Like a dropdown, with every option shown as a button."""

    name = "radio"
    title = M("Radio buttons")
    icon = "circle-check"
    widget = "radio"

    def variant(self, schema: Mapping[str, Any]) -> FieldType:
        return self
