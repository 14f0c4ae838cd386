"""Fixtures of the room's tests."""

from bridges.trade import trade

__all__ = ["trade"]
