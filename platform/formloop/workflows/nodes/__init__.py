"""The kinds of steps, one a file; the start is no step: submitting is."""

from formloop.core.registry import Registry
from formloop.workflows.nodes.approval import Approval
from formloop.workflows.nodes.calculate import Calculate
from formloop.workflows.nodes.condition import Condition
from formloop.workflows.nodes.copy import Copy
from formloop.workflows.nodes.data import WorkOnRecords
from formloop.workflows.nodes.end import End
from formloop.workflows.nodes.handle import Handle
from formloop.workflows.nodes.http import HttpCall
from formloop.workflows.nodes.inclusive import Inclusive
from formloop.workflows.nodes.loop import Loop
from formloop.workflows.nodes.message import SendMessage
from formloop.workflows.nodes.parallel import Parallel
from formloop.workflows.nodes.plan import RunPlan
from formloop.workflows.nodes.subflow import SubFlow
from formloop.workflows.nodes.wait import Wait
from formloop.workflows.spec import Node

nodes: Registry[Node] = Registry("kind of step")
for each in (
    Approval(),
    Handle(),
    Copy(),
    SendMessage(),
    Condition(),
    Parallel(),
    Inclusive(),
    Loop(),
    Wait(),
    SubFlow(),
    WorkOnRecords(),
    Calculate(),
    RunPlan(),
    HttpCall(),
    End(),
):
    nodes.add(each.name, each)

__all__ = ["nodes"]
