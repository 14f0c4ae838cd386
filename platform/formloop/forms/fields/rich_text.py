"""Text with headings, lists, links: kept as HTML that has been cleaned."""

import html
import re
from collections.abc import Mapping
from typing import Any

import nh3

from formloop.core.text import M
from formloop.forms.fields.multiline import Multiline
from formloop.forms.spec import Field

_TAGS = {"p", "br", "h3", "h4", "strong", "em", "u", "s", "ul", "ol", "li", "blockquote", "code", "pre", "a"}
_TAG = re.compile(r"<[^>]*>")
_BREAK = re.compile(r"</?(?:p|br|h[1-6]|li|ul|ol|blockquote|pre)\b[^>]*>", re.IGNORECASE)


class RichText(Multiline):
    """HTML of a few harmless tags; scripts, styles and pictures are taken out when it is read."""

    name = "rich_text"
    title = M("Rich text")
    icon = "text-size"
    widget = "rich_text"
    operators = ("contains", "empty", "filled")
    longest = 100_000
    unused = (*Multiline.unused, "x-formula")

    def read(self, field: Field, raw: Any) -> Any:
        text = super().read(field, raw)
        cleaned = None if text is None else clean(text)
        return cleaned if cleaned and plain_text(cleaned) else None

    def show(self, field: Field, value: Any, locale: str, names: Mapping[Any, str] | None = None) -> str:
        return "" if value is None else plain_text(value)

    @staticmethod
    def safe_html(value: Any) -> str:
        """The value as a page shows it, cleaned once more whoever wrote it."""
        return clean(str(value or ""))


def clean(text: str) -> str:
    """`text` with harmless tags only; links open without telling where they came from."""
    return nh3.clean(
        text, tags=_TAGS, attributes={"a": {"href"}}, url_schemes={"http", "https", "mailto", "tel"}
    ).strip()


def plain_text(text: str) -> str:
    """The words of some HTML in one line."""
    return " ".join(html.unescape(_TAG.sub("", _BREAK.sub(" ", text))).split())
