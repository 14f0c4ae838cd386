"""What every room stands on: errors, registries, time and ids, bilingual text, definitions, expressions.

Imports nothing else of Formloop, no Flask and no SQL connection.
"""
