"""Pictures."""

from formloop.core.text import M
from formloop.forms.fields.attachment import Attachment


class Image(Attachment):
    """Like an attachment, for pictures only, and they are shown."""

    name = "image"
    title = M("Image")
    icon = "photo"
    accept = (".png", ".jpg", ".jpeg", ".gif", ".webp")
