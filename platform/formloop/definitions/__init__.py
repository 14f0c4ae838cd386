"""Drafts, versions, publishing, history, rolling back and impact, the same for every kind of definition.

What a kind means is said by the rooms above (`core.definitions.kinds`); this room never looks inside a
document. Versions are immutable; what runs is always a published one, found through `library`.
"""
