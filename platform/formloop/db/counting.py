"""Counting that stops: a count on a page need not be exact beyond what people read."""

from typing import Any

from sqlalchemy import BigInteger, BindParameter, FromClause, Select, bindparam, func, literal, select

VIEWER: BindParameter[int] = bindparam(
    "of_person", value=None, type_=BigInteger()
)  # the person who looks, in counts of the menu


def count_up_to(rows: FromClause, *conditions: Any, most: Any) -> Select[int]:
    """The statement that counts the rows of a table under conditions and stops at `most`."""
    some = select(literal(1)).select_from(rows).where(*conditions).limit(most).subquery()
    return select(func.count()).select_from(some)
