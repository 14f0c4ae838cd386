"""A part of the open transaction that can be undone by itself."""

from types import TracebackType

from formloop.db.units import connection, forget_standing


class Part:
    """What the open transaction does from now on until it is kept; `undo` takes it back. As a block, an error undoes it.

    Parts lie within one another; the innermost comes to its end first. It spares the library's own way, which
    spells its statements anew each time.
    """

    __slots__ = ("_conn",)

    def __init__(self) -> None:
        self._conn = connection()
        self._conn.exec_driver_sql("SAVEPOINT fl_part")

    def keep(self) -> None:
        """It is a part like any other from now on."""
        self._conn.exec_driver_sql("RELEASE SAVEPOINT fl_part")

    def undo(self) -> None:
        """As if it had not begun."""
        self._conn.exec_driver_sql("ROLLBACK TO SAVEPOINT fl_part")
        self.keep()
        forget_standing()

    def __enter__(self) -> "Part":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.keep()
        else:
            self.undo()
