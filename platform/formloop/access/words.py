"""What actions, parts of the site and audited deeds are called, and grants as sentences."""

from formloop.core.text import M, Message, join_words

ACTION_TITLES = {
    "view": M("see"),
    "create": M("create"),
    "edit": M("edit"),
    "delete": M("delete"),
    "purge": M("delete for ever"),
    "submit": M("submit"),
    "amend": M("propose changes"),
    "import": M("import"),
    "export": M("export"),
    "print": M("print"),
    "comment": M("comment"),
    "design": M("design"),
    "manage": M("manage"),
    "install": M("install"),
    "repair": M("repair"),
    "close": M("close periods"),
}
SITE_TITLES = {
    "definition": M("Definitions of forms, flows and roles"),
    "people": M("People and departments"),
    "site": M("The whole site"),
    "pack": M("Packs of the template centre"),
    "audit": M("The audit trail"),
}
DEEDS = {
    "person.added": M("Person added"),
    "person.changed": M("Person changed"),
    "person.link": M("Password link made"),
    "department.added": M("Department added"),
    "department.changed": M("Department changed"),
    "signed_in": M("Signed in"),
    "sessions.ended": M("Sessions ended"),
    "token.added": M("API token made"),
    "token.revoked": M("API token revoked"),
    "definition.published": M("Definition published"),
    "definition.archived": M("Definition archived"),
    "definition.taken_back": M("Definition taken back"),
    "definition.moved": M("Definition moved to another application"),
    "pack.installed": M("Pack installed"),
    "definition.draft_discarded": M("Draft dropped"),
    "role.given": M("Role given"),
    "record.purged": M("Record deleted for ever"),
    "record.shared": M("Link to a record made"),
    "record.unshared": M("Links to a record taken back"),
    "record.filled_by_link": M("Record filled in by link"),
    "message.retried": M("Message tried again"),
    "message.retried_all": M("Messages tried again"),
    "message.cancelled": M("Message given up"),
    "delegation.added": M("Deputy named"),
    "delegation.removed": M("Deputy taken back"),
    "calendar.day": M("Working day changed"),
    "case.moved": M("Approval moved to another version"),
    "case.restarted": M("Approval begun again"),
    "case.reassigned": M("Task given to somebody else"),
    "case.assigned": M("Somebody named to decide"),
    "case.resumed": M("Approval resumed"),
    "case.skipped": M("Step passed over"),
    "case.ended": M("Approval ended"),
    "case.voided": M("Approval voided"),
    "period.closed": M("Period closed"),
    "period.reopened": M("Period opened again"),
    "case.reactivated": M("Approval brought back"),
}


def action_title(action: str) -> Message | str:
    """What an action is called."""
    return ACTION_TITLES.get(action, action)


def deed_title(action: str) -> Message | str:
    """What an audited deed is called; its code when it has no name here."""
    return DEEDS.get(action, action)


def list_actions(actions: frozenset[str], locale: str) -> str:
    """The actions of a grant, in the order in which people think of them."""
    ordered = [*(each for each in ACTION_TITLES if each in actions), *sorted(actions - set(ACTION_TITLES))]
    said = [ACTION_TITLES[each].render(locale) if each in ACTION_TITLES else each for each in ordered]
    return join_words(said, locale)
