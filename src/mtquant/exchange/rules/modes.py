"""Numbers of the calculation and swap modes, as the compiled rules take them.

Sources: MQL5 reference, ENUM_SYMBOL_CALC_MODE and ENUM_SYMBOL_SWAP_MODE. The numbers are our own.
"""

from __future__ import annotations

FOREX, FOREX_NO_LEVERAGE, CFD, CFD_LEVERAGE, CFD_INDEX, FUTURES = 0, 1, 2, 3, 4, 5
EXCH_STOCKS, EXCH_FUTURES, EXCH_FUTURES_FORTS, EXCH_BONDS = 6, 7, 8, 9
EXCH_STOCKS_MOEX, EXCH_BONDS_MOEX, SERV_COLLATERAL = 10, 11, 12


def price_value(
    mode: int, contract_size: float, tick_value: float, tick_size: float, face_value: float
) -> float:
    """Return what one lot gains when its price rises by 1.0, in the profit currency.

    Args:
        mode: calculation mode.
        contract_size: of one lot.
        tick_value: worth of one tick size per lot, for futures.
        tick_size: smallest price step; 0 or less makes a future worth nothing.
        face_value: of a bond, whose price is a percentage of it.
    """
    if mode == SERV_COLLATERAL:
        return 0.0
    if mode in (FUTURES, EXCH_FUTURES, EXCH_FUTURES_FORTS):
        return tick_value / tick_size if tick_size > 0 else 0.0
    if mode in (EXCH_BONDS, EXCH_BONDS_MOEX):
        return contract_size * face_value / 100.0
    return contract_size


def margin_value(
    mode: int, contract_size: float, tick_value: float, tick_size: float, face_value: float
) -> float:
    """Return what multiplies the lots (and the price, where it enters) in the margin formula.

    Index CFDs take contract x tick value / tick size, bonds contract x face value / 100, all
    others the contract; futures without a fixed margin and collateral need none. Arguments as in
    `price_value`.
    """
    if mode in (FUTURES, EXCH_FUTURES, EXCH_FUTURES_FORTS, SERV_COLLATERAL):
        return 0.0
    if mode == CFD_INDEX:
        return contract_size * tick_value / tick_size if tick_size > 0 else 0.0
    if mode in (EXCH_BONDS, EXCH_BONDS_MOEX):
        return contract_size * face_value / 100.0
    return contract_size
