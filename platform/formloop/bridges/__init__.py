"""Bridges: what happens to a record of one form becomes records of another, and the desk where failures are repaired.

Writes only through the service of `forms`, keeps order and repetition in check through the outbox of `events`.
Never knows a form by name and never loops: a bridge does not run within its own chain.
"""
