"""WeCom group robots. Protocol: WeCom developer centre, "Group robot configuration"."""

from collections.abc import Mapping
from typing import Any

from formloop.bridges.connectors.letters import GroupRobot, Letter
from formloop.core.text import M
from formloop.settings import Robot


class WeCom(GroupRobot):
    """A robot of a WeCom group 企业微信."""

    name = "wecom"
    title = M("WeCom")
    busy = frozenset({45009, 45033})

    def write(self, robot: Robot, letter: Letter) -> tuple[str, Mapping[str, Any]]:
        text: dict[str, Any] = {"content": letter.text}
        if letter.phone:
            text["mentioned_mobile_list"] = [letter.phone]
        return robot.url, {"msgtype": "text", "text": text}
