"""Formloop: definitions become screens, approval chains, bridges, ledgers and plans."""

__version__ = "0.1.0"
