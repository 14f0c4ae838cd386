"""Telling people what concerns them: in the app at once, and over the channels they chose, at once or once a day.

A notice is written with the change it tells of and leaves by the outbox. Never decides what is worth telling:
that is for whoever calls `tell`.
"""

from formloop.bridges.notices.service import KINDS, forget, is_told, note_seen, tell

__all__ = ["KINDS", "forget", "is_told", "note_seen", "tell"]
