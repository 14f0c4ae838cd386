"""A running number that people can read."""

from collections.abc import Mapping
from typing import Any, ClassVar

from formloop.core.text import M
from formloop.forms.fields.text import TextField
from formloop.forms.spec import OF_INPUT, OF_TEXT


class Serial(TextField):
    """`x-serial` is the pattern: `SO{yyyy}{MM}-{0001}`; the count starts anew whenever the dated part changes, or
    as `x-restart` says: `never`, each `year`, `month` or `day`, no more often than the number shows.
    `{=region}` puts a text field of the record in it; each such text has a count of its own.

    The number is given when the record is saved. A record that comes with one (an import) keeps it.
    """

    name = "serial"
    title = M("Serial number")
    icon = "list-numbers"
    unused = ("x-formula", *OF_TEXT, *OF_INPUT)
    sample: ClassVar[Mapping[str, Any]] = {"x-serial": "{yyyy}{MM}-{0001}"}
    group = "advanced"
    widget = "serial"
    options: ClassVar[Mapping[str, Any]] = {
        "x-serial": {"type": "string"},
        "x-restart": {"enum": ["never", "year", "month", "day"]},
    }
