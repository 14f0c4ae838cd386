"""Forms: a JSON Schema document becomes a real table, screens and records.

One service (`records`) changes records, whoever asks: screen, API, import, bridge, workflow.
Knows field types only through their contract (`spec.FieldType`) and no form by name.
"""
