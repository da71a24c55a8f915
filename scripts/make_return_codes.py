"""Write docs/reference/return-codes.md from the table that the tests play.

Usage: python scripts/make_return_codes.py
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "return-codes.md"
HEAD = """\
# Return codes

What `order_send` answers in `retcode`, with the text in `comment`. `order_check` answers the same
codes, and 0 with the text `Done` where nothing stands in the way; it looks neither at trading hours
nor at the number of requests, and does not know whether the price will have moved or the volume be
there.

**What never left the terminal** has `request_id` 0: AutoTrading is off, the request is malformed,
the symbol has no prices, a price is missing. Everything else was answered by the server and has a
number.

**How to see it** is what a test does: settings of the [venue](configuration.md), then calls on the
embedded terminal, the last of which is answered with the code. EURUSD stands at 1.10000 / 1.10010;
the account is a hedging account with 10 000 USD and a leverage of 100, market execution. `buy()`
and `sell()` are requests for 0.1 lots at the market, `buy_limit()` and `buy_stop()` waiting orders
some 100 points away, `levels()` is `TRADE_ACTION_SLTP`, `remove()` is `TRADE_ACTION_REMOVE`; fields
in parentheses replace theirs. `terminal.…` are the `TerminalOptions` of a `SimulatedTerminal`.
`hide()` is `symbol_select("EURUSD", False)`, and `strike_next(code=…)` is `Faults.strike_next` with
an answer [on demand](faults.md), for the codes that no rule of a simulated market gives.

| Code | Constant | Text | When it comes | How to see it |
|---|---|---|---|---|
"""


def page() -> str:
    """Return the whole page."""
    if str(ROOT / "tests") not in sys.path:
        sys.path.insert(0, str(ROOT / "tests"))
    cases = import_module("return_codes").CASES
    return HEAD + "".join(row(case) for case in cases)


def row(case: Any) -> str:
    """Return a case as a row of the table."""
    from mtquant.terminal import constants as mt5
    from mtquant.terminal.simulated.retcodes import RETCODE_TEXTS

    names = [name for name in vars(mt5) if name.startswith("TRADE_RETCODE_")]
    name = next((f"`{name}`" for name in names if getattr(mt5, name) == case.code), "")
    settings = [f"`{one}`" for one in case.settings()]
    calls = [f"`{one}`" for one in case.calls]
    how = "; ".join([*settings, ", ".join(calls)])
    cells = (str(case.code), name, RETCODE_TEXTS[case.code], case.when, how)
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
