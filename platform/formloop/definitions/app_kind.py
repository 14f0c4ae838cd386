"""The kind of definition "app": an application's names, icon, colour, menu and what it opens with."""

from pathlib import Path

from formloop.core.definitions import Doc, Kind, kinds, load_schema, name_pattern
from formloop.core.text import M, localized
from formloop.definitions.apps import ORDER, App, Page


def references(doc: Doc) -> set[tuple[str, str]]:
    """What it opens with. Its menu is an order only: what is not there any more is left out."""
    return {read_page(doc["home"])} if "home" in doc else set()


def prepare(doc: Doc, _version: int) -> App:
    """What runs of an application."""
    return App(
        doc["x-key"],
        localized(doc, "title", "en"),
        localized(doc, "title", "zh-CN"),
        doc.get("order", ORDER),
        doc.get("icon", "apps"),
        doc.get("color", "blue"),
        read_page(doc["home"]) if "home" in doc else None,
        tuple(map(read_page, doc.get("menu", ()))),
        (localized(doc, "description", "en"), localized(doc, "description", "zh-CN")),
    )


def read_page(said: str) -> Page:
    """Kind and key of a page, said as "form:order"."""
    kind, _, key = said.partition(":")
    return kind, key


APP = kinds.add(
    "app",
    Kind(
        name="app",
        title=M("Application"),
        schema=load_schema("app", Path(__file__).with_name("app_schema.json")),
        references=references,
        prepare=prepare,
        identities={"menu": ""},
    ),
)

name_pattern(
    r"^[a-z0-9-]{1,40}$",
    M("“{value}” is no icon."),
)
name_pattern(
    r"^(form|dataset):[a-z][a-z0-9_]{0,40}$",
    M("“{value}” is neither a form nor a dataset."),
)
