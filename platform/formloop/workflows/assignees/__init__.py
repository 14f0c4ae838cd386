"""The ways to choose people, one a file. `stand_in` is the person named for when nobody is found."""

from formloop.core.registry import Registry
from formloop.workflows.assignees.chosen import Chosen
from formloop.workflows.assignees.department import InDepartment
from formloop.workflows.assignees.department_field import DepartmentField
from formloop.workflows.assignees.expression import ByExpression
from formloop.workflows.assignees.head import Head
from formloop.workflows.assignees.initiator import Initiator
from formloop.workflows.assignees.line import Line
from formloop.workflows.assignees.member_field import MemberField
from formloop.workflows.assignees.people import People
from formloop.workflows.assignees.role import WithRole
from formloop.workflows.assignees.same import SameAs
from formloop.workflows.spec import AssigneeRule

rules: Registry[AssigneeRule] = Registry("way to choose people")
for each in (
    People(),
    WithRole(),
    InDepartment(),
    Head(),
    Line(),
    Initiator(),
    Chosen(),
    MemberField(),
    DepartmentField(),
    SameAs(),
    ByExpression(),
):
    rules.add(each.name, each)

__all__ = ["rules"]
