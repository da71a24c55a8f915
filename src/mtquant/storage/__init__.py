"""What must survive: the order journal, and the folders of runs."""

from mtquant.storage.account_lock import account_lock
from mtquant.storage.folders import require_own_files, write_whole
from mtquant.storage.halt_file import HALT_FILE, read_halt_file, write_halt_file
from mtquant.storage.journal import SqliteJournal
from mtquant.storage.journal_lock import HALTING, lock_journal, owner_of
from mtquant.storage.memory import MemoryJournal
from mtquant.storage.schema import SCHEMA_VERSION

__all__ = [
    "HALTING",
    "HALT_FILE",
    "SCHEMA_VERSION",
    "MemoryJournal",
    "SqliteJournal",
    "account_lock",
    "lock_journal",
    "owner_of",
    "read_halt_file",
    "require_own_files",
    "write_halt_file",
    "write_whole",
]
