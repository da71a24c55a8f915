"""Deals, orders, bars and times in words."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING

from mtquant.model import Deal, DealKind, Order, SystemClock, lots_from_units

if TYPE_CHECKING:
    from mtquant.model import Bars


def moment(time_ms: int) -> str:
    """Return a time (UTC ms) for people; milliseconds where there are some."""
    found = datetime.fromtimestamp(time_ms / 1000, tz=UTC)
    if time_ms % 60_000 == 0:
        return found.strftime("%Y-%m-%d %H:%M")
    return found.strftime("%Y-%m-%d %H:%M:%S") + (
        f".{time_ms % 1000:03d}" if time_ms % 1000 else ""
    )


def seconds_since(started_ms: int) -> float:
    """Return how many seconds have passed since a moment (UTC ms) of the computer's clock."""
    return (SystemClock().now_ms() - started_ms) / 1000


def price(points: int, digits: int) -> str:
    """Return a price as it is quoted."""
    return f"{points / 10**digits:.{digits}f}"


def value(thing: object) -> object:
    """Return a field's value as JSON and people take it."""
    return thing.name if isinstance(thing, Enum) else thing


def bar_line(bars: Bars, bar: int) -> str:
    """Return a bar with its prices and its spread."""
    names = ("open", "high", "low", "close")
    prices = " ".join(
        f"{name} {price(int(getattr(bars, name)[bar]), bars.digits)}" for name in names
    )
    when = moment(int(bars.time_ms[bar]))
    return f"bar {bar}, {when} UTC: {prices} spread {int(bars.spread[bar])} points"


def record_line(record: Deal | Order, digits: int) -> str:
    """Return a deal or an order in one line; money in minor units."""
    return _deal_line(record, digits) if isinstance(record, Deal) else _order_line(record, digits)


def _deal_line(deal: Deal, digits: int) -> str:
    if deal.kind is not DealKind.TRADE or deal.side is None:
        return f"{moment(deal.time_ms)} {deal.kind.name} {deal.net_minor} {deal.comment}"
    return (
        f"{moment(deal.time_ms)} {deal.entry.name} {deal.side.name} "
        f"{lots_from_units(deal.volume_units):g} lots at {price(deal.price_points, digits)}, "
        f"profit {deal.profit_minor} commission {deal.commission_minor} swap {deal.swap_minor} "
        f"fee {deal.fee_minor}, {deal.reason.name} {deal.comment}"
    )


def _order_line(order: Order, digits: int) -> str:
    levels = [
        f"{word} {price(level, digits)}"
        for word, level in (("sl", order.stop_loss_points), ("tp", order.take_profit_points))
        if level
    ]
    return (
        f"{moment(order.setup_ms)} {order.order_type.name} {order.side.name} "
        f"{lots_from_units(order.volume_units):g} lots at {price(order.price_points, digits)} "
        f"{' '.join(levels)} {order.state.name}, {order.reason.name} {order.comment}"
    ).replace("  ", " ")
