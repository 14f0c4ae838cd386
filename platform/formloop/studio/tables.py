"""What was done to drafts, step by step, and who sits at them."""

from sqlalchemy import BigInteger, Column, Integer, Table, Text

from formloop.db import UtcTime, metadata

desk = Table(
    "fl_studio_desk",
    metadata,
    Column("definition", Text, primary_key=True),
    Column("place", Integer, nullable=False),  # of the step that shows
    Column("revision", Integer, nullable=False),  # of the draft that step made
    Column("editor", BigInteger),
    Column("at", UtcTime, nullable=False),
)

step = Table(
    "fl_studio_step",
    metadata,
    Column("definition", Text, primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
)

tour_progress = Table(
    "fl_studio_tour",
    metadata,
    Column("person", BigInteger, primary_key=True, autoincrement=False),
    Column("tour", Text, primary_key=True),
    Column("step", Integer, nullable=False),  # where to go on; as many as there are steps when it is done
    Column("page", Text, nullable=False),  # where that was
    Column("at", UtcTime, nullable=False),
)
