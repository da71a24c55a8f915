"""The journal's tables."""

from __future__ import annotations

from typing import Final

SCHEMA_VERSION: Final = 1
TABLES: Final = """
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
create table steps (
    sequence  integer primary key autoincrement,
    intent_id integer not null references intents,
    state     text not null,
    time_ms   integer not null,
    detail    text not null
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
