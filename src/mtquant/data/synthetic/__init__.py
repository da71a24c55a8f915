"""A market that never was: M1 bars from a seed, for symbols that belong together."""

from mtquant.data.synthetic.market import SyntheticMarket
from mtquant.data.synthetic.spec import SyntheticSpec, synthetic_bars

__all__ = ["SyntheticMarket", "SyntheticSpec", "synthetic_bars"]
