"""The person the expression is calculated for."""

from decimal import Decimal

from formloop.core.expression.context import Context
from formloop.core.expression.functions.spec import Group

people = Group("people")


@people(
    "USER() -> number", "The id of the person at work.", "当前用户的编号。", "USER()", "7", contextual=True
)
def user(context: Context) -> Decimal | None:
    return None if context.person is None else Decimal(context.person)


@people(
    "MY_DEPARTMENT() -> number",
    "The id of the person's department.",
    "当前用户所在部门的编号。",
    "MY_DEPARTMENT()",
    "3",
    contextual=True,
)
def my_department(context: Context) -> Decimal | None:
    return None if context.department is None else Decimal(context.department)


@people(
    "MY_DEPARTMENTS() -> [number]",
    "The person's department and all below it.",
    "当前用户的部门及其下级部门。",
    "COUNT(MY_DEPARTMENTS())",
    "2",
    contextual=True,
)
def my_departments(context: Context) -> list[Decimal]:
    return [Decimal(id_) for id_ in sorted(context.departments)]


@people(
    "HAS_ROLE(role: text) -> bool",
    "Whether the person has a role, named by its key.",
    "当前用户是否具有某角色（按键名）。",
    'HAS_ROLE("planner")',
    "TRUE",
    contextual=True,
)
def has_role(context: Context, role: str) -> bool:
    return role in context.roles


@people(
    "IN_DEPARTMENT(department: number) -> bool",
    "Whether a department is the person's own or below it.",
    "某部门是否为当前用户的部门或其下级。",
    "IN_DEPARTMENT(4)",
    "TRUE",
    contextual=True,
    form=lambda sql, node: sql.one_of(node, sql.context.departments),
)
def in_department(context: Context, department: Decimal) -> bool:
    return department in context.departments
