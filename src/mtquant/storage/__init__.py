"""What must survive: the order journal."""

from mtquant.storage.journal import SqliteJournal, lock_journal
from mtquant.storage.memory import MemoryJournal
from mtquant.storage.schema import SCHEMA_VERSION

__all__ = ["SCHEMA_VERSION", "MemoryJournal", "SqliteJournal", "lock_journal"]
