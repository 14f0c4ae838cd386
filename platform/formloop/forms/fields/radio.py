"""One of several options, all in sight."""

from formloop.core.text import M
from formloop.forms.fields.dropdown import Dropdown


class Radio(Dropdown):
    """Like a dropdown, with every option shown as a button."""

    name = "radio"
    title = M("Radio buttons")
    icon = "circle-check"
    widget = "radio"
