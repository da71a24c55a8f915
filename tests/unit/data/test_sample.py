"""The shipped sample is what its metadata say, and bid lies a spread below ask."""

from importlib.resources import as_file, files

from mtquant.data import SAMPLE_SPREAD_POINTS, load_bars, load_sample, sample_metadata
from mtquant.model import Timeframe


def test_the_sample_has_the_rows_and_the_content_of_its_metadata():
    metadata = sample_metadata()
    with as_file(files("mtquant.data") / "sample" / "eurusd_h1_2017_ask.npz") as path:
        ask = load_bars(path)

    assert ask.content_hash() == metadata["content_sha256"]
    assert len(ask) == metadata["rows"] == 6225
    assert metadata["licence"].startswith("MIT")


def test_the_bid_lies_one_spread_below_the_ask():
    usual, wide = load_sample(), load_sample(spread_points=25)

    assert (usual.symbol, usual.timeframe, usual.digits) == ("EURUSD", Timeframe.H1, 5)
    assert set(usual.spread.tolist()) == {SAMPLE_SPREAD_POINTS}
    assert (usual.close + SAMPLE_SPREAD_POINTS).tolist() == (wide.close + 25).tolist()
