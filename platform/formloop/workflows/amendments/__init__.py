"""Changes of approved records: a proposal keeps old and new values, runs its own approval, and is then applied at once.

The approval is a workflow with `amends`; its cases, tasks and inbox are those of every workflow. What is applied
goes through the one way to change records. Nothing here decides who approves, and nothing writes a form's table.
"""
