"""Why a delivery failed, kept so that everybody can read it in their own language."""

from formloop.core import json_text
from formloop.core.text import LOCALES, Message

_LONGEST = 2000


def written(reason: str | Message) -> str:
    """A reason as the database keeps it: in all languages when it has them."""
    if isinstance(reason, str):
        return reason[:_LONGEST]
    return json_text.dumps({locale: reason.render(locale)[:_LONGEST] for locale in LOCALES})


def read(kept: str | None, locale: str) -> str:
    """The reason in `locale`."""
    if not kept or not kept.startswith('{"en"'):
        return kept or ""
    return str(json_text.loads(kept).get(locale, ""))


class Kept(Message):
    """A reason as the database keeps it, to be said within another sentence in the language that is read in."""

    __slots__ = ()

    def render(self, locale: str = "en") -> str:
        """The reason in `locale`."""
        return read(self.msgid, locale)
