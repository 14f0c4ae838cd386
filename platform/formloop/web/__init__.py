"""The shell every page stands in: layout, page-or-part rendering, routes, error pages, languages, security.

Knows no people and no rights: who looks at a page and what they may do is told to it by `access`, through
`viewer.see_as` and `routes.use_check`. Never reads or writes business tables.
"""
