"""Breaker, exposure and times held against the server's truth and the journal."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from mtquant.exchange import Terms
from mtquant.model import DealEntry, DealKind, IntentAction, IntentState, units_from_lots
from mtquant.risk.hours import is_in_hours
from mtquant.terminal.simulated.faults import FaultKind

if TYPE_CHECKING:
    from mtquant.exchange.ledger import OpenPosition
    from mtquant.model import Deal, IntentRow
    from simulation.bot import Bot
    from simulation.schedule import Schedule
    from simulation.witness import Witness
    from simulation.world import World

_LAG_MS: Final = 60_000
_CLOCK_MS: Final = 90_000  # a bot learns the server's time from quotes, and they are rare
_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 3_600_000
_RECENT_BARS: Final = 4
_FLATTEN: Final = 3
_BREAKS_AT: Final = 2
_REST_STEPS: Final = 10
_UNTRIED_LOOKS, _UNTRIED_MS = 4, 30_000
_PAUSE_MS: Final = 60_000  # between two tries, at most
_HINDERING: Final = (
    FaultKind.LINK_LOSS,
    FaultKind.SERVER_LOSS,
    FaultKind.ACCOUNT_SWITCH,
    FaultKind.AUTOTRADING_OFF,
    FaultKind.CACHE_LAG,
    FaultKind.STALE_FEED,
)
_ROUNDING: Final = 1.000001
_REMEMBERED: Final = ("triggered_ms", "window", "reason", "closes_worst", "windows.day_begin_ms")
_GIVEN_UP: Final = {IntentState.NOTSENT, IntentState.LATE}
_NORMAL: Final[dict[str, Any]] = {"level": 0, "closes_worst": False, "windows.day_begin_ms": 0}


class RiskChecks:
    """Look at entries as they leave, at what is journalled of losses, and at the end."""

    def __init__(self, schedule: Schedule, world: World, witness: Witness) -> None:
        self._schedule, self._limits = schedule, schedule.limits
        self._server, self._journal = world.server, world.journal
        self._clock, self._faults = world.clock, world.faults
        self._witness, self._note = witness, witness.note
        self._terms = {one: Terms.of(schedule.venue, one) for one in schedule.symbols}
        self._bars = {bars.symbol: bars for bars in schedule.bars}
        self._units: dict[int, deque[tuple[int, int]]] = {}  # by ticket: since ms, units
        self._rose_ms = self._rose_step = self._stopped_step = 0
        self._rose_errors_ms: list[int] = []
        self._rows_before = 0  # intents that there were when a cut was first due
        self._waited = (0, 0)  # looks and ms for which a cut was due and nothing hindered it
        self._to_cut: dict[int, int] = {}  # own positions at a rise to level 2: units by ticket
        self.parts_cut = 0  # deals of cuts that were to keep a part
        self.steps: list[tuple[int, int]] = []  # levels before and after, as journalled

    # ------------------------------------------------------------------ entries

    def entering(self, row: IntentRow, request: dict[str, Any]) -> None:
        """See an entry as it leaves."""
        level = self._journal.breaker_level
        if level >= _BREAKS_AT:
            self._note("I3.breaker", f"intent {row.intent_id} leaves at level {level}")
        status = self._journal.risk.get("prop", {}).get("status", "OK")
        if status != "OK":
            self._note("I3.prop", f"intent {row.intent_id} leaves, and prop rules say {status}")
        self._require_hours(row)
        self._require_cooled(row)
        self._require_exposure(row, units_from_lots(request["volume"]))
        self._require_margin(row, units_from_lots(request["volume"]))

    def _decided_ms(self, row: IntentRow) -> int:
        """Return when an intent was decided on, by the server's clock (UTC ms)."""
        return row.intent.decided_ms - self._clock.ahead_ms

    def _require_hours(self, row: IntentRow) -> None:
        hours, clock = self._limits.trading_hours, self._schedule.venue.clock
        decided_ms = self._decided_ms(row)

        def is_allowed(error_ms: int) -> bool:
            believed = [decided_ms + error_ms + by for by in (-_MINUTE_MS, 0, _MINUTE_MS)]
            return any(is_in_hours(hours, clock.to_server_ms(one)) for one in believed)

        if not is_allowed(0):
            minute = clock.to_server_ms(decided_ms) // _MINUTE_MS % 1440
            said = f"intent {row.intent_id} is decided in minute {minute} of the day"
            is_of_clock = any(map(is_allowed, self._clock.errors_ms))
            self._note("I14.hours", f"{said}, allowed are {hours}", is_of_clock=is_of_clock)

    def _require_cooled(self, row: IntentRow) -> None:
        minutes = self._limits.cool_down_after_loss_minutes
        if minutes is None:
            return
        for deal in reversed(self._journal.deals()):
            other = self._journal.row(deal.intent_id)
            if deal.net_minor >= 0 or deal.entry is DealEntry.IN or other is None:
                continue
            if other.intent.strategy_id == row.intent.strategy_id:
                passed_ms = self._decided_ms(row) - deal.time_ms
                if 0 <= passed_ms < minutes * _MINUTE_MS - _LAG_MS:
                    said = f"intent {row.intent_id} comes {passed_ms} ms after a loss"
                    self._note("I3.cooled", said)
                return

    def _require_exposure(self, row: IntentRow, units: int) -> None:
        gross, symbol = (
            self._limits.max_gross_exposure_ratio,
            self._limits.max_symbol_exposure_ratio,
        )
        if gross is None and symbol is None:
            return
        held = self._held()
        equity = self._witness.entries.equity_at(row)
        order = self._terms[row.intent.symbol].value(units, row.intent.price_points or 0)
        total = order + sum(self._least_value(name, size) for name, _, size in held)
        if gross is not None and total > gross * equity * _ROUNDING:
            said = f"intent {row.intent_id}: {total / max(1, equity):.3f} x equity of {gross}"
            self._note("I3.gross", f"{said}, held {held}")
        same = [one for one in held if one[0] == row.intent.symbol]
        if symbol is None or self._has_other_side(row) or self._was_left_lately(row.intent.symbol):
            return  # what brings a symbol nearer to nothing passes
        total = order + sum(self._least_value(name, size) for name, _, size in same)
        if total > symbol * equity * _ROUNDING:
            said = f"intent {row.intent_id}: {total / max(1, equity):.3f} x equity of {symbol}"
            self._note("I3.held", f"{said}, held {same}")

    def _require_margin(self, row: IntentRow, units: int) -> None:
        """Hold an entry against the best account that the bot was shown for its decision.

        What it has on its way counts beside that, whether or not the account holds it by now.
        """
        coming = sum(self._margin(one, one.intent.volume_units) for one in self._coming(row))
        accounts = self._witness.entries.accounts_at(row) or [(0, 0)]
        shown = [(equity, held + coming) for equity, held in accounts]
        margin = self._margin(row, units)
        free = max(equity - held for equity, held in shown)
        if margin > free:
            self._note("I3.margin", f"intent {row.intent_id} needs {margin}, free are {free}")
        least = (self._limits.min_margin_level_percent or 0.0) / 100
        level = max(equity / max(1, held + margin) for equity, held in shown)
        if level < least:
            self._note("I3.level", f"intent {row.intent_id} leaves {level:.2f}, least is {least}")

    def _margin(self, row: IntentRow, units: int) -> int:
        """Return the margin of so much of an entry on its own."""
        side, price = row.intent.side.value, row.intent.price_points or 0
        is_netting = not self._schedule.is_hedging
        return self._terms[row.intent.symbol].margin_to_open(
            side, units, price, is_netting=is_netting
        )

    def _coming(self, row: IntentRow) -> list[IntentRow]:
        """Return the other entries without an outcome of which the server holds nothing."""
        held = {one.magic for one in self._server.book.open_positions}
        return [
            one
            for one in self._journal.open_rows()
            if one.intent.action is IntentAction.OPEN
            and one.intent_id not in held
            and one.intent_id != row.intent_id
        ]

    def _held(self) -> list[tuple[str, int, int]]:
        """Return symbol, side and units of what the bot must know of, at least."""
        witness, book = self._witness, self._server.book
        known = [one for one in witness._positions() if self._is_known(one)]
        held = [(one.symbol, one.side, self._least_units(one)) for one in known]
        orders = [one for one in book.live_orders if self._witness.is_own_entry(one)]
        return held + [(one.symbol, one.side, one.left) for one in orders]

    def _is_known(self, one: OpenPosition) -> bool:
        witness = self._witness
        return witness._is_timely(one) if witness.is_ours(one) else witness._is_old(one)

    def _least_units(self, one: OpenPosition) -> int:
        """Return the smallest volume of a position that a view may still show."""
        since = self._witness.read_ms - _LAG_MS
        seen = self._units.get(one.ticket, ())
        lately = [units for ms, units in seen if ms >= since]
        before = [units for ms, units in seen if ms < since][-1:]
        return min([one.units, *before, *lately])

    def _least_value(self, symbol: str, units: int) -> float:
        """Return the value of a volume at the lowest price that may be known of it."""
        bars, terms = self._bars[symbol], self._terms[symbol]
        last = int(bars.time_ms.searchsorted(self._server.now_ms, side="right"))
        low = int(bars.low[max(0, last - _RECENT_BARS) : last].min())
        return terms.value(units, low)

    def _has_other_side(self, row: IntentRow) -> bool:
        named = (one for one in self._witness._positions() if one.symbol == row.intent.symbol)
        return any(one.side != row.intent.side.value for one in named)

    def _was_left_lately(self, symbol: str) -> bool:
        since = self._witness.read_ms - _LAG_MS
        return any(
            deal.symbol == symbol and deal.kind is DealKind.TRADE and deal.entry is not DealEntry.IN
            for deal in self._server.book.ledger.deals
            if deal.time_ms >= since
        )

    # ------------------------------------------------------------------ what is closed

    def closed(self, row: IntentRow, deal: Deal) -> None:
        """Hold what a cut leaves of a position, deal by deal, against what it was to keep.

        Where other hands have closed some of it, or a close that was given up came late, nothing
        is promised.
        """
        tag, kept = self._journal.risk.get("kept", ("", ()))
        ticket = deal.position_ticket
        if row.intent.signal_id != f"{tag}:{ticket}" or not self._schedule.is_hedging:
            return
        rows, deals = self._journal.rows(), self._server.book.ledger.deals
        about = [one for one in rows if one.intent.position_ticket == ticket]
        now = deal.deal_ticket  # others may follow in the same step
        until = [one for one in deals if one.position_ticket == ticket and one.deal_ticket <= now]
        closing = [one for one in until if one.entry is not DealEntry.IN]
        is_given_up = any(one.state in _GIVEN_UP for one in about)
        if is_given_up or not all(map(self._witness.sent_by, closing)):
            return
        left = sum(one.volume_units * (1 if one.entry is DealEntry.IN else -1) for one in until)
        least = dict(kept).get(ticket, 0)
        self.parts_cut += least > 0
        if left < least:
            said = f"intent {row.intent_id} leaves {left} units of position {ticket}"
            self._note("I12.kept", f"{said}, to be kept were {least}")

    # ------------------------------------------------------------------ what is journalled

    def recorded(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        """See what is remembered of losses as it is written."""
        if after["stop_tag"] and after["stop_tag"] != before.get("stop_tag"):
            self._stopped_step = self._witness.step
        if "breaker" not in after:
            return
        old, new = before.get("breaker", _NORMAL), after["breaker"]
        if new["level"] != old["level"]:
            self.steps.append((old["level"], new["level"]))
        if new["level"] > old["level"]:
            slept_ms = self._witness._sleeper.slept_ms - self._witness._slept_ms
            self._rose_ms, self._rose_step = self._server.now_ms - slept_ms, self._witness.step
            self._rose_errors_ms = self._clock.errors_ms
            held = [one for one in self._witness._own_positions() if self._witness._is_old(one)]
            self._to_cut = {one.ticket: one.units for one in held if self._holds_ours(one)}
        elif new["level"] < old["level"]:
            self._require_release(old, new)
        else:
            self._require_memory(before, after)

    def _holds_ours(self, position: OpenPosition) -> bool:
        """Tell whether the bot has not closed as much as it opened: others may have added to it."""
        entry = self._journal.row(position.magic)
        if entry is None or entry.is_open:
            return True
        closed = sum(
            row.filled_units
            for row in self._journal.rows()
            if row.intent.action is IntentAction.CLOSE
            and row.intent.position_ticket == position.ticket
        )
        return entry.filled_units > closed

    def _require_release(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        if all(halt.level for halt in self._journal.pending_halts()):
            said = f"from {old['level']} to {new['level']} without anybody's word"
            self._note("I9.release", said)
        waited_ms = self._server.now_ms - self._rose_ms
        spec = self._limits.breaker
        least_ms = 0 if spec is None else spec.cool_down_minutes * _MINUTE_MS - _CLOCK_MS
        if waited_ms < least_ms:
            longest_ms = self._clock.errors_ms[-1] - self._rose_errors_ms[0]
            said = f"{waited_ms} ms after the rise to {old['level']}"
            is_of_clock = waited_ms + longest_ms >= least_ms
            self._note("I9.cooldown", said, is_of_clock=is_of_clock)

    def _require_memory(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        if not before:
            return
        clock, old, new = self._schedule.venue.clock, before["breaker"], after["breaker"]
        for key in ("triggered_ms", "window", "reason"):
            if old[key] != new[key]:
                self._note("I9.breaker", f"{key} goes from {old[key]!r} to {new[key]!r}")
        day = clock.day_start_ms(after["latest_ms"])
        moved = new["windows.day_begin_ms"] - old["windows.day_begin_ms"]
        if moved and clock.day_start_ms(before["latest_ms"]) == day:
            self._note("I9.breaker", f"the day begins anew, {moved} ms later")
        if old["closes_worst"] and not new["closes_worst"]:
            now = {one.ticket: one.units for one in self._witness._own_positions()}
            if self._to_cut and all(now.get(k) == units for k, units in self._to_cut.items()):
                self._note("I8.cut", f"positions {sorted(self._to_cut)} are as they were")

    # ------------------------------------------------------------------ after every step

    def look(self, bot: Bot | None) -> None:
        """Hold the bot's breaker against the journal's, and note how large positions are."""
        for one in self._witness._positions():
            seen = self._units.setdefault(one.ticket, deque(maxlen=64))
            if not seen or seen[-1][1] != one.units:
                seen.append((self._server.now_ms, one.units))
        if bot is not None and bot.engine.is_ready:
            self._require_tried()
        breaker = None if bot is None else bot.engine.losses.breaker
        if breaker is None:
            return
        level, kept = self._journal.breaker_level, self._journal.risk.get("breaker")
        if breaker.level != level:
            detail = f"level {breaker.level} in the bot, {level} in the journal"
            self._note("I9.breaker", detail)
        elif kept is not None:
            state = breaker.state()
            for key in _REMEMBERED:
                here, written = state.get(key), kept.get(key)
                if here != written:
                    self._note("I9.breaker", f"{key}: {here!r} in the bot, not {written!r}")

    @property
    def _cut_is_due(self) -> bool:
        kept = self._journal.risk
        due = kept.get("stop_tag") or kept.get("breaker", _NORMAL)["closes_worst"]
        return bool(due) and self._journal.halt_level() < _FLATTEN

    @property
    def _halt_is_due(self) -> bool:
        return self._journal.breaker_level >= _FLATTEN > self._journal.halt_level()

    def _require_tried(self) -> None:
        """Count the looks and the time for which a cut or a halt is due and could be made."""
        witness, rows = self._witness, self._journal.rows()
        if not (self._cut_is_due or self._halt_is_due):
            self._waited, self._rows_before = (0, 0), len(rows)
            return
        busy = {row.intent.position_ticket for row in self._journal.open_rows()}
        if busy & {one.ticket for one in witness._own_positions()}:
            self._waited = (0, -_PAUSE_MS)  # what is on its way is not tried again, nor soon after
        looks, waited_ms = self._waited
        if not any(map(self._faults.on, _HINDERING)):
            slept_ms = witness._sleeper.slept_ms - witness._slept_ms
            passed_ms = self._server.now_ms - witness._looked_ms - slept_ms
            self._waited = looks, waited_ms = looks + bool(passed_ms), waited_ms + passed_ms
        if looks <= _UNTRIED_LOOKS or waited_ms <= _UNTRIED_MS:
            return
        if self._halt_is_due:
            self._note("I8.breaker", f"level 3 for {looks} looks, and no halt")
        is_tried = any(row.intent.action is IntentAction.CLOSE for row in rows[self._rows_before :])
        held = witness.standing(witness._own_positions())
        old = [one for one in self._to_be_cut(held) if witness._is_old(one)]
        tickets = [one.ticket for one in old if one.ticket not in busy]
        if tickets and not is_tried:
            self._note("I8.cut", f"positions {tickets} for {looks} looks; nobody has tried")

    # ------------------------------------------------------------------ after the faults

    def conclude(self) -> None:
        """Hold what stands against what had to be closed."""
        standing = self._witness.standing(self._witness._own_positions())
        tickets = [one.ticket for one in standing]
        if self._journal.breaker_level >= _FLATTEN and tickets:
            self._note("I8.breaker", f"positions {tickets} stand")
        is_halted = self._journal.halt_level() >= _FLATTEN
        kept, step = self._journal.risk, self._witness.step
        waits = kept.get("breaker", _NORMAL)["closes_worst"] and step - self._rose_step
        stops = bool(kept.get("stop_tag")) and step - self._stopped_step
        left = [one.ticket for one in self._to_be_cut(standing)]
        if max(waits, stops) > _REST_STEPS and left and not is_halted:
            self._note("I8.cut", f"positions {left} stand, and a cut is due")
        self._require_left(standing)

    def _to_be_cut(self, held: list[OpenPosition]) -> list[OpenPosition]:
        """Leave out what a cut of the breaker keeps, once that is journalled."""
        risk = self._journal.risk
        tag, kept = risk.get("kept", ("", ()))
        is_planned = tag == f"breaker:{risk.get('breaker', _NORMAL).get('triggered_ms')}"
        if risk.get("stop_tag") or not is_planned or self._halt_is_due:
            return held
        keeps = dict(kept)
        return [one for one in held if one.units > keeps.get(one.ticket, one.units)]

    def _require_left(self, standing: list[OpenPosition]) -> None:
        hours = self._limits.max_holding_hours
        if hours is None:
            return
        for one in standing:
            bars = self._bars.get(one.symbol)
            if bars is None:
                continue
            due_ms = max(one.open_ms + hours * _HOUR_MS, self._witness.healed_ms or 0)
            closed = bars.time_ms + bars.timeframe.duration_ms
            count = int(((closed > due_ms) & (closed <= self._server.now_ms)).sum())
            if count > _RECENT_BARS:
                held_ms = self._server.now_ms - one.open_ms
                said = f"position {one.ticket} is held for {held_ms} ms"
                self._note("I7.held", f"{said}, {count} bars have closed since it was to be closed")
