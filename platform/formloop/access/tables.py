"""People and what they may do."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text

from formloop.db import JsonText, UtcTime, metadata, never_changed

department = Table(
    "fl_department",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("key", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("name_zh", Text, nullable=False, default=""),
    Column("parent", BigInteger, ForeignKey("fl_department.id")),
    Column("head", BigInteger),
    Column("archived", Boolean, nullable=False, default=False),
)

person = Table(
    "fl_person",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("account", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False, default=""),
    Column("phone", Text, nullable=False, default=""),
    Column("password_hash", Text),
    Column("department", BigInteger, ForeignKey("fl_department.id")),
    Column("reports_to", BigInteger),
    Column("locale", Text),
    Column("theme", Text, nullable=False, default="auto"),
    Column("administrator", Boolean, nullable=False, default=False),
    Column("active", Boolean, nullable=False, default=True),
    # rises when a right or a session is taken away, so that the next request already knows
    Column("epoch", Integer, nullable=False, default=1),
    Column("made_at", UtcTime, nullable=False),
)

role = Table(
    "fl_role",
    metadata,
    Column("key", Text, primary_key=True),
    Column("definition", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("title_zh", Text, nullable=False, default=""),
)

grant = Table(
    "fl_grant",
    metadata,
    Column("role", Text, ForeignKey("fl_role.key", ondelete="CASCADE"), primary_key=True),
    Column("id", Text, primary_key=True),
    Column("resource", Text, nullable=False),
    Column("actions", JsonText, nullable=False),
    Column("condition", Text),
    Column("fields", JsonText, nullable=False),
    Column("except_fields", JsonText, nullable=False),
    Index("fl_grant_resource", "resource"),
)

membership = Table(
    "fl_membership",
    metadata,
    Column("person", BigInteger, ForeignKey("fl_person.id"), primary_key=True),
    Column("role", Text, primary_key=True),
    Index("fl_membership_role", "role"),
)

session = Table(
    "fl_session",
    metadata,
    Column("key_hash", Text, primary_key=True),
    Column("person", BigInteger, ForeignKey("fl_person.id"), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("device", Text, nullable=False, default=""),
    Column("made_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    Column("ends_at", UtcTime, nullable=False),
    Index("fl_session_person", "person"),
)

token = Table(
    "fl_token",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("key_hash", Text, nullable=False, unique=True),
    Column("person", BigInteger, ForeignKey("fl_person.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("made_at", UtcTime, nullable=False),
    Column("used_at", UtcTime),
    Column("ends_at", UtcTime),
    Column("revoked", Boolean, nullable=False, default=False),
)

link = Table(
    "fl_link",
    metadata,
    Column("key_hash", Text, primary_key=True),
    Column("purpose", Text, nullable=False),
    Column("person", BigInteger, ForeignKey("fl_person.id")),
    Column("ends_at", UtcTime, nullable=False),
    Column("used_at", UtcTime),
)

attempt = Table(
    "fl_attempt",
    metadata,
    Column("who", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("since", UtcTime, nullable=False),
)

audit = never_changed(
    Table(
        "fl_audit",
        metadata,
        Column("id", BigInteger, primary_key=True, autoincrement=False),
        Column("at", UtcTime, nullable=False),
        Column("person", BigInteger),
        Column("action", Text, nullable=False),
        Column("object", Text, nullable=False),
        Column("detail", JsonText, nullable=False),
        Index("fl_audit_object", "object", "id"),
        Index("fl_audit_person", "person", "id"),
    )
)
