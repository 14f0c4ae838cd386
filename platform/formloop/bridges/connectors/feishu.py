"""Feishu group robots. Protocol: Feishu open platform, "Custom bot" (signature: HMAC-SHA256 of nothing)."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from formloop.bridges.connectors.letters import GroupRobot, Letter
from formloop.core import clock
from formloop.core.text import M
from formloop.settings import Robot


class Feishu(GroupRobot):
    """A robot of a Feishu group 飞书; it knows nobody's phone number, so it says nobody's name."""

    name = "feishu"
    title = M("Feishu")
    busy = frozenset({9499, 11232})

    def reaches(self, email: str, phone: str) -> bool:
        return True

    def write(self, robot: Robot, letter: Letter) -> tuple[str, Mapping[str, Any]]:
        body: dict[str, Any] = {"msg_type": "text", "content": {"text": letter.text}}
        if robot.secret:
            moment = str(int(clock.now().timestamp()))
            signed = hmac.new(f"{moment}\n{robot.secret}".encode(), b"", hashlib.sha256)
            body |= {"timestamp": moment, "sign": base64.b64encode(signed.digest()).decode()}
        return robot.url, body

    def code_of(self, said: Mapping[str, Any]) -> int | None:
        code = said.get("code", said.get("StatusCode"))
        return int(code) if isinstance(code, int) else None
