"""The demo: five people to sign in as, and every pack with its sample data."""

from formloop.access import people
from formloop.access.actor import SYSTEM
from formloop.db import transactional
from formloop.packs import service
from formloop.settings import Settings

# account, name, department, roles, administrator
PERSONAS = (
    ("administrator", "Ann Admin 安敏", "management", ("sales_manager",), True),
    ("approver", "Alan Chief 陈主管", "sales", ("sales_manager", "staff"), False),
    ("seller", "Sally Seller 林小姐", "sales", ("seller", "staff"), False),
    ("planner", "Paul Planner 彭计划", "planning", ("planner", "staff"), False),
    ("builder", "Bella Builder 白搭建", "management", ("builder", "master_keeper", "staff"), False),
)
DEPARTMENTS = (
    ("management", "Management", "管理部", None, "administrator"),
    ("sales", "Sales", "销售部", "management", "approver"),
    ("planning", "Planning", "计划部", "management", "planner"),
)


def prepare(settings: Settings) -> None:
    """Mark the site as a demo, which allows signing in as its people from this machine."""
    (settings.instance / "demo").touch()


@transactional
def fill(if_needed: bool = False) -> bool:
    """Make the people and install every shipped pack with sample data; False when it was there already."""
    if people.find_person("administrator") is not None and if_needed:
        return False
    _add_people()
    for card in service.list_cards():
        service.install(SYSTEM, card.pack)
    return True


def _add_people() -> None:
    departments: dict[str, int] = {d.key: d.id for d in people.list_departments()}
    for key, name, name_zh, parent, _ in DEPARTMENTS:
        if key not in departments:
            above = departments.get(parent or "")
            departments[key] = people.add_department(SYSTEM, key, name, name_zh=name_zh, parent=above)
    ids: dict[str, int] = {}
    for account, name, department, roles, administrator in PERSONAS:
        known = people.find_person(account)
        ids[account] = (
            known.id
            if known
            else people.add_person(
                SYSTEM,
                account,
                name,
                department_id=departments[department],
                roles=roles,
                administrator=administrator,
            )
        )
    for key, *_, head in DEPARTMENTS:
        people.change_department(SYSTEM, departments[key], head=ids[head])
