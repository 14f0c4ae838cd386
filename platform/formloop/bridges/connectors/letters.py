"""What every channel to people is: where it reaches somebody, and how it sends one letter."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from formloop.bridges import outbound
from formloop.core.text import M, Message
from formloop.events.outbox import DeliveryError
from formloop.settings import Robot, Settings


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter to one person. `key` is the same for every try; `phone` names the person in a group."""

    subject: str
    text: str
    key: str
    email: str = ""
    phone: str = ""


class Channel(ABC):
    """A way to people. Errors are DeliveryError, which says whether another try makes sense."""

    name: ClassVar[str]
    title: ClassVar[Message]
    icon: ClassVar[str]
    how_at_first: ClassVar[str] = "off"

    @abstractmethod
    def is_set_up(self, settings: Settings) -> bool:
        """Whether this site can use it."""

    @abstractmethod
    def reaches(self, email: str, phone: str) -> bool:
        """Whether it can reach somebody with this address and number."""

    @abstractmethod
    def send(self, settings: Settings, letter: Letter) -> None:
        """Send a letter, or raise DeliveryError."""


class GroupRobot(Channel):
    """A robot in a group chat, called at a web address that is a secret; it names the person by phone number."""

    icon = "robot"
    busy: ClassVar[frozenset[int]] = frozenset()  # codes for "too many at once"

    def is_set_up(self, settings: Settings) -> bool:
        return self.name in settings.robots

    def reaches(self, email: str, phone: str) -> bool:
        return bool(phone)

    def send(self, settings: Settings, letter: Letter) -> None:
        robot = settings.robots.get(self.name)
        if robot is None:
            raise DeliveryError(M("{channel} is not set up.", channel=self.title), permanent=True)
        url, body = self.write(robot, letter)
        answer = outbound.call("POST", url, body, letter.key)
        said = answer.body if isinstance(answer.body, Mapping) else {}
        code = self.code_of(said)
        if code == 0:
            return
        text = M(
            "{channel} refused the message: {code} {reason}",
            channel=self.title,
            code=code if code is not None else answer.status,
            reason=str(said.get("errmsg") or said.get("msg") or "")[:200],
        )
        if code in self.busy:
            raise DeliveryError(text, wait=60.0)
        raise DeliveryError(text, permanent=True)

    @abstractmethod
    def write(self, robot: Robot, letter: Letter) -> tuple[str, Mapping[str, Any]]:
        """The address to call, signed if the robot has a secret, and what to say there."""

    def code_of(self, said: Mapping[str, Any]) -> int | None:
        """The code in the answer, 0 when all went well; None when there is none."""
        code = said.get("errcode")
        return int(code) if isinstance(code, int) else None
