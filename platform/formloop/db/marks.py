"""What one transaction has made, told from everything else by the ids of its process."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_

from formloop.core import clock


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment in a transaction that is tried out and taken back: what it makes from then on has a later id.

    It sees nothing that others commit meanwhile, and the ids of one process rise; those of others that were there
    before may be larger, be it by their number or because their clock was ahead.
    """

    id: int

    def made(self, column: ColumnElement[int]) -> ColumnElement[bool]:
        """Whether the row with this id was made since."""
        own = column.bitwise_and(clock.NODE_MASK) == self.id & clock.NODE_MASK
        return and_(column > self.id, column <= clock.new_id(), own)
