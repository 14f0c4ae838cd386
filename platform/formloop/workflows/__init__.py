"""Workflows: a record that is submitted passes the steps of its form's workflow, each decided by people.

The engine is pure and knows step kinds (`nodes/`) and ways to choose people (`assignees/`) by their contracts
only. Records change through the forms service alone; this room never writes a form's table.
"""
