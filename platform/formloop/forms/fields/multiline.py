"""Multi-line text."""

from typing import ClassVar

from formloop.core.text import M
from formloop.forms.fields.text import TextField


class Multiline(TextField):
    """Text of several lines."""

    name = "multiline"
    title = M("Multi-line text")
    icon = "text-wrap"
    widget = "multiline"
    longest = 20_000
    sortable = False
    unused: ClassVar[tuple[str, ...]] = ("pattern", "x-scan", "x-unique", "x-index")
