"""A running number that people can read."""

from collections.abc import Mapping
from typing import Any, ClassVar

from formloop.core.text import M
from formloop.forms.fields.text import TextField


class Serial(TextField):
    """`x-serial` is the pattern: `SO{yyyy}{MM}-{0001}`; the count starts anew whenever the dated part changes.
    `{=region}` puts a text field of the record in it; each such text has a count of its own.

    The number is given when the record is saved. A record that comes with one (an import) keeps it.
    """

    name = "serial"
    title = M("Serial number")
    icon = "list-numbers"
    unused: ClassVar[tuple[str, ...]] = (
        "x-formula",
        "minLength",
        "maxLength",
        "pattern",
        "x-scan",
        "required",
        "default",
        "x-default",
        "readOnly",
        "x-unique",
        "x-required",
        "x-readonly",
    )
    sample: ClassVar[Mapping[str, Any]] = {"x-serial": "{yyyy}{MM}-{0001}"}
    group = "advanced"
    widget = "serial"
    options: ClassVar[Mapping[str, Any]] = {"x-serial": {"type": "string"}}
