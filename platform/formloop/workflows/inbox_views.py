"""The pages of the inbox."""

from typing import Any

from flask import Response, request, url_for

from formloop.access.actor import Actor
from formloop.access.signing import current
from formloop.core.text import M, Message
from formloop.web import htmx, page, viewer
from formloop.web.routes import route
from formloop.workflows import inbox, narrowing, service
from formloop.workflows.batches import say
from formloop.workflows.pages import STATUS, blueprint, numbers

BATCH = {  # said when all went well, and when some did not
    "approve": (M("{count} approved."), M("{count} approved, {refused} not: {reason}")),
    "reject": (M("{count} rejected."), M("{count} rejected, {refused} not: {reason}")),
}


@route(blueprint, "/inbox", permission="signed-in")
def show_inbox() -> Response:
    """One tab of the inbox."""
    return inbox_page(current(), request.args)


def inbox_page(actor: Actor, args: Any, status: int = 200) -> Response:
    """A tab as `args` of the address want it."""
    tab, locale = args.get("tab", "todo"), viewer.locale()
    wanted = narrowing.read_wanted(args)
    found = inbox.list_tab(actor, tab, locale, wanted, args.get("after", type=int))
    said = {"tab": tab, **{key: value for key, value in args.items() if key in narrowing.FILTERS and value}}
    more = url_for("workflows.show_inbox", **said, after=found.next) if found.next else None
    count = inbox.count_todo(actor)
    return page.render(
        "workflows/inbox.html",
        "workflows/_rows.html" if args.get("after") else "workflows/_inbox.html",
        status=status,
        tab=tab,
        title=inbox.TABS[tab],
        tabs=_tabs(count),
        here=url_for("workflows.show_inbox", tab=tab),
        rows=found.rows,
        more=more,
        said=said,
        filtered=len(said) > 1,
        workflows=narrowing.list_workflows(locale),
        steps=narrowing.list_steps(args.get("workflow", ""), locale),
        count=count,
        choosing=bool(args.get("after")) or found.next is not None or any(r.may_approve for r in found.rows),
        status_of=STATUS,
    )


def _tabs(count: int) -> list[dict[str, Any]]:
    return [
        {
            "label": title,
            "url": url_for("workflows.show_inbox", tab=key),
            "count": count if key == "todo" else 0,
        }
        for key, title in inbox.TABS.items()
    ]


@route(blueprint, "/inbox/<any(approve, reject):action>", permission="signed-in", methods=["POST"])
def decide_many(action: str) -> Response:
    """Approve or reject the chosen tasks, each on its own; what was refused is told."""
    actor = current()
    chosen = numbers(request.form.getlist("task"))
    if not chosen:
        return after(actor, M("Choose the tasks first."), "warning")
    batch = service.decide_many(actor, chosen, action, request.form.get("comment", ""))
    return after(actor, *say(batch, *BATCH[action]))


def after(actor: Actor, said: Message, kind: str = "success") -> Response:
    """Back in the inbox: the list anew for htmx, the page otherwise."""
    if htmx.wants_part() and request.headers.get("HX-Target") == "inbox":
        return htmx.toast(inbox_page(actor, request.args), said, kind)
    return page.redirect(url_for("workflows.show_inbox"), said, kind)
