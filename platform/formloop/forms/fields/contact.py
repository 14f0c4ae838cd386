"""Ways to reach somebody: a phone number, an e-mail address, a web address."""

from collections.abc import Mapping
from typing import Any, ClassVar

import re2

from formloop.core.text import M, Message
from formloop.forms.fields.text import TextField
from formloop.forms.spec import Field

_FORMS: Mapping[str, tuple[str, Message]] = {
    "email": (
        r"^[^\s@<>\"(),:;]+@[^\s@<>\"(),:;.]+(\.[^\s@<>\"(),:;.]+)+$",
        M("This is not an e-mail address."),
    ),
    "phone": (r"^\+?[0-9][0-9 ()./x#-]{3,30}$", M("This is not a phone number.")),
    "uri": (r"^https?://[^\s/?#]+\S*$", M("This is not a web address; it begins with https://.")),
}
_LINKS = {"email": "mailto:", "phone": "tel:", "uri": ""}


class Contact(TextField):
    """`format` says which: email, phone or uri. Shown as a link that writes, calls or opens."""

    name = "contact"
    title = M("Phone, e-mail or link")
    icon = "address-book"
    unused: ClassVar[tuple[str, ...]] = ("minLength", "maxLength", "x-formula")
    sample: ClassVar[Mapping[str, Any]] = {"format": "phone"}
    widget = "contact"
    options: ClassVar[Mapping[str, Any]] = {"format": {"enum": ["email", "phone", "uri"]}}

    def read(self, field: Field, raw: Any) -> Any:
        text = super().read(field, raw)
        if (
            text
            and field.schema.get("format") == "uri"
            and "://" not in text
            and "." in text
            and " " not in text
        ):
            return f"https://{text}"
        return text

    def check(self, field: Field, value: Any) -> Message | None:
        pattern, message = _FORMS.get(field.schema.get("format", ""), _FORMS["phone"])
        return super().check(field, value) if re2.search(pattern, value) else message

    def link(self, field: Field, value: str) -> str:
        """Where a click on it leads; nothing for what could be dangerous."""
        kind = field.schema.get("format", "phone")
        pattern, _ = _FORMS.get(kind, _FORMS["phone"])
        return _LINKS.get(kind, "tel:") + value.replace(" ", "") if re2.search(pattern, value) else ""
