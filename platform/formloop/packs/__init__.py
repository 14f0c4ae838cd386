"""Packs: folders of definitions, translations, sample data and a scenario; read, checked, installed, exported.

Knows every room below only through its services, and no pack by name.
"""
