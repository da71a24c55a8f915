"""Bars kept by content: memory-mapped columns that several processes share."""

from mtquant.data.store.bars_store import BarsStore
from mtquant.data.store.entry import LAYOUT_VERSION, StoredBars, UnreadableEntry

__all__ = ["LAYOUT_VERSION", "BarsStore", "StoredBars", "UnreadableEntry"]
