"""Who may do what: people, departments, roles, grants, sign-in, sessions, tokens, audit.

Every other room asks the gate here before it reads or writes. Denied unless a grant allows.
Never knows what a form is: a grant names a resource such as `form:sales_order`.
"""
