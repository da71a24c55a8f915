"""The broker boundary: MetaTrader's words below, ours above."""

from mtquant.broker.client import HealthStatus, MT5Client
from mtquant.broker.outcomes import error_from, outcome_of_none, outcome_of_retcode
from mtquant.broker.session import BrokerSession, Credentials, Glance
from mtquant.broker.symbols import BrokerEntry, SymbolEntry, SymbolMap, SymbolMapper

__all__ = [
    "BrokerEntry",
    "BrokerSession",
    "Credentials",
    "Glance",
    "HealthStatus",
    "MT5Client",
    "SymbolEntry",
    "SymbolMap",
    "SymbolMapper",
    "error_from",
    "outcome_of_none",
    "outcome_of_retcode",
]
