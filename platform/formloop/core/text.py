"""Text in two languages: messages of the code, and titles inside definitions.

A `Message` is an English sentence with named places. Its Chinese stands in the catalogue of the room
that says it (`<room>/zh_CN.po`); `load_catalogue` reads such a file once, at start.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

from babel.messages.pofile import read_po

LOCALES = ("en", "zh-CN")
_chinese: dict[str, str] = {}


class _Sayer(Formatter):
    """Puts values into places; `{count:task waits|tasks wait}` is the word that goes with one, or with several."""

    def format_field(self, value: Any, format_spec: str) -> str:
        one, several, many = format_spec.partition("|")
        if several:
            return one if value == 1 else many
        return str(super().format_field(value, format_spec))


_SAYER = _Sayer()


def put(sentence: str, places: Mapping[str, Any]) -> str:
    """The sentence with these values in its places."""
    return _SAYER.vformat(sentence, (), places) if "|" in sentence else sentence.format_map(places)


@dataclass(frozen=True, slots=True)
class Message:
    """An English sentence with `{places}`, rendered in the reader's language when it is shown."""

    msgid: str
    params: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def render(self, locale: str = "en") -> str:
        """The sentence in `locale`; a parameter that is a Message is rendered in the same one."""
        sentence = translate(self.msgid, locale)
        if not self.params:
            return sentence
        shown = {k: v.render(locale) if isinstance(v, Message) else v for k, v in self.params.items()}
        return put(sentence, shown)

    def bare(self) -> "Message":
        """The sentence without what its places would say, which may be the value of a field; titles stay."""
        if type(self) is not Message:
            return self
        return Message(
            self.msgid, {k: v.bare() if isinstance(v, Message) else "…" for k, v in self.params.items()}
        )

    def __str__(self) -> str:
        return self.render("en")


def M(msgid: str, **params: Any) -> Message:
    """Mark a sentence as text for people: `M("Line {line} has no item.", line=3)`."""
    return Message(msgid, params)


def translate(msgid: str, locale: str) -> str:
    """The sentence in `locale`, or as it stands when it has no translation."""
    return _chinese.get(msgid, msgid) if locale.startswith("zh") else msgid


def load_catalogue(path: Path) -> None:
    """Add the sentences of a gettext `.po` file in Chinese to what can be said."""
    with path.open("rb") as file:
        for entry in read_po(file, locale="zh_CN"):
            if entry.id and isinstance(entry.id, str) and isinstance(entry.string, str) and entry.string:
                _chinese[entry.id] = entry.string


@cache  # a process reads them once, however often it is told to
def load_catalogues(package: Path) -> None:
    """Load the catalogue of every room below `package`."""
    for path in sorted([*package.glob("zh_CN.po"), *package.glob("*/zh_CN.po")]):
        load_catalogue(path)


def localized(document: Mapping[str, Any], key: str, locale: str) -> str:
    """The human text `key` of a definition (`title`) in `locale`, from its translation beside it (`x-title`).

    Falls back to the English text, then to the empty string.
    """
    beside = document.get(key if key.startswith("x-") and locale == "en" else f"x-{key.removeprefix('x-')}")
    if isinstance(beside, Mapping) and beside.get(locale):
        return str(beside[locale])
    return str(document.get(key, ""))


def language_of(text: str) -> str:
    """The language of a text that stands alone: Chinese where it has a Chinese character."""
    return LOCALES[1] if any("\u3400" <= each <= "\u9fff" for each in text) else LOCALES[0]


def said_in(document: Mapping[str, Any], key: str) -> dict[str, str]:
    """The human text `key` of a definition by language; one without translation is in the language it is written in."""
    text, beside = document.get(key), document.get(f"x-{key}")
    said = {each: str(one) for each, one in beside.items() if one} if isinstance(beside, Mapping) else {}
    if isinstance(text, str) and text:
        said[LOCALES[0] if said else language_of(text)] = text
    return said


def kept_as(key: str, said: Mapping[str, str]) -> dict[str, Any]:
    """What a definition keeps of a text by language: the English, or else the only one there is, before translations."""
    others = {each: one for each, one in said.items() if one and each != LOCALES[0]}
    text = said.get(LOCALES[0]) or next(iter(others.values()), None)
    alone = text is None or said_in({key: text}, key) == {each: one for each, one in said.items() if one}
    return {key: text, f"x-{key}": None if alone else others or None}


_IN = {"en": M("{name} (English)"), "zh-CN": M("{name} (Chinese)")}


def named_in(name: str, language: str, locale: str) -> str:
    """What a text in one language is called: “Name (Chinese)”."""
    return Message(_IN[language].msgid, {"name": name}).render(locale)


def titled(title: str, chinese: str) -> dict[str, Any]:
    """What a new definition says of its name: what it is called in Chinese only where that is another name."""
    return {"title": title, **({"x-title": {LOCALES[1]: chinese}} if chinese not in ("", title) else {})}


class Titled(Message):
    """What a definition or a part of it is called, in the language it is read in; without a title `otherwise`."""

    __slots__ = ("document",)

    def __init__(self, document: Mapping[str, Any], otherwise: str = "") -> None:
        super().__init__(str(document.get("title") or otherwise), {"key": otherwise})  # titles may be alike
        object.__setattr__(self, "document", document)

    def render(self, locale: str = "en") -> str:
        """The title in `locale`, never treated as a pattern with places."""
        document: Mapping[str, Any] = object.__getattribute__(self, "document")
        return localized(document, "title", locale) or self.msgid


def join_words(said: Iterable[str], locale: str) -> str:
    """Some words one after the other."""
    return ("、" if locale.startswith("zh") else ", ").join(said)


class Listed(Message):
    """Some sentences or words one after the other, in the language they are read in."""

    __slots__ = ("members",)

    def __init__(self, members: Iterable[Message | str]) -> None:
        said = tuple(members)
        super().__init__(", ".join(str(each) for each in said), {})
        object.__setattr__(self, "members", said)

    def render(self, locale: str = "en") -> str:
        """All of them in `locale`."""
        members: tuple[Message | str, ...] = object.__getattribute__(self, "members")
        return join_words((m.render(locale) if isinstance(m, Message) else m for m in members), locale)
