"""Everything that can go wrong, in one tree.

FormloopError            code        status
├── Invalid              invalid     422   what a person gave is wrong: carries the problems
├── NotFound             not_found   404
├── Forbidden            forbidden   403
├── SignInNeeded         sign_in     401
├── Conflict             conflict    409   somebody else was faster
├── TooLarge             too_large   413
├── TooMany              too_many    429
├── Unavailable          unavailable 503   temporary: try again
└── StorageFull          full        507

A mistake of a user inside a document is not an exception but a `Problem`; functions named `check_…`
return lists of them, and `Invalid` carries them where a whole request must be refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from formloop.core.text import M, Message


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where, and what to do, in words for a business user.

    `at` is a dotted path (`lines.2.quantity`, lines counted from 0); `line` and `column` are 1-based
    positions in a text, where there is one. A problem of severity "warning" does not stop anything.
    `tells` names the resources whose content its words say, where that is more than what was given.
    """

    code: str
    at: str
    message: Message
    line: int | None = None
    column: int | None = None
    severity: str = "error"
    tells: tuple[str, ...] = ()

    def as_dict(self, locale: str = "en") -> dict[str, Any]:
        """The problem as plain values for JSON, its text in `locale`."""
        shown: dict[str, Any] = {"code": self.code, "at": self.at, "message": self.message.render(locale)}
        if self.line is not None:
            shown |= {"line": self.line, "column": self.column}
        return shown


class FormloopError(Exception):
    """Root of all errors that carry a text for people."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500

    def __init__(self, message: Message | None = None) -> None:
        self.message = message or M("Something went wrong.")
        super().__init__(str(self.message))


class Invalid(FormloopError):
    """What was given is wrong; `problems` say where."""

    code = "invalid"
    status = 422

    def __init__(self, problems: Sequence[Problem], message: Message | None = None) -> None:
        self.problems = list(problems)
        first = self.problems[0].message if self.problems else None
        super().__init__(message or first or M("Please correct what is marked."))


class NotFound(FormloopError):
    """There is no such thing, or this person may not know that there is."""

    code = "not_found"
    status = 404

    def __init__(self, message: Message | None = None) -> None:
        super().__init__(message or M("This does not exist, or you may not see it."))


class Forbidden(FormloopError):
    """The person may not do this; `reason` is for administrators."""

    code = "forbidden"
    status = 403

    def __init__(self, message: Message | None = None, reason: Message | None = None) -> None:
        super().__init__(message or M("You may not do this. Ask an administrator for the right."))
        self.reason = reason


class SignInNeeded(FormloopError):
    """Nobody is signed in, or the session has ended."""

    code = "sign_in"
    status = 401

    def __init__(self, message: Message | None = None) -> None:
        super().__init__(message or M("Please sign in."))


class Conflict(FormloopError):
    """Somebody else changed it first; `current` may show what it is now."""

    code = "conflict"
    status = 409

    def __init__(self, message: Message | None = None, current: Any = None) -> None:
        super().__init__(message or M("Somebody else changed this in the meantime. Reload and try again."))
        self.current = current


class TooLarge(FormloopError):
    """What was sent is larger than allowed."""

    code = "too_large"
    status = 413


class TooMany(FormloopError):
    """Too many tries in too short a time."""

    code = "too_many"
    status = 429


class Unavailable(FormloopError):
    """A part is not reachable now; trying again later may work."""

    code = "unavailable"
    status = 503


class StorageFull(FormloopError):
    """The disk is full: reading works, writing does not."""

    code = "full"
    status = 507

    def __init__(self, message: Message | None = None) -> None:
        super().__init__(
            message or M("The disk is full. Nothing was changed; free some space and try again.")
        )
