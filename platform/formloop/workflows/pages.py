"""What the pages of the room share: their blueprint, words for where a case stands, and what forms send."""

from collections.abc import Iterable

from flask import Blueprint, request

from formloop.core.clock import find_id
from formloop.core.text import M, Message

blueprint = Blueprint("workflows", __name__)
MOST_PEOPLE = 2_000  # to choose from
STATUS: dict[str, tuple[Message, str, str]] = {  # word, colour, icon
    "open": (M("In approval"), "orange", "clock"),
    "stuck": (M("Stuck"), "red", "alert-triangle"),
    "returned": (M("Returned"), "orange", "arrow-back-up"),
    "approved": (M("Approved"), "green", "check"),
    "rejected": (M("Rejected"), "red", "x"),
    "withdrawn": (M("Withdrawn"), "secondary", "arrow-back-up"),
    "voided": (M("Voided"), "red", "ban"),
    "draft": (M("Draft"), "secondary", "pencil"),
}


def numbers(texts: Iterable[str], most: int = 200) -> list[int]:
    """The ids a form sent; what is none is left out."""
    return [known for each in texts if (known := find_id(each)) is not None][:most]


def number(name: str) -> int:
    """One id the form sent; 0, which nothing has, where there is none."""
    return next(iter(numbers(request.form.getlist(name))), 0)


def chosen_people() -> dict[str, list[int]]:
    """People picked for later steps: `chosen.<step>` of the posted form."""
    names = [name for name in request.form if name.startswith("chosen.")]
    return {name.removeprefix("chosen."): numbers(request.form.getlist(name)) for name in names}
