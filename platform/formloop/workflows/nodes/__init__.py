"""The kinds of steps, one a file; the start is no step: submitting is."""

from formloop.core.registry import Registry
from formloop.workflows.nodes.approval import Approval
from formloop.workflows.nodes.condition import Condition
from formloop.workflows.nodes.copy import Copy
from formloop.workflows.nodes.end import End
from formloop.workflows.spec import Node

nodes: Registry[Node] = Registry("kind of step")
for each in (Approval(), Copy(), Condition(), End()):
    nodes.add(each.name, each)

__all__ = ["nodes"]
