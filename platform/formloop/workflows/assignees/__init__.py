"""The ways to choose people, one a file. `stand_in` is the person named for when nobody is found."""

from formloop.core.registry import Registry
from formloop.workflows.assignees.department import InDepartment
from formloop.workflows.assignees.head import Head
from formloop.workflows.assignees.initiator import Initiator
from formloop.workflows.assignees.member_field import MemberField
from formloop.workflows.assignees.people import People
from formloop.workflows.assignees.role import WithRole
from formloop.workflows.spec import AssigneeRule

rules: Registry[AssigneeRule] = Registry("way to choose people")
for each in (People(), WithRole(), InDepartment(), Head(), Initiator(), MemberField()):
    rules.add(each.name, each)

__all__ = ["rules"]
