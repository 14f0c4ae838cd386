"""A signature, written with a finger or the mouse."""

from formloop.core.text import M
from formloop.forms.fields.attachment import Attachment
from formloop.forms.spec import Field


class Signature(Attachment):
    """One picture, drawn in the page."""

    name = "signature"
    title = M("Signature")
    icon = "writing-sign"
    widget = "signature"
    accept = (".png",)
    unused = (*Attachment.unused, "minItems", "maxItems", "x-accept", "x-max-mb")

    def most_bytes(self, field: Field) -> int:
        return 1024 * 1024
