"""The witness: holds every send, every write and the server's book against the invariants.

What it believes is the simulated server's truth and the journal, never the bot's view.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from mtquant.exchange import OrderRequest, StopsRequest
from mtquant.execution import QUIET_MS
from mtquant.model import (
    MOST_BETWEEN_MS,
    BotIdentity,
    Deal,
    DealEntry,
    DealKind,
    IntentAction,
    IntentRow,
    IntentState,
    Order,
    Publish,
    Reason,
    units_from_lots,
)
from mtquant.model.intent import INTENT_STEPS
from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated.faults import FaultKind
from simulation.checks import OF_CLOCK, UPHELD, Violation, excuse
from simulation.entries import EntryChecks
from simulation.risk_checks import RiskChecks
from simulation.schedule import HOME, Schedule
from simulation.stop_checks import PromptStops, StopChecks

if TYPE_CHECKING:
    from mtquant.exchange import Request
    from mtquant.exchange.ledger import LiveOrder, OpenPosition
    from simulation.bot import Bot
    from simulation.world import World

_SEEN_BY_THEN_MS = 60_000  # longer than any view of a terminal lags
_OLD_QUOTE_MS = 60_000
_BARE_MS, _BARE_LOOKS = 120_000, 6
_UNTRIED_LOOKS, _UNTRIED_MS = 3, 15_000
_PAUSE_MS = 60_000  # after what was refused, at most
_TRUE_LOOKS = 1
_HINDERING = (
    FaultKind.LINK_LOSS,
    FaultKind.SERVER_LOSS,
    FaultKind.ACCOUNT_SWITCH,
    FaultKind.AUTOTRADING_OFF,
    FaultKind.CACHE_LAG,
    FaultKind.STALE_FEED,
)
OURS = BotIdentity()


class Note(Protocol):
    """Note a violation."""

    def __call__(self, check: str, detail: str, *, is_of_clock: bool = False) -> None:
        """Say which check is broken, how, and whether the clock's error explains it."""
        ...


class Witness:
    """Note the first violations of the checks that are switched on."""

    def __init__(self, schedule: Schedule, active: frozenset[str] = UPHELD) -> None:
        self.active = active
        self.found: list[Violation] = []
        self.is_over = False  # with the first violation that nothing excuses
        self.step = 0
        self.sends: dict[int, int] = {}  # by intent
        self._schedule = schedule
        self._limits = schedule.limits
        self._approved: dict[int, int] = {}
        self._entries: dict[tuple[str, str], int] = {}  # by strategy and signal: the last intent
        self._shown: dict[str, tuple[int, int]] = {}  # by symbol: time ms, spread points
        self._magics: dict[int, int] = {}  # of own orders, by ticket
        self._by_intent: dict[int, list[int]] = {}
        self._filled: dict[int, int] = {}  # by order
        self._cash: dict[int, int] = {}  # by login
        self._read: dict[int, tuple[int, int]] = {}  # by login: orders and deals that were read
        self._bare: dict[int, tuple[int, int, int]] = {}  # by ticket: looks, ms, tries before
        self._looked_ms = self._slept_ms = 0
        self._looks_at_truth = 0  # one after the other, of what the server has
        self.read_ms = 0  # when the bot has read the positions last
        self.is_blind = False  # whether its terminal had no server then
        self.healed_ms: int | None = None  # when the faults stopped
        self._created_ms: dict[int, int] = {}  # by intent, of the server's time
        self.stops = StopChecks(schedule, self.note)
        self._jumps_before: dict[int, int] = {}  # of the bot's clock, by intent

    def attend(self, world: World) -> None:
        """Learn whose world it is."""
        self._server, self._journal, self._faults = world.server, world.journal, world.faults
        self._clock, self._sleeper, self._disk = world.clock, world.sleeper, world.room
        self.entries = EntryChecks(self._schedule, world, self.note)
        self.risk = RiskChecks(self._schedule, world, self)
        self.prompt = PromptStops(world, self)

    def note(self, check: str, detail: str, *, is_of_clock: bool = False) -> None:
        """Note a violation, if the check is switched on; the clock's error may explain it."""
        if check in self.active:
            detail += OF_CLOCK if is_of_clock else self._clock.words
            violation = Violation(check=check, step=self.step, detail=detail)
            self.found.append(violation)
            self.is_over |= not excuse(violation)

    # ------------------------------------------------------------------ what the bot says

    def published(self, one: Publish) -> None:
        """See an observation: what the gate has approved."""
        if one.name == "order_approved":
            self._approved[int(one.fields["intent_id"])] = int(one.fields["volume_units"])
        elif one.name == "reconciled" and self.is_blind:
            self.note("I6.blind", f"reconciled by {one.fields['cause']}")
        elif one.name == "cash_differs" and not self._faults.on(FaultKind.CACHE_LAG):
            # a terminal that was on another account between two questions told of its deals
            own = {deal.deal_ticket for deal in self._server.book.ledger.deals}
            if own.issuperset(deal.deal_ticket for deal in self._journal.deals()):
                self.note("I4.told", f"{one.fields['difference_minor']} minor units")

    def shown(self, symbol: str, time_ms: int, spread_points: int) -> None:
        """See a quote that the terminal shows."""
        self._shown[symbol] = (time_ms, spread_points)

    # ------------------------------------------------------------------ what is sent

    def sent(self, request: dict[str, Any], login: int) -> None:
        """See a request as it is handed to the terminal."""
        magic = int(request.get("magic", 0))
        self.sends[magic] = self.sends.get(magic, 0) + 1
        row = self._journal.row(magic)
        if self.sends[magic] > 1:
            self.note("I1.send", f"intent {magic} is sent {self.sends[magic]} times")
        if login != HOME:
            self.note("I11.login", f"intent {magic} leaves for {login}")
        if row is None:
            self.note("I2.send", f"intent {magic} has no row")
            return
        if row.state is not IntentState.SENDING:
            self.note("I2.send", f"intent {magic} is {row.state.name}")
        self.entries.asked(row, request)
        self.stops.asked(row, request, self._journal.intents())
        self._require_own(row, int(request.get("position", 0)))
        volume = units_from_lots(request["volume"]) if "volume" in request else 0
        most = min(self._approved.get(magic, 0), row.intent.volume_units)
        if volume > most:
            self.note("I13.volume", f"intent {magic} sends {volume}, approved were {most}")
        if row.intent.action is IntentAction.OPEN:
            self._require_entry(row)
            self.risk.entering(row, request)

    def _require_entry(self, row: IntentRow) -> None:
        self._require_no_halt()
        if not self._disk.is_there:
            self.note("I8.room", f"intent {row.intent_id}")
        self._require_first(row)
        self._require_room(row)
        time_ms, spread = self._shown.get(row.intent.symbol, (0, 0))
        if spread > self._limits.max_spread_points:
            self.note("I14.spread", f"{spread} points, at most {self._limits.max_spread_points}")
        if self._server.now_ms - time_ms > _OLD_QUOTE_MS:
            age_ms = self._server.now_ms - time_ms
            looks_new = age_ms + self._clock.errors_ms[0] <= _OLD_QUOTE_MS
            said = f"the quote is {age_ms} ms old{self._sleeper.words}"
            self.note("I14.age", said, is_of_clock=looks_new)

    def _require_no_halt(self) -> None:
        level, asked = self._journal.halt_level(), self._journal.asked_level
        waiting = [halt for halt in self._journal.pending_halts() if halt.level]
        if level or asked or waiting:
            when = waiting[0].reason if waiting else "taken up"
            self.note("I8.halt", f"level {level}, asked for {asked}, {when}")

    def _require_first(self, row: IntentRow) -> None:
        key = row.intent.strategy_id, row.intent.signal_id
        before = self._journal.row(self._entries.get(key, 0))
        self._entries[key] = row.intent_id
        if before is not None and row.attempt == 1:
            said = f"intent {before.intent_id} is {before.state.name}"
            self.note("I1.decision", f"{row.intent_id} repeats {key}, {said}")

    def _require_room(self, row: IntentRow) -> None:
        held = [one for one in self._own_positions() if self._is_timely(one)]
        shown = {one.magic for one in held}  # an order that is filled by and by
        coming = [magic for magic in self._coming() if magic not in shown]
        others = [
            one for one in self._positions() if not OURS.owns(one.magic) and self._is_old(one)
        ]
        count = len(held) + len(coming) + len(others)
        lag = "; the view lags" if self._faults.on(FaultKind.CACHE_LAG) else ""
        if count >= self._limits.max_positions:
            what = f"{len(held)} own, {len(coming)} coming, {len(others)} of others"
            self.note("I3.positions", f"{what}; at most {self._limits.max_positions}{lag}")
        key = row.intent.strategy_id, row.intent.symbol
        same = [magic for magic in [*(p.magic for p in held), *coming] if self._key(magic) == key]
        if same:
            leaving = {one.intent.position_ticket for one in self._journal.open_rows()}
            is_leaving = any(p.ticket in leaving for p in held if p.magic in same)
            why = "; its close has no outcome" if is_leaving else lag
            if not is_leaving and set(same) & self._shown_intents():
                why = "; it is shown by now"
            self.note("I3.symbol", f"{key} enters again, held or coming: {same}{why}")

    def _shown_intents(self) -> set[int]:
        """Return whose positions the terminal shows now, lagging or not."""
        views = self._faults.views("positions")
        positions = (views or self._server.market.books)[HOME].positions()
        return {position.intent_id for position in positions}

    def _require_own(self, row: IntentRow, ticket: int) -> None:
        """Refuse a request that names, or on a netting account meets, somebody else's position."""
        target = next((one for one in self._positions() if one.ticket == ticket), None)
        if row.intent.action is IntentAction.OPEN and not self._schedule.is_hedging:
            same = (one for one in self._positions() if one.symbol == row.intent.symbol)
            target = next((one for one in same if self._is_old(one)), None)
        if target is None or OURS.owns(target.magic) or self._journal.flattens_all:
            return
        detail = f"{row.intent.action.name} meets position {target.ticket} of {target.magic}"
        self.note("I10.foreign", detail)

    # ------------------------------------------------------------------ what the server gets

    def arrived(self, request: Request, login: int) -> None:
        """See a request of the bot as it reaches the server, also one that it keeps for later."""
        if isinstance(request, StopsRequest):
            rows = self._journal.open_rows()
            if not any(row.intent.position_ticket == request.position_ticket for row in rows):
                self.note("I2.order", f"stops of {request.position_ticket} have no open row")
        elif isinstance(request, OrderRequest) and self._journal.row(request.magic) is None:
            self.note("I2.order", f"order {request.magic} has no row")
        if login != HOME:
            self.note("I11.login", f"{request} reaches {login}")

    # ------------------------------------------------------------------ what is journalled

    def journalled(self, row: IntentRow, before: IntentRow | None) -> None:
        """See a row as it is written."""
        if before is None:
            self._created_ms[row.intent_id] = self._server.now_ms
            self._jumps_before[row.intent_id] = self._clock.jumps
            if row.intent.action is IntentAction.OPEN:
                self._require_resolved(row)
        elif row.state is not before.state:
            if row.state not in INTENT_STEPS[before.state]:
                moved = f"{before.state.name} -> {row.state.name}"
                self.note("I6.forward", f"intent {row.intent_id}: {moved}")
            if row.state is IntentState.NOTSENT and self.is_blind:
                self.note("I6.blind", f"intent {row.intent_id} is given up")
            if row.state is IntentState.NOTSENT and before.state is IntentState.UNKNOWN:
                self._require_quiet(row)

    def _require_quiet(self, row: IntentRow) -> None:
        """Hold what is given up against the quiet time; a jump of the clock hides a part of it."""
        waited_ms = self._server.now_ms - self._created_ms[row.intent_id]
        jumps = self._clock.jumps - self._jumps_before[row.intent_id]
        if waited_ms < QUIET_MS - jumps * MOST_BETWEEN_MS:
            self.note("I6.quiet", f"intent {row.intent_id} after {waited_ms} ms")

    def _require_resolved(self, row: IntentRow) -> None:
        for other in self._journal.open_rows():
            is_entry = other.intent.action is IntentAction.OPEN
            if is_entry and other.intent.symbol == row.intent.symbol:
                said = f"{other.intent_id} is {other.state.name}"
                self.note("I6.unknown", f"intent {row.intent_id} of {row.intent.symbol}, {said}")

    # ------------------------------------------------------------------ after every step

    def look(self, bot: Bot | None) -> None:
        """Look at the server's books, and at the bot where there is one."""
        is_true = self._faults.views("positions") is None
        self._looks_at_truth = self._looks_at_truth + 1 if is_true else 0
        for login, book in self._server.market.books.items():
            orders, deals = self._read.get(login, (0, 0))
            for order in (*book.orders(), *book.ledger.orders[orders:]):
                self._see_order(order, login)
            for deal in book.ledger.deals[deals:]:
                self._see_deal(deal, login)
            self._read[login] = len(book.ledger.orders), len(book.ledger.deals)
            self._require_cash(login)
        if bot is not None:
            level = bot.engine.risk.halt_level
            if level != self._journal.halt_level():
                detail = f"{level} in the bot, {self._journal.halt_level()} in the journal"
                self.note("I9.level", detail)
            self._require_stops(can_see=bot.engine.is_ready)
            if bot.engine.is_ready and self._looks_at_truth > _TRUE_LOOKS:
                self._require_seen(bot)
        is_hindered = any(map(self._faults.on, _HINDERING)) or self._looks_at_truth <= _TRUE_LOOKS
        self.prompt.look(bot, is_hindered=is_hindered)
        self.risk.look(bot)
        self._looked_ms, self._slept_ms = self._server.now_ms, self._sleeper.slept_ms

    def _require_seen(self, bot: Bot) -> None:
        """Hold what the bot believes against what it has read: no answer is not an empty one."""
        seen = {position.position_ticket for position in bot.engine.portfolio.positions}
        for one in self._positions():
            if self._is_old(one) and one.ticket not in seen:
                self.note("I6.seen", f"position {one.ticket} of {one.magic}")

    def _see_order(self, order: Order, login: int) -> None:
        ticket, magic = order.order_ticket, order.intent_id
        if not OURS.owns(magic) or order.reason is not Reason.EXPERT or ticket in self._magics:
            return
        if login != HOME:
            self.note("I11.login", f"order {ticket} is on {login}")
        self._magics[ticket] = magic
        tickets = self._by_intent.setdefault(magic, [])
        tickets.append(ticket)
        if len(tickets) > 1:
            self.note("I1.order", f"intent {magic} has orders {tickets}")
        if self._journal.row(magic) is None:
            self.note("I2.order", f"order {ticket} has no row")

    def _see_deal(self, deal: Deal, login: int) -> None:
        if deal.kind is not DealKind.CREDIT:
            self._cash[login] = self._cash.get(login, 0) + deal.net_minor
        if deal.kind is DealKind.TRADE and login == HOME:
            self._see_trade(deal)

    def _see_trade(self, deal: Deal) -> None:
        """See a deal of an order: its own number may be that of the position it closes."""
        row = self.sent_by(deal)
        if row is None:
            return
        filled = self._filled.get(deal.order_ticket, 0) + deal.volume_units
        self._filled[deal.order_ticket] = filled
        self.entries.filled(row, deal)
        is_in = deal.entry in {DealEntry.IN, DealEntry.INOUT}
        if row.intent.action is IntentAction.CLOSE and is_in:
            self.note("I12.close", f"deal {deal.deal_ticket} of a close is {deal.entry.name}")
        self.risk.closed(row, deal)
        if filled > row.intent.volume_units:
            self.note("I13.volume", f"intent {row.intent_id} fills {filled}")

    def sent_by(self, deal: Deal) -> IntentRow | None:
        """Return the bot's intent whose order a deal is of, None for other hands' and stops."""
        return self._journal.row(self._magics.get(deal.order_ticket, 0))

    def _require_cash(self, login: int) -> None:
        book = self._server.market.books[login]
        if book.balance_minor != self._cash.get(login, 0):
            detail = f"{login}: {book.balance_minor}, deals say {self._cash.get(login, 0)}"
            self.note("I4.cash", detail)
        floating = sum(p.profit_minor + p.swap_minor for p in book.positions())
        if book.equity_minor != book.balance_minor + book.credit_minor + floating:
            self.note("I4.cash", f"{login}: equity is {book.equity_minor}")

    def _require_stops(self, *, can_see: bool) -> None:
        """Count the looks and the time that a position stands bare while it could be protected.

        A bot that has lost its link sees nothing before it connects again, after some pause.
        """
        passed_ms = self._server.now_ms - self._looked_ms
        passed_ms -= self._sleeper.slept_ms - self._slept_ms
        if any(map(self._faults.on, _HINDERING)):
            passed_ms = 0
        busy = {row.intent.position_ticket for row in self._journal.open_rows()}
        in_session = self._server.book.in_session
        own = [one for one in self._own_positions() if in_session(one.symbol)]
        bare = {one.ticket for one in own if not one.stop} - busy
        tried = {ticket: self._tries(ticket) for ticket in sorted(bare)}
        seen = {ticket: self._bare.get(ticket, (0, 0, len(tried[ticket]))) for ticket in tried}
        self._bare = {
            ticket: (looks + bool(passed_ms), total_ms + passed_ms, before)
            for ticket, (looks, total_ms, before) in seen.items()
        }
        for ticket, (looks, total_ms, before) in self._bare.items() if can_see else ():
            tries = tried[ticket]
            since_ms = self._clock.process.now_ms() - (tries[-1].created_ms if tries else 0)
            is_long = looks > _UNTRIED_LOOKS and total_ms > _UNTRIED_MS and since_ms > _PAUSE_MS
            if is_long and len(tries) == before:
                self.note("I5.stop", f"position {ticket} for {looks} looks; nobody has tried")
            if looks > _BARE_LOOKS and total_ms > _BARE_MS and since_ms > _PAUSE_MS:
                is_refused = bool(tries) and tries[-1].state is IntentState.REJECTED
                why = f"; the last try was refused, {tries[-1].detail}" if is_refused else ""
                self.note("I5.stop", f"position {ticket} for {total_ms} ms{why}")

    def _tries(self, ticket: int) -> list[IntentRow]:
        return [row for row in self._journal.rows() if row.intent.position_ticket == ticket]

    # ------------------------------------------------------------------ after the faults

    def conclude(self, bot: Bot | None) -> None:
        """Hold the journal and the bot's view against the server, when all has come to rest."""
        for row in self._journal.intents():
            self._require_outcome(row)
        self._require_halts_taken()
        self.risk.conclude()
        if bot is None:
            self.note("end", "the bot does not come back")
            return
        server = {(p.ticket, p.units) for p in self._positions()}
        seen = {(p.position_ticket, p.volume_units) for p in bot.engine.portfolio.positions}
        if server != seen:
            self.note("I7.positions", f"server {sorted(server)}, bot {sorted(seen)}")
        book, known = self._server.book, self._journal.deals()
        told = [replace(deal, comment="") for deal in book.ledger.deals]  # brokers rewrite comments
        if [replace(deal, comment="") for deal in known] != told:
            missing = set(told) - {replace(deal, comment="") for deal in known}
            tickets = sorted(deal.deal_ticket for deal in missing)
            self.note("I7.deals", f"{len(known)} of {len(book.ledger.deals)}, missing {tickets}")
        if sum(deal.net_minor for deal in known) != book.balance_minor:
            self.note("I4.journal", f"balance {book.balance_minor}")

    def _require_halts_taken(self) -> None:
        level, waiting = self._journal.halt_level(), self._journal.pending_halts()
        if waiting or level < self._journal.asked_level:
            asked = [halt.level for halt in waiting]
            self.note("I8.taken", f"level {level}, {self._journal.asked_level} asked, {asked} wait")
        tickets = self.standing_under_halt()
        if tickets:
            self.note("I8.flat", f"level {level}, and positions {tickets} stand")

    def standing_under_halt(self) -> list[int]:
        """Return the tickets that the halt closes and that could be closed and are not."""
        level = self._journal.halt_level()
        held = {3: self._own_positions(), 4: self._positions()}.get(level, [])
        return [one.ticket for one in self.standing(held)]

    def standing(self, held: list[OpenPosition]) -> list[OpenPosition]:
        """Return the positions that could be closed now and are not being closed."""
        leaving = {one.position_ticket for one in self._server.book.live_orders}  # and not filled
        in_session = self._server.book.in_session
        held = [one for one in held if in_session(one.symbol) and one.ticket not in leaving]
        return [one for one in held if not self._lacks_volume(one.ticket)]

    def _lacks_volume(self, ticket: int) -> bool:
        """Tell whether a market has stood still since a fault took its volume: a tick ends it."""
        tries = self._tries(ticket)
        is_refused = bool(tries) and tries[-1].detail.startswith(str(mt5.TRADE_RETCODE_REJECT))
        quote = self._server.book.quote(tries[-1].intent.symbol) if is_refused else None
        return quote is not None and quote.time_ms < (self.healed_ms or 0)

    def _require_outcome(self, row: IntentRow) -> None:
        works = {one.magic for one in self._server.book.live_orders}  # its prices may have ended
        if row.is_open and row.intent_id not in works:
            self.note("I7.open", f"intent {row.intent_id} is {row.state.name}: {row.detail}")
        if row.intent.action is IntentAction.MODIFY or (row.is_open and row.intent_id in works):
            return
        tickets = self._by_intent.get(row.intent_id, [])
        filled = sum(self._filled.get(ticket, 0) for ticket in tickets)
        if row.filled_units != filled:
            detail = f"journal {row.state.name} {row.filled_units}, server {filled}"
            self.note("I7.filled", f"{row.intent.action.name} {row.intent_id}: {detail}")

    # ------------------------------------------------------------------ the server's truth

    def _positions(self) -> list[OpenPosition]:
        return self._server.book.open_positions

    def _own_positions(self) -> list[OpenPosition]:
        return [one for one in self._positions() if OURS.owns(one.magic)]

    def is_ours(self, position: OpenPosition) -> bool:
        """Tell whether the bot has opened a position."""
        return OURS.owns(position.magic)

    def is_own_entry(self, order: LiveOrder) -> bool:
        """Tell whether an order that waits is an entry of the bot."""
        return OURS.owns(order.magic) and not order.position_ticket

    def _coming(self) -> list[int]:
        """Return the entries that the server has taken in and not filled, by number."""
        waiting = [
            one.magic
            for one in self._server.book.live_orders
            if OURS.owns(one.magic) and not one.position_ticket
        ]
        late = (
            (due_ms, task)
            for due_ms, (login, task) in self._server.late
            if login == HOME and isinstance(task, OrderRequest) and not task.position_ticket
        )
        return waiting + [
            task.magic
            for due_ms, task in late
            if OURS.owns(task.magic) and self._is_within_quiet(task.magic, due_ms)
        ]

    def _is_timely(self, position: OpenPosition) -> bool:
        return self._is_within_quiet(position.magic, position.open_ms)

    def _is_within_quiet(self, magic: int, executed_ms: int) -> bool:
        """Tell whether limits are promised to hold for it: not for what comes after the quiet."""
        created_ms = self._created_ms.get(magic)
        return created_ms is None or executed_ms - created_ms < QUIET_MS

    def _is_old(self, position: OpenPosition) -> bool:
        """Tell whether the bot's last reading must have shown it; later ones it has not seen."""
        return self.read_ms - position.open_ms > _SEEN_BY_THEN_MS

    def _key(self, magic: int) -> tuple[str, str]:
        row = self._journal.row(magic)
        return ("", "") if row is None else (row.intent.strategy_id, row.intent.symbol)
