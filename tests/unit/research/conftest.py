"""Make `market_play`, the tests' own way to play a market, importable beside them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
