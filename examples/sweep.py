"""Sweep two parameters of the shipped strategy over two months, print the best and the count.

    python examples/sweep.py

An example of how the parts fit together, not advice.
"""

from __future__ import annotations

from mtquant.app.sweep import make_setup, parse_period, run_setup
from mtquant.research.sweep import make_grid, parse_axes


def main() -> None:
    """Run the grid with the costs, exits and limits of the shipped configuration."""
    setup = make_setup(periods=[parse_period("spring=2017-03-01..2017-05-01")])
    space = make_grid(parse_axes(["fast=5:20:5", "slow=20:60:20"], setup.parameters))
    results = run_setup(setup, space)
    for row in results.ranked("sharpe", min_trades=10)[:3].tolist():
        parameters, sharpe = results.combination(row), results.figure("sharpe", row)
        print(f"trial {row + 1}: {parameters}, sharpe {sharpe:.2f}")
    print(f"the best of {len(results)} trials look better than they are")


if __name__ == "__main__":  # needed when there are several workers
    main()
