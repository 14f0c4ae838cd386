"""Ledgers: append-only entries over dimensions and measures, what they add up to, and why.

Posts inside the transaction that saves a record; reverses instead of editing; values what leaves by what came in.
Never knows what a dimension stands for and never changes an entry that has been written.
"""
