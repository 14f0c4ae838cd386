"""Several things done one by one, each in its own transaction: one that is refused does not stop the others."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from formloop.core.errors import FormloopError, Invalid
from formloop.core.text import M, Message

DONE, PARTLY = M("{count} done."), M("{count} done, {refused} not: {reason}")


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of several things: how many went through, and why the others did not."""

    done: int
    refused: list[tuple[int, FormloopError]]


def try_each(wanted: Iterable[int], do: Callable[[int], object]) -> Batch:
    """Do something to each, and gather what is refused."""
    done, refused = 0, []
    for each in wanted:
        try:
            do(each)
            done += 1
        except FormloopError as error:
            refused.append((each, error))
    return Batch(done, refused)


def say(batch: Batch, well: Message = DONE, partly: Message = PARTLY) -> tuple[Message, str]:
    """What to tell of a batch, and as which kind of notice; of refusals the first says why."""
    if not batch.refused:
        return Message(well.msgid, {"count": batch.done}), "success"
    error = batch.refused[0][1]
    reason = error.problems[0].message if isinstance(error, Invalid) and error.problems else error.message
    words = {"count": batch.done, "refused": len(batch.refused), "reason": reason}
    return Message(partly.msgid, words), "warning"
