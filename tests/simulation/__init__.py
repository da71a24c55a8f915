"""Deterministic simulation of order safety: the real core, one clock, one seed, faults, crashes."""
