"""The database's tables, for SQLite and PostgreSQL alike."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

__all__ = [
    "audit",
    "clients",
    "commands",
    "keys",
    "metadata",
    "people",
    "records",
    "runs",
    "tokens",
]

metadata: Final = MetaData()

_ROW_ID: Final = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself for this type only."""

keys: Final = Table(
    "keys",
    metadata,
    Column("id", _ROW_ID, primary_key=True),
    Column("tenant", String, nullable=False),
    Column("name", String, nullable=False),
    Column("sha256", String, nullable=False, unique=True),
    Column("created", Float, nullable=False),
    Column("last_used", Float),
    Column("revoked", Float),
)

people: Final = Table(
    "people",
    metadata,
    Column("id", _ROW_ID, primary_key=True),
    Column("tenant", String, nullable=False),
    Column("name", String, nullable=False),
    Column("role", String, nullable=False),
    Column("sha256", String, nullable=False, unique=True),
    Column("created", Float, nullable=False),
)

tokens: Final = Table(
    "tokens",
    metadata,
    Column("sha256", String, primary_key=True),
    Column("kind", String, nullable=False),  # "login", used once; "session", a cookie's
    Column("person", String, nullable=False),
    Column("tenant", String, nullable=False),
    Column("role", String, nullable=False),
    Column("expires", Float, nullable=False),
)

runs: Final = Table(
    "runs",
    metadata,
    Column("id", _ROW_ID, primary_key=True),
    Column("tenant", String, nullable=False),
    Column("run_id", String, nullable=False),
    Column("seq", BigInteger, nullable=False, default=0),
    Column("changed", Float, nullable=False, default=0.0),
    Column("created", Float, nullable=False),
    Column("started_at", String, nullable=False, default=""),
    Column("ended_at", String),
    Column("status", String, nullable=False, default="running"),
    Column("client", String, nullable=False, default=""),
    Column("client_version", String, nullable=False, default=""),
    Column("capture_mode", String, nullable=False, default=""),
    Column("model", String, nullable=False, default=""),
    Column("task_class", String, nullable=False, default=""),
    Column("instruction", String, nullable=False, default=""),
    Column("outcome", String, nullable=False, default=""),
    Column("failure_class", String, nullable=False, default=""),
    Column("tags", String, nullable=False, default="{}"),
    Column("text", String, nullable=False, default=""),
    Column("total_usd", Float),
    Column("step_count", Integer, nullable=False, default=0),
    Column("last_step", Integer),
    Column("complete", Boolean, nullable=False, default=False),
    Column("masked", Integer, nullable=False, default=0),
    Column("last_seen", Float),
    Column("held_by", String),
    Column("held_since", Float),
    Column("pinned", Boolean, nullable=False, default=False),
    UniqueConstraint("tenant", "run_id"),
    Index("runs_by_time", "tenant", "created"),
    Index("runs_by_status", "tenant", "status", "created"),
    Index("runs_by_client", "tenant", "client", "created"),
)

records: Final = Table(
    "records",
    metadata,
    Column("run", BigInteger, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String, primary_key=True),
    Column("item", String, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("path", String, nullable=False, default=""),
    Column("step_index", Integer),
    Column("status", String, nullable=False, default=""),
    Column("canonical", Boolean, nullable=False, default=False),
    Column("brief", String, nullable=False, default=""),
    Column("body", LargeBinary, nullable=False),
    Column("sha256", String, nullable=False, default=""),
    Column("size", BigInteger, nullable=False, default=0),
    Index("records_by_seq", "run", "seq"),
    Index("records_by_path", "run", "path"),
    Index("records_by_step", "run", "kind", "step_index"),
    Index("records_by_blob", "sha256"),
)

commands: Final = Table(
    "commands",
    metadata,
    Column("run", BigInteger, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("command_id", String, nullable=False),
    Column("key", String, nullable=False),
    Column("type", String, nullable=False),
    Column("payload", String, nullable=False),
    Column("operator", String, nullable=False),
    Column("issued_at", String, nullable=False),
    Column("state", String, nullable=False),
    UniqueConstraint("run", "key"),
)

audit: Final = Table(
    "audit",
    metadata,
    Column("id", _ROW_ID, primary_key=True),
    Column("at", Float, nullable=False),
    Column("tenant", String, nullable=False),
    Column("who", String, nullable=False),
    Column("what", String, nullable=False),
    Column("run_id", String, nullable=False, default=""),
    Column("detail", String, nullable=False, default=""),
)

clients: Final = Table(
    "clients",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("client_id", String, primary_key=True),
    Column("client_name", String, nullable=False),
    Column("client_version", String, nullable=False),
    Column("capture_mode", String, nullable=False),
    Column("run_id", String, nullable=False),
    Column("last_event", String, nullable=False),
    Column("last_seen", Float, nullable=False),
)
