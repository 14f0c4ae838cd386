"""DingTalk group robots. Protocol: DingTalk open platform, "Custom robot access" (signature: HMAC-SHA256)."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

from formloop.bridges.connectors.letters import GroupRobot, Letter
from formloop.core import clock
from formloop.core.text import M
from formloop.settings import Robot


class DingTalk(GroupRobot):
    """A robot of a DingTalk group 钉钉."""

    name = "dingtalk"
    title = M("DingTalk")
    busy = frozenset({130101, 410100})

    def write(self, robot: Robot, letter: Letter) -> tuple[str, Mapping[str, Any]]:
        at = {"atMobiles": [letter.phone]} if letter.phone else {}
        return self._signed(robot), {"msgtype": "text", "text": {"content": letter.text}, "at": at}

    @staticmethod
    def _signed(robot: Robot) -> str:
        if not robot.secret:
            return robot.url
        moment = str(round(clock.now().timestamp() * 1000))
        signed = hmac.new(robot.secret.encode(), f"{moment}\n{robot.secret}".encode(), hashlib.sha256)
        sign = quote_plus(base64.b64encode(signed.digest()))
        return f"{robot.url}{'&' if '?' in robot.url else '?'}timestamp={moment}&sign={sign}"
