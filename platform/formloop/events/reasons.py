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


class Guarded(Message):
    """A reason that quotes no value, for everybody; `exact` quotes them, for those who may see every field."""

    __slots__ = ("exact",)
    exact: Message

    def __init__(self, exact: Message) -> None:
        bare = exact.bare()
        super().__init__(bare.msgid, bare.params)
        object.__setattr__(self, "exact", exact)


def detail_of(reason: str | Message) -> dict[str, str]:
    """A reason as a history keeps it: for everybody, and where that leaves values out for those who may see all."""
    if isinstance(reason, Guarded) and reason.exact != Message(reason.msgid, reason.params):
        return {"reason": written(reason), "exact": written(reason.exact)}
    return {"reason": written(reason)} if reason else {}


class Kept(Message):
    """A reason as the database keeps it, to be said within another sentence in the language that is read in."""

    __slots__ = ()

    def render(self, locale: str = "en") -> str:
        """The reason in `locale`."""
        return read(self.msgid, locale)
