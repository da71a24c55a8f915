"""The journal's tables."""

from __future__ import annotations

from typing import Final

SCHEMA_VERSION: Final = 3
LOG: Final = """
create table log (
    sequence       integer primary key,
    time_ms        integer not null,
    kind           text not null,
    intent_id      integer not null,
    correlation_id text not null,
    body           text not null,
    hash           text not null
) strict;
create index log_by_intent on log (intent_id) where intent_id > 0;
create index log_by_correlation on log (correlation_id) where correlation_id <> '';
"""
TABLES: Final = (
    """
create table meta (
    key   text primary key,
    value text not null
) strict;
create table intents (
    intent_id    integer primary key,
    decision_key text not null,
    attempt      integer not null,
    state        text not null,
    symbol       text not null,
    created_ms   integer not null,
    updated_ms   integer not null,
    body         text not null,
    unique (decision_key, attempt)
) strict;
create table deals (
    deal_ticket integer primary key,
    time_ms     integer not null,
    body        text not null
) strict;
create table halts (
    sequence   integer primary key autoincrement,
    level      integer not null,
    who        text not null,
    reason     text not null,
    time_ms    integer not null,
    request_id integer
) strict;
create table requests (
    request_id integer primary key autoincrement,
    level      integer not null,
    who        text not null,
    reason     text not null,
    time_ms    integer not null,
    taken      integer not null default 0
) strict;
"""
    + LOG
)
