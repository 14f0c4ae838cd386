"""The numbers of a form put together of parts: texts, parts of the day, a field, and the place that counts."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.datastructures import MultiDict

from formloop.access import signing
from formloop.core import clock
from formloop.core.definitions import Doc
from formloop.core.errors import NotFound
from formloop.core.text import M, Message, localized
from formloop.definitions.views import DESIGN
from formloop.forms import serials
from formloop.forms.fields import type_of
from formloop.forms.fields.datetime import site_zone
from formloop.studio import drafting
from formloop.studio.operations import find, read_path, write_path
from formloop.studio.shapes import mapping
from formloop.web import page, viewer
from formloop.web.routes import route

blueprint = Blueprint("studio_numbering", __name__, url_prefix="/studio/<definition_id>/numbering")
MOST_PARTS = 12
COUNT = "count"
KINDS: Mapping[str, Message] = {
    "text": M("Fixed text"),
    "yyyy": M("Year, four digits"),
    "yy": M("Year, two digits"),
    "MM": M("Month"),
    "dd": M("Day of the month"),
    "field": M("Field of the record"),
    COUNT: M("Running number"),
}
RESETS = (("dd", M("each day")), ("MM", M("each month")), ("yyyy", M("each year")), ("yy", M("each year")))
_PLACE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a number: its kind, and its text, field or first number with leading zeros."""

    kind: str
    text: str = ""

    @property
    def pattern(self) -> str:
        """The part as it stands in `x-serial`."""
        if self.kind == "text":
            return re.sub(r"[{}]", "", self.text)
        if self.kind == "field":
            return f"{{{serials.FIELD}{self.text}}}"
        return f"{{{self.text if self.kind == COUNT else self.kind}}}"

    @property
    def digits(self) -> int:
        """How many digits the running number has at least."""
        return len(self.text)

    @property
    def first(self) -> int:
        """The number it begins with."""
        return int(self.text or 1)


def read(pattern: str) -> list[Part]:
    """The parts of a pattern."""
    parts: list[Part] = []
    for number, piece in enumerate(_PLACE.split(pattern)):
        if number % 2 == 0:
            parts += [Part("text", piece)] if piece else []
        elif piece.startswith(serials.FIELD):
            parts.append(Part("field", piece[1:]))
        elif piece.isascii() and piece.isdigit():
            parts.append(Part(COUNT, piece))
        elif piece in KINDS:
            parts.append(Part(piece))
    return parts[:MOST_PARTS]


def write(parts: Sequence[Part]) -> str:
    """The pattern of the parts."""
    return "".join(each.pattern for each in parts)


def restarts(parts: Sequence[Part]) -> Message:
    """When the count begins anew."""
    kinds = {each.kind for each in parts}
    return next((word for kind, word in RESETS if kind in kinds), M("never"))


def fields_of(doc: Doc, locale: str) -> list[tuple[str, str]]:
    """The fields whose text may stand in a number."""
    return [
        (key, localized(mapping(each), "title", locale) or key)
        for key, each in mapping(doc.get("properties")).items()
        if mapping(each).get("type") == "string" and type_of(mapping(each)) != "serial"
    ]


def posted(form: "MultiDict[str, str]", fields: Sequence[tuple[str, str]]) -> list[Part]:
    """The parts as the dialog sent them, after what was done last."""
    parts = [_part(form, number) for number in range(MOST_PARTS) if form.get(f"kind.{number}") in KINDS]
    act, _, place = form.get("do", "").partition(".")
    number = int(place) if place.isascii() and place.isdigit() and int(place) < len(parts) else -1
    if act == "gone" and number >= 0:
        del parts[number]
    elif act == "up" and number > 0:
        parts[number - 1 : number + 1] = parts[number], parts[number - 1]
    elif (kind := form.get("add", "")) in KINDS and len(parts) < MOST_PARTS:
        first = {COUNT: "0001", "text": "-", "field": fields[0][0] if fields else ""}
        parts.append(Part(kind, first.get(kind, "")))
    return parts


def _part(form: "MultiDict[str, str]", number: int) -> Part:
    kind, text = form[f"kind.{number}"], form.get(f"text.{number}", "")[:40]
    if kind != COUNT:
        return Part(kind, text)
    digits = form.get(f"digits.{number}", 4, type=int)
    first = form.get(f"first.{number}", 1, type=int)
    return Part(COUNT, str(max(0, min(first, 10**9))).rjust(max(1, min(digits, 12)), "0"))


@route(blueprint, "", permission=DESIGN)
def show(definition_id: str) -> Response:
    """The parts of the number at a place."""
    desk = _open(definition_id)
    found = find(desk.doc, read_path(request.args.get("at", "")), {})
    return _dialog("studio/_numbering.html", desk, request.args.get("at", ""), read(str(found or "")))


@route(blueprint, "", permission=DESIGN, methods=["POST"])
def change(definition_id: str) -> Response:
    """The parts after a change, with a sample; the draft is not touched yet."""
    desk = _open(definition_id)
    parts = posted(request.form, fields_of(desk.doc, viewer.locale()))
    return _dialog("studio/_numbering_parts.html", desk, request.form.get("at", ""), parts)


def _open(definition_id: str) -> drafting.Desk:
    desk = drafting.open_desk(signing.current(), definition_id)
    if desk.definition.kind != "form":
        raise NotFound
    return desk


def _dialog(template: str, desk: drafting.Desk, at: str, parts: list[Part]) -> Response:
    fields = fields_of(desk.doc, viewer.locale())
    pattern, words = write(parts), dict(fields)
    values: dict[str, Any] = {each.text: words.get(each.text, "") for each in parts if each.kind == "field"}
    return page.render_part(
        template,
        definition_id=desk.definition.id,
        at=write_path(read_path(at)),
        parts=parts,
        pattern=pattern,
        kinds=KINDS,
        fields=fields,
        problem=serials.check_pattern(pattern, mapping(desk.doc.get("properties"))),
        sample=serials.sample(pattern, values, clock.today(site_zone())),
        restarts=restarts(parts),
        each=", ".join(words.get(one.text, one.text) for one in parts if one.kind == "field"),
    )
