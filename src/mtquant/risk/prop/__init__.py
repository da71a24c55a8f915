"""Rules of prop firms as data, the guard that keeps an account off them, and the dry question."""

from mtquant.model.news import Impact, NewsEvent
from mtquant.risk.prop.clock import PropClock
from mtquant.risk.prop.days import DayBook
from mtquant.risk.prop.evaluation import (
    ClosedTrade,
    Evaluation,
    Failure,
    PathPoint,
    Verdict,
    evaluate,
)
from mtquant.risk.prop.flat import must_be_flat
from mtquant.risk.prop.guard import PropEvent, PropEventKind, PropGuard
from mtquant.risk.prop.kinds import (
    BaseShare,
    ConsistencyEffect,
    ConsistencyScope,
    DailyBase,
    Effect,
    FirstDayBase,
    Level,
    MaxLossKind,
    Measure,
    PropStatus,
    Scope,
)
from mtquant.risk.prop.news import blackout
from mtquant.risk.prop.objectives import Objective
from mtquant.risk.prop.spec import (
    MAY_BE_LEFT_OPEN,
    Consistency,
    DailyLoss,
    DayRule,
    MaxLoss,
    NewsRule,
    Phase,
    ProfitableDays,
    PropRules,
    StopLossRule,
    WeekendRule,
)
from mtquant.risk.prop.stops import stop_loss_breach
from mtquant.risk.prop.unkept import Unkept, unkept_rules

__all__ = [
    "MAY_BE_LEFT_OPEN",
    "BaseShare",
    "ClosedTrade",
    "Consistency",
    "ConsistencyEffect",
    "ConsistencyScope",
    "DailyBase",
    "DailyLoss",
    "DayBook",
    "DayRule",
    "Effect",
    "Evaluation",
    "Failure",
    "FirstDayBase",
    "Impact",
    "Level",
    "MaxLoss",
    "MaxLossKind",
    "Measure",
    "NewsEvent",
    "NewsRule",
    "Objective",
    "PathPoint",
    "Phase",
    "ProfitableDays",
    "PropClock",
    "PropEvent",
    "PropEventKind",
    "PropGuard",
    "PropRules",
    "PropStatus",
    "Scope",
    "StopLossRule",
    "Unkept",
    "Verdict",
    "WeekendRule",
    "blackout",
    "evaluate",
    "must_be_flat",
    "stop_loss_breach",
    "unkept_rules",
]
