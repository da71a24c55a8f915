"""What is asked for, held against the limits and the server's own facts and prices."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mtquant.exchange import Terms
from mtquant.model import ExecutionMode, IntentAction, Side, units_from_lots
from simulation.bot import DEVIATION_POINTS

if TYPE_CHECKING:
    from mtquant.model import Deal, IntentRow
    from simulation.schedule import Schedule
    from simulation.witness import Note
    from simulation.world import World

_MINUTE_MS: Final = 60_000
_RECENT_BARS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moment:
    """Hold when an entry was decided on, by the server's clock and by the bot's (UTC ms)."""

    server_ms: int
    own_ms: int


class EntryChecks:
    """Look at each order as it leaves, and at what it got."""

    def __init__(self, schedule: Schedule, world: World, note: Note) -> None:
        self._schedule = schedule
        self._server = world.server
        self._clock, self._sleeper = world.clock, world.sleeper
        self._note = note
        self._terms = {one: Terms.of(schedule.venue, one) for one in schedule.symbols}
        self._bars = {bars.symbol: bars for bars in schedule.bars}
        self._asked: dict[int, int] = {}  # by intent: the price, points
        self._entered: dict[str, list[_Moment]] = {}  # by strategy
        self._accounts: deque[tuple[int, int, int]] = deque(maxlen=256)  # ms, equity, margin

    def shown_account(self, equity_minor: int, margin_minor: int) -> None:
        """See the account as the terminal shows it."""
        self._accounts.append((self._server.now_ms, equity_minor, margin_minor))

    def accounts_at(self, row: IntentRow) -> list[tuple[int, int]]:
        """Return equity and margin, minor units, as shown since an intent was decided on."""
        since_ms = row.intent.decided_ms - self._clock.ahead_ms
        return [(equity, margin) for ms, equity, margin in self._accounts if ms >= since_ms]

    def equity_at(self, row: IntentRow) -> int:
        """Return the highest equity that was shown since an intent was decided on, minor units."""
        return max((equity for equity, _ in self.accounts_at(row)), default=0)

    def asked(self, row: IntentRow, request: dict[str, Any]) -> None:
        """See a request as it leaves."""
        terms = self._terms.get(row.intent.symbol)
        if terms is None or row.intent.action is IntentAction.MODIFY:
            return
        price = terms.instrument.points(request["price"])
        self._asked[row.intent_id] = price
        if request["deviation"] > DEVIATION_POINTS:
            said = f"intent {row.intent_id} asks for {request['deviation']} points"
            self._note("I14.deviation", said)
        if row.intent.action is not IntentAction.OPEN:
            return
        units = units_from_lots(request["volume"])
        self._require_tradable(row, terms, units)
        self._require_risk(row, terms, units, (price, terms.instrument.points(request["sl"])))
        self._require_timely(row)
        self._require_quoted(row, price)
        self._require_new(row)
        self._require_pause(row)

    def filled(self, row: IntentRow, deal: Deal) -> None:
        """See a deal of an order."""
        asked = self._asked.get(row.intent_id)
        instrument = self._schedule.venue.instrument(row.intent.symbol)
        if asked is None or instrument.execution_mode is not ExecutionMode.INSTANT:
            return
        worse = (deal.price_points - asked) * (1 if deal.side is Side.BUY else -1)
        if worse > DEVIATION_POINTS and not self._has_waited(deal):
            self._note("I14.deviation", f"intent {row.intent_id} is filled {worse} points worse")

    def _has_waited(self, deal: Deal) -> bool:
        """Tell whether the server took the order and had no volume for it then."""
        orders = self._server.book.ledger.orders
        order = next(one for one in orders if one.order_ticket == deal.order_ticket)
        return order.setup_ms < deal.time_ms

    # ------------------------------------------------------------------ entries

    def _require_tradable(self, row: IntentRow, terms: Terms, units: int) -> None:
        if terms.instrument.floor_units(units) != units:
            self._note("I3.volume", f"intent {row.intent_id} asks for {units}")

    def _require_risk(
        self, row: IntentRow, terms: Terms, units: int, levels: tuple[int, int]
    ) -> None:
        loss = -terms.profit(row.intent.side.value, units, *levels)
        equity = self.equity_at(row)
        most = equity * self._schedule.limits.risk_per_trade_fraction
        rounding = 1 + units // 10**8  # the loss of one lot is rounded to a minor unit
        if loss > most + rounding:
            self._note("I3.risk", f"intent {row.intent_id} may lose {loss}, at most {most:.0f}")

    def _require_timely(self, row: IntentRow) -> None:
        late_ms = self._clock.process.now_ms() - row.intent.deadline_ms
        if late_ms > 0:
            said = f"intent {row.intent_id} leaves {late_ms} ms too late"
            self._note("I14.deadline", f"{said}; it slept at {self._sleeper.slept_at}")

    def _require_quoted(self, row: IntentRow, price: int) -> None:
        """Hold a price against the band around the closes that the bot may know as the last one."""
        band, bars = self._schedule.limits.price_band_fraction, self._bars[row.intent.symbol]
        closed_ms = bars.time_ms + bars.timeframe.duration_ms
        last = int(np.searchsorted(closed_ms, self._server.now_ms, side="right"))
        closes = bars.close[max(0, last - _RECENT_BARS - 1) : last + 1]
        if band is None or not len(closes):
            return
        low, high = int(closes.min()), int(closes.max())
        if not (1 - band) * low <= price <= (1 + band) * high:
            said = f"intent {row.intent_id} asks for {price}, closes were {low} to {high}"
            self._note("I14.price", f"{said}, the band is {band:.2%}")

    def _require_new(self, row: IntentRow) -> None:
        cause, _, opened = row.intent.trigger.partition(":")
        if cause == "bar":
            times = self._bars[row.intent.symbol].time_ms
            since = times[(times > int(opened)) & (times <= self._server.now_ms)]
            if len(since) > _RECENT_BARS:
                said = f"intent {row.intent_id}: {len(since)} bars have begun since its own"
                self._note("I14.bar", f"{said}{self._sleeper.words}")

    def _require_pause(self, row: IntentRow) -> None:
        ahead_ms = self._clock.ahead_ms
        now = _Moment(server_ms=row.intent.decided_ms - ahead_ms, own_ms=row.intent.decided_ms)
        entered = self._entered.setdefault(row.intent.strategy_id, [])
        entered.append(now)
        in_minute = sum(one.server_ms > now.server_ms - _MINUTE_MS for one in entered)
        midnight_ms = self._midnight_ms(now.server_ms)
        today = sum(one.server_ms >= midnight_ms for one in entered)
        if not self._are_too_many(in_minute, today):
            return
        limits, name = self._schedule.limits, row.intent.strategy_id
        said = f"{name}: {in_minute} in a minute, {today} today"
        most = f"{limits.max_entries_per_minute} and {limits.max_entries_per_day}"
        is_of_clock = any(
            not self._are_too_many(*self._counted_by_clock(entered, error_ms))
            for error_ms in self._clock.errors_ms
        )
        self._note("I3.entries", f"{said}, at most {most}", is_of_clock=is_of_clock)

    def _are_too_many(self, in_minute: int, today: int) -> bool:
        limits = self._schedule.limits
        day = limits.max_entries_per_day
        return in_minute > limits.max_entries_per_minute or (day is not None and today > day)

    def _midnight_ms(self, server_ms: int) -> int:
        return self._schedule.venue.clock.day_start_ms(server_ms)

    def _counted_by_clock(self, entered: list[_Moment], error_ms: int) -> tuple[int, int]:
        """Count the entries of the last minute and day as a bot does that is wrong by so much."""
        now = entered[-1]
        believed_ms = now.server_ms + error_ms
        midnight_ms = self._midnight_ms(believed_ms) + now.own_ms - believed_ms
        in_minute = sum(one.own_ms > now.own_ms - _MINUTE_MS for one in entered)
        return in_minute, sum(one.own_ms >= midnight_ms for one in entered)
