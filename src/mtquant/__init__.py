"""mtquant: algorithmic trading for MetaTrader 5, on any operating system.

Nothing heavy is imported here: `import mtquant` and `mtquant --help` stay quick.
Import what you need from the packages, for example `from mtquant.model import Signal`.
"""

__version__ = "0.1.0"

__all__ = ["__version__"]
