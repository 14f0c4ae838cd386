"""Datasets: saved queries over forms and other datasets, for lists, charts, plans and programs.

A dataset grants nothing: whoever reads one sees the rows and cells that their own rights on its sources give, and a
hidden cell counts as empty in filters, joins, groups and measures. Never writes a record.
"""
