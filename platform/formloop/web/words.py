"""What templates may call: `_` and the filters, always in the language of the viewer."""

from typing import Any

from flask import Flask
from markupsafe import Markup, escape

from formloop.core import clock
from formloop.core.text import Message, localized, put, translate
from formloop.web import formats, viewer

TINTS = ("blue", "green", "orange", "red", "purple", "cyan", "pink", "teal")


def say(msgid: str, **places: Any) -> str:
    """`_("{count} lines", count=3)` in a template: the sentence in the viewer's language."""
    sentence = translate(msgid, viewer.locale())
    if not places:
        return sentence
    if any(isinstance(value, Markup) for value in places.values()):
        return escape(sentence).format_map(places)  # which escapes the places that are not markup
    return put(sentence, {name: finalize(value) for name, value in places.items()})


def finalize(value: Any) -> Any:
    """What `{{ value }}` writes: a Message in the viewer's language, everything else as it is."""
    return value.render(viewer.locale()) if isinstance(value, Message) else value


def title_of(document: Any, key: str = "title") -> str:
    """The title of a definition in the viewer's language."""
    return localized(document, key, viewer.locale())


def initial_of(name: str) -> str:
    """The letter on an avatar."""
    return name.strip()[:1].upper() or "?"


def tint_of(name: str) -> str:
    """A colour that stays the same for the same name."""
    return TINTS[sum(map(ord, name)) % len(TINTS)]


def attributes(**values: Any) -> Markup:
    """HTML attributes: True gives the bare name, None and False give nothing, `_` in names becomes `-`."""
    parts = [
        escape(name.strip("_").replace("_", "-"))
        + ("" if value is True else Markup('="{}"').format(finalize(value)))
        for name, value in values.items()
        if value is not None and value is not False
    ]
    return Markup(" ").join(parts)


def init_app(app: Flask) -> None:
    """Give the templates of `app` their words."""
    app.jinja_env.finalize = finalize
    app.jinja_env.globals.update(
        _=say, attributes=attributes, viewer=viewer.viewer, new_secret=clock.new_secret
    )
    app.jinja_env.filters.update(
        say=finalize,
        title_of=title_of,
        initial=initial_of,
        tint=tint_of,
        number=formats.format_number,
        amount=formats.format_amount,
        date=formats.format_date,
        datetime=formats.format_datetime,
        ago=formats.format_ago,
        duration=formats.format_duration,
    )
