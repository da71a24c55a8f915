"""The headline figures of a report."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from mtquant.research.words import NOTHING, number_text, percent_text, span_text

if TYPE_CHECKING:
    from mtquant.research.summary import Summary


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Hold one figure; `unit` follows it, `missing` says why it may be undefined."""

    name: str
    text: str
    note: str
    unit: str = ""
    tone: str = ""
    missing: str = ""


def cards_html(summary: Summary) -> str:
    """Return the headline figures as a description list; an undefined one says why it is."""
    cards = (*_money_cards(summary), *_trade_cards(summary))
    return f'<dl class="cards">{"".join(_card_html(card) for card in cards)}</dl>'


def _money_cards(s: Summary) -> tuple[Card, ...]:
    digits = s.currency_digits
    below = "equity never fell"
    if s.drawdown_duration_ms:
        below = f"longest {span_text(s.drawdown_duration_ms)} below a peak"
    few = "Not defined: it takes two server days, with results that differ"
    return (
        Card(
            name="Net profit",
            text=number_text(s.net_profit, digits, signed=True),
            unit=s.currency,
            tone=_tone(s.net_profit),
            note=(
                f"closed deals; commission {number_text(s.commission, digits)}, "
                f"swap {number_text(s.swap, digits)}"
            ),
        ),
        Card(
            name="Return",
            text=percent_text(s.return_fraction, signed=True),
            tone=_tone(s.return_fraction),
            note=f"equity {number_text(s.deposit, digits)} → {number_text(s.final_equity, digits)}",
            missing="Not defined: the account started without money",
        ),
        Card(
            name="Maximum drawdown",
            text=percent_text(s.max_drawdown),
            note=below,
            missing="Not defined: the account started without money",
        ),
        Card(
            name="Sharpe ratio",
            text=number_text(s.sharpe),
            note="daily returns, annualized √252",
            missing=few,
        ),
        Card(
            name="Sortino ratio",
            text=number_text(s.sortino),
            note="daily returns, annualized √252",
            missing="Not defined: it takes two server days, and one with a loss",
        ),
    )


def _trade_cards(s: Summary) -> tuple[Card, ...]:
    digits, none = s.currency_digits, "Not defined: there are no trades"
    still_open = "nothing is open"
    if s.open_positions:
        still_open = f"{s.open_positions} position{'s' * (s.open_positions > 1)} still open"
    return (
        Card(
            name="Trades",
            text=f"{s.trades:,}",
            note=(
                f"{s.stop_losses} by stop loss, {s.take_profits} by take profit, "
                f"{s.stop_outs} by stop-out"
            ),
        ),
        Card(
            name="Win rate",
            text=percent_text(s.win_rate, 1),
            note="trades with a gain after costs",
            missing=none,
        ),
        Card(
            name="Profit factor",
            text=number_text(s.profit_factor),
            note="gains ÷ losses, after costs",
            missing="Not defined: no trade lost",
        ),
        Card(
            name="Expectancy",
            text=number_text(s.expectancy, digits, signed=True),
            unit=s.currency if s.expectancy is not None else "",
            tone=_tone(s.expectancy),
            note=(
                f"per trade; win {number_text(s.average_win, digits)}, "
                f"loss {number_text(s.average_loss, digits)}"
            ),
            missing=none,
        ),
        Card(
            name="Final balance",
            text=number_text(s.final_balance, digits),
            unit=s.currency,
            note=still_open,
        ),
    )


def _tone(value: float | None) -> str:
    return "" if not value else "gain" if value > 0 else "fall"


def _card_html(card: Card) -> str:
    unit = f" <small>{escape(card.unit)}</small>" if card.unit else ""
    value = f'<dd class="figure {card.tone}">{escape(card.text)}{unit}</dd>'
    note = card.note
    if card.text == NOTHING:
        value = f'<dd class="figure none" title="{escape(card.missing)}">{NOTHING}</dd>'
        note = card.missing.removeprefix("Not defined: ")
    return f'<div><dt>{escape(card.name)}</dt>{value}<dd class="note">{escape(note)}</dd></div>'
