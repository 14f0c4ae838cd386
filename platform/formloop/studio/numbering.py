"""The numbers of a form put together of parts: texts, parts of the day, a field, and the place that counts."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
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
from formloop.studio.designer import Gesture, Made
from formloop.studio.operations import Operation, apply, find, read_path, write_path
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
RESTARTS: Mapping[str, Message] = {
    "": M("with the finest part of the day in it"),
    "day": M("each day"),
    "month": M("each month"),
    "year": M("each year"),
    "never": M("never"),
}
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


def restarts(pattern: str, restart: str = "") -> Message:
    """When the count begins anew."""
    return RESTARTS[restart or serials.finest(pattern)]


def examples(pattern: str, restart: str, values: Mapping[str, Any], day: date) -> list[tuple[Message, str]]:
    """The first two numbers of a day, and those that the next day, month and year would go on with."""
    most = restart or serials.finest(pattern)
    month = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    later = (
        (M("the next one"), day, ""),
        (M("next day"), day + timedelta(days=1), "day"),
        (M("next month"), month, "month"),
        (M("next year"), date(day.year + 1, 1, 1), "year"),
    )
    found = [(M("the first one"), serials.sample(pattern, values, day))]
    for count, (words, then, part) in enumerate(later, 1):
        anew = bool(part) and serials.RESTARTS.index(part) <= serials.RESTARTS.index(most)
        anew = anew or (
            bool(part) and serials.dated(pattern, then, most) != serials.dated(pattern, day, most)
        )
        found.append((words, serials.sample(pattern, values, then, 0 if anew else count)))
    return found


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
    at, parts = request.args.get("at", ""), read(str(found or ""))
    said = mapping(find(desk.doc, read_path(at)[:-1], {})).get("x-restart")
    return _dialog("studio/_numbering.html", desk, at, parts, said)


@route(blueprint, "", permission=DESIGN, methods=["POST"])
def change(definition_id: str) -> Response:
    """The parts after a change, with a sample; the draft is not touched yet."""
    desk = _open(definition_id)
    parts = posted(request.form, fields_of(desk.doc, viewer.locale()))
    restart = request.form.get("restart")
    return _dialog("studio/_numbering_parts.html", desk, request.form.get("at", ""), parts, restart)


def _open(definition_id: str) -> drafting.Desk:
    desk = drafting.open_desk(signing.current(), definition_id)
    if desk.definition.kind != "form":
        raise NotFound
    return desk


def write_numbering(gesture: Gesture) -> Made:
    """Keep the number that the dialog put together, and when its count starts anew."""
    at, restart = gesture.at, gesture.text("restart")
    again = (*at[:-1], "x-restart")
    there = find(gesture.around.doc, again, gesture.around.kind.identities) is not None
    changes = [Operation("set", at, gesture.text("pattern")[:100])]
    if restart in serials.RESTARTS:
        changes.append(Operation("set", again, restart))
    elif there:
        changes.append(Operation("remove", again))
    doc, _ = apply(gesture.around.doc, changes, gesture.around.kind.identities)
    return doc, at[:-1]


def _dialog(template: str, desk: drafting.Desk, at: str, parts: list[Part], said: Any) -> Response:
    restart = said if said in serials.RESTARTS else ""
    today = clock.today(site_zone())
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
        problem=serials.check_pattern(pattern, mapping(desk.doc.get("properties")), restart),
        examples=examples(pattern, restart, values, today),
        restart=restart,
        choices=RESTARTS,
        restarts=restarts(pattern, restart),
        each=", ".join(words.get(one.text, one.text) for one in parts if one.kind == "field"),
    )
