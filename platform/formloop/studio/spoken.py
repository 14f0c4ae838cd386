"""A text of a definition asked for in each language: what is typed under a language is kept for that language."""

from dataclasses import replace

from formloop.core.text import LOCALES, localized, named_in, said_in
from formloop.studio.inputs import Input
from formloop.studio.shapes import mapping


def spoken(key: str, locale: str, made: Input, named: Input) -> Input:
    """The input of the text `key` in one language, called like `named` with that language behind."""

    def title(reader: str) -> str:
        return named_in(localized(named.field, "title", reader), locale, reader)

    titles = {"title": title(LOCALES[0]), "x-title": {each: title(each) for each in LOCALES[1:]}}
    return replace(
        made,
        field={**made.field, **titles},
        shown=lambda said: made.shown(said_in(mapping(said), key).get(locale)),
        language=locale,
    )
