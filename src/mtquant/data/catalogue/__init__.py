"""Instruments as real servers print them, each with where its facts come from."""

from mtquant.data.catalogue.entries import (
    Entry,
    Evidence,
    Kind,
    SpreadProfile,
    catalogued_specification,
    catalogued_symbols,
    entry,
    instrument_specs,
)

__all__ = [
    "Entry",
    "Evidence",
    "Kind",
    "SpreadProfile",
    "catalogued_specification",
    "catalogued_symbols",
    "entry",
    "instrument_specs",
]
