"""Order life from approval to proven outcome, without any I/O."""

from mtquant.execution.desk import QUIET_MS, RESERVE_MS, SCAN_GAP_MS, Desk
from mtquant.execution.protocols import Broker, Journal
from mtquant.execution.sent_counter import SentCounter

__all__ = ["QUIET_MS", "RESERVE_MS", "SCAN_GAP_MS", "Broker", "Desk", "Journal", "SentCounter"]
