"""The guide inside the program: a sentence for each panel of the designers, and the pages it leads to."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path as File

from flask import Blueprint, Response, abort, current_app, url_for
from markdown_it import MarkdownIt
from werkzeug.security import safe_join

from formloop.core.definitions import Path
from formloop.core.text import M, Message
from formloop.web import page
from formloop.web.routes import route

blueprint = Blueprint("guide", __name__, url_prefix="/help")


@dataclass(frozen=True, slots=True)
class Help:
    """What a panel is for. `within` is the part of the definition it belongs to, "" any; `at` its page of the guide."""

    within: str
    says: Message
    at: str

    def page(self, kind: str, locale: str) -> str:
        """Where the guide says more: in the reader's language where there is such a page."""
        return CHINESE.get(kind, self.at) if locale == "zh-CN" else self.at


CHINESE: Mapping[str, str] = {  # the pages for builders that are there in Chinese, by kind
    "form": "zh-CN/form.md",
    "workflow": "zh-CN/approval.md",
    "bridge": "zh-CN/bridge.md",
    "dataset": "zh-CN/dataset.md",
    "ledger": "zh-CN/ledger.md",
    "posting": "zh-CN/posting.md",
    "plan": "zh-CN/plan.md",
    "app": "zh-CN/app.md",
    "role": "zh-CN/rights.md",
}


HELPS: Mapping[str, tuple[Help, ...]] = {
    "form": (
        Help(
            "x-list",
            M("How the list of records looks: columns, order, filters."),
            "guide/forms.md#the-whole-form",
        ),
        Help(
            "x-layout",
            M("A section, tab, divider or explanation: what it is called, and whether it begins folded."),
            "guide/studio.md#forms",
        ),
        Help(
            "properties",
            M("One field: its label, whether it must be filled in, how it is calculated, when it shows."),
            "guide/forms.md#fields",
        ),
        Help(
            "",
            M("What belongs to the form as a whole: its name, states, and rules over several fields."),
            "guide/forms.md#the-whole-form",
        ),
    ),
    "workflow": (
        Help("branches", M("A branch is taken when its condition holds."), "guide/studio.md#workflows"),
        Help(
            "steps",
            M("One step: who is asked, how they decide, what they see, and by when."),
            "guide/studio.md#workflows",
        ),
        Help(
            "",
            M("The workflow as a whole: its form, and the states a record comes to on its way."),
            "guide/studio.md#workflows",
        ),
    ),
    "bridge": (
        Help(
            "",
            M("When the bridge runs, for which lines, how a record is found again, and what if it fails."),
            "guide/bridges.md#connecting-two-forms",
        ),
    ),
    "ledger": (
        Help(
            "",
            M(
                "A book of entries: what it tells apart (dimensions), what it counts (measures), what must hold."
            ),
            "guide/ledgers.md#a-ledger",
        ),
    ),
    "posting": (
        Help(
            "", M("When a record is entered into which ledger, and how much."), "guide/ledgers.md#a-posting"
        ),
    ),
    "dataset": (
        Help("", M("A saved query: where it reads, what it filters, groups and sums."), "guide/datasets.md"),
    ),
    "plan": (
        Help("", M("A calculation: what it reads, which operator, and where results go."), "guide/plans.md"),
    ),
    "app": (
        Help(
            "",
            M("An application: its name, its icon, the order of its menu, and what it opens with."),
            "guide/packs.md#applications",
        ),
    ),
    "role": (
        Help(
            "",
            M("Who has this role may do what is listed here, with these records and fields."),
            "guide/access.md",
        ),
    ),
}


def explain(kind: str, at: Path) -> Help | None:
    """The sentence for a place of a definition: the first whose part the place lies in."""
    parts = {"", *at[:1], *at[-2:-1]}
    return next((each for each in HELPS.get(kind, ()) if each.within in parts), None)


@route(blueprint, "/<path:name>", permission="signed-in")
def show(name: str) -> Response:
    """A page of the documentation."""
    found = safe_join(str(current_app.config["SETTINGS"].docs), name)
    if found is None or not name.endswith(".md") or not File(found).is_file():
        abort(404)
    title, text = _read(found)
    chinese = name.startswith("zh-CN/")
    index = url_for("guide.show", name="zh-CN/README.md" if chinese else "README.md")
    language = "zh-CN" if chinese else "en"
    return page.render("studio/guide.html", title=title, text=text, index=index, language=language)


@lru_cache(maxsize=100)
def _read(file: str) -> tuple[str, str]:
    """Title and HTML of a page; each heading has the address that links to it use."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(File(file).read_text("utf-8"))
    title = ""
    for place, token in enumerate(tokens):
        token.attrs.pop("style", None)  # the policy of our pages allows none
        if token.type == "heading_open":
            said = tokens[place + 1].content
            token.attrs["id"] = re.sub(r"[^\w\- ]", "", said.lower()).replace(" ", "-")
            title = title or said
    return title, markdown.renderer.render(tokens, markdown.options, {})
