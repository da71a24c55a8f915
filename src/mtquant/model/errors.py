"""Errors, sorted by what the caller must do.

```
MtquantError
├── RetryableError            nothing happened at the broker: a read may be repeated
│   ├── BrokerConnectionError the terminal or its link is away
│   ├── BrokerTimeoutError    a read took too long
│   └── BrokerAPIError        the terminal answered a read with an error
├── TradingError
│   ├── OrderRefusedError     the broker said no: this order is over
│   │   ├── InvalidOrderError
│   │   └── InsufficientMarginError
│   └── OutcomeUnknownError   the order may be live: reconcile before sending
├── HaltError                 a person must look: no new risk
│   ├── LoginRefusedError     the broker does not accept the credentials
│   ├── InstrumentProofError  our money arithmetic and the terminal's disagree
│   ├── WrongAccountError     another login or server than expected
│   ├── JournalError          the journal cannot be trusted or written
│   │   └── JournalInUseError another process writes it
│   └── CircuitBreakerError
├── InputError                a person must correct what was given
│   ├── ConfigError
│   ├── DataError
│   │   ├── MarketDataError
│   │   └── SymbolNotFoundError
│   ├── RiskViolationError
│   │   └── PositionSizeError
│   └── StrategyError         a strategy says what means nothing
├── SweepError                some trials of a sweep are missing: the others stand
│   └── EvaluationError       one trial could not be run
└── IllegalTransitionError    a life cycle left its table: a defect
```
"""

from __future__ import annotations


class MtquantError(Exception):
    """Be the root of every error that mtquant raises on purpose."""

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details = details

    def __str__(self) -> str:
        return self.message


class BrokerError(MtquantError):
    """Mark an error that came from the broker or its terminal."""


class RetryableError(BrokerError):
    """Nothing happened at the broker: the same read may be made again."""


class BrokerConnectionError(RetryableError):
    """The terminal, or its link to the server, is away."""


class BrokerTimeoutError(RetryableError):
    """A read was not answered in time."""


class BrokerAPIError(RetryableError):
    """The terminal answered a read with an error code."""


class TradingError(BrokerError):
    """Mark an error about one order."""


class OrderRefusedError(TradingError):
    """The broker said no: this order is over, trading goes on."""


class InvalidOrderError(OrderRefusedError):
    """The order breaks a rule of its instrument (volume, stops, price)."""


class InsufficientMarginError(OrderRefusedError):
    """The account cannot carry the order."""


class OutcomeUnknownError(TradingError):
    """The order may or may not be live: reconcile before sending anything."""


class HaltError(MtquantError):
    """A person must look: nothing new is opened."""


class LoginRefusedError(HaltError):
    """The broker does not accept login, password or server: repeating will not help."""


class InstrumentProofError(HaltError):
    """Profit or margin by our rules and by the terminal differ: the symbol is not traded."""


class WrongAccountError(HaltError):
    """The terminal is logged in to another account than the bot was started for."""


class JournalError(HaltError):
    """The journal cannot be opened, trusted or written."""


class JournalInUseError(JournalError):
    """Another process is the journal's one writer."""


class CircuitBreakerError(HaltError):
    """The loss ladder forbids the action."""


class InputError(MtquantError):
    """What a person gave cannot be used; the message says what would be right."""


class ConfigError(InputError):
    """A configuration value is wrong."""


class DataError(InputError):
    """A data file is missing, empty or broken."""


class MarketDataError(DataError):
    """Market data contradict themselves (order of times, high below low, ...)."""


class SymbolNotFoundError(DataError):
    """A symbol is not known to the map or to the broker."""


class RiskViolationError(InputError):
    """A risk setting or request lies outside its bounds."""


class PositionSizeError(RiskViolationError):
    """A volume cannot be computed or does not fit the instrument."""


class StrategyError(InputError):
    """A strategy's signals are of the wrong shape, or say what means nothing."""


class SweepError(MtquantError):
    """Trials of a sweep could not be run; those that are finished stand."""


class EvaluationError(SweepError):
    """One trial could not be run: the sweep says so and goes on."""


class IllegalTransitionError(MtquantError):
    """A life cycle was asked to take a step that its table does not have."""


MTQuantError = MtquantError
OrderExecutionError = TradingError
