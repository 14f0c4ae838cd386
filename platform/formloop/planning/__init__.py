"""Planning: calculations bound to datasets and forms by a definition, run by a job or by a step of a workflow.

Operators are pure and know neither database nor business; a plan says which dataset feeds which port and which form
takes which output. Records are only written through forms. Never decides who may see its results: forms do.
"""
