"""The designers: definitions are shaped by clicking, dragging and typing into panels.

Every gesture becomes one edit of the draft, which stays on the server and can be taken back fifty times.
Panels are drawn by the form engine from the kinds' own schemas. Publishing is done by the room definitions.
"""
