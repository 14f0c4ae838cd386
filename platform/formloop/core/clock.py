"""The only source of times and ids.

An id is a 53-bit number, so that it is exact in every JSON reader: 31 bits of seconds since 2025, 10 bits
of node, 12 bits of sequence. Ids of one process rise; when a second's 4,096 are used up the next second is
borrowed, so a bulk load never waits. Ids of several processes rise where one passes by what another made. The node is a number the database hands to each process at start.
"""

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_EPOCH = 1_735_689_600  # 2025-01-01T00:00:00Z
_SEQUENCE_BITS, _NODE_BITS = 12, 10
NODES = 1 << _NODE_BITS
NODE_MASK = (NODES - 1) << _SEQUENCE_BITS  # the part of an id that names its node

_lock = threading.Lock()
_last = 0  # seconds since _EPOCH and sequence, as one number
_node = secrets.randbelow(NODES)
_stopped: datetime | None = None


def set_node(node: int) -> None:
    """Give this process its own number, modulo 1,024; two live processes must not share one."""
    global _node
    _node = node % NODES


def new_id() -> int:
    """A new id, larger than every earlier one of this process."""
    return new_ids(1)[0]


def new_ids(count: int) -> list[int]:
    """`count` new ids in rising order."""
    global _last
    with _lock:
        first = max(_last + 1, int(time.time() - _EPOCH) << _SEQUENCE_BITS)
        _last = first + count - 1
    return [_compose(n) for n in range(first, first + count)]


def pass_by(known: int) -> None:
    """Let every new id of this process be larger than `known`, which another one may have made in this very second."""
    global _last
    second, node = known >> _SEQUENCE_BITS + _NODE_BITS, (known & NODE_MASK) >> _SEQUENCE_BITS
    sequence = known & ((1 << _SEQUENCE_BITS) - 1) if node == _node else (0 if node < _node else -1)
    with _lock:
        _last = max(
            _last,
            (second << _SEQUENCE_BITS | sequence) if sequence >= 0 else (second + 1 << _SEQUENCE_BITS) - 1,
        )


def first_id(ago: float, of: int | None = None) -> int:
    """The smallest id that can have been made so many seconds before now, or before an id was made."""
    second = int(time.time() - _EPOCH) if of is None else of >> _SEQUENCE_BITS + _NODE_BITS
    return int(second - ago) << _SEQUENCE_BITS + _NODE_BITS


def _compose(moment: int) -> int:
    second, sequence = moment >> _SEQUENCE_BITS, moment & ((1 << _SEQUENCE_BITS) - 1)
    return second << (_SEQUENCE_BITS + _NODE_BITS) | _node << _SEQUENCE_BITS | sequence


def find_id(text: object) -> int | None:
    """The id that a text names; None when no id, and no database, has such a number."""
    written = str(text)
    return int(written) if written.isascii() and written.isdecimal() and len(written) < 19 else None


def new_key() -> str:
    """Eight hexadecimal digits, for the stable id (`x-id`) of a definition."""
    return secrets.token_hex(4)


def new_secret() -> str:
    """43 characters nobody can guess, for sessions, tokens and links."""
    return secrets.token_urlsafe(32)


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return _stopped or datetime.now(UTC)


def today(zone: str) -> date:
    """The date in `zone` (an IANA name)."""
    return now().astimezone(ZoneInfo(zone)).date()


def later(**distance: float) -> datetime:
    """A moment from now: `later(seconds=60)`; negative values lie in the past."""
    return now() + timedelta(**distance)


@contextmanager
def stopped_at(moment: datetime) -> Iterator[None]:
    """Let the clock stand at `moment`, for tests and replays. Ids go on rising."""
    global _stopped
    before, _stopped = _stopped, moment
    try:
        yield
    finally:
        _stopped = before
