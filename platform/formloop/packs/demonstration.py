"""The demo: people to sign in as, every pack with its sample data, and what these people have done so far."""

from flask import current_app

from formloop.access import people, personas
from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.core.text import localized
from formloop.db import transactional
from formloop.packs import scenario, service
from formloop.settings import Settings


def prepare(settings: Settings) -> None:
    """Mark the site as a demo, which allows signing in as its people from this machine."""
    (settings.instance / "demo").touch()


@transactional
def fill(if_needed: bool = False) -> bool:
    """Make the people and install every shipped pack with sample data; False when people of it were there already.

    `if_needed`: then nothing is done.
    """
    demo = personas.read_demo(current_app.config["SETTINGS"])
    there = any(people.find_person(account) for account in demo.accounts)
    if there and if_needed:
        return False
    _add_people()
    for card in service.list_cards():
        service.install(SYSTEM, card.pack)
    return not there


def play() -> None:
    """Let the people of the demo have traded for a month, as `demo_story.json` beside the packs tells it."""
    story = current_app.config["SETTINGS"].packs / "demo_story.json"
    if story.is_file() and (problems := scenario.play(scenario.read(story))):
        raise Invalid(problems)


def _add_people() -> None:
    demo = personas.read_demo(current_app.config["SETTINGS"])
    departments: dict[str, int] = {d.key: d.id for d in people.list_departments()}
    for each in demo.departments:
        if each["key"] not in departments:
            above = departments.get(each.get("parent", ""))
            departments[each["key"]] = people.add_department(
                SYSTEM,
                each["key"],
                each["title"],
                name_zh=localized(each, "title", "zh-CN"),
                parent=above,
            )
    ids: dict[str, int] = {}
    for each in demo.people:
        known = people.find_person(each["account"])
        ids[each["account"]] = (
            known.id
            if known
            else people.add_person(
                SYSTEM,
                each["account"],
                each["name"],
                department_id=departments[each["department"]],
                roles=each["roles"],
                administrator=each.get("administrator", False),
            )
        )
    for each in demo.departments:
        people.change_department(SYSTEM, departments[each["key"]], head=ids[each["head"]])
