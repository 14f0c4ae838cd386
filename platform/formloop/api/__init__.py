"""The programming interface: records over HTTP with tokens, by the same services and rights as every page.

Holds no rule of its own about records; what it adds is the form of requests and answers, and that a repeated
request has its effect once.
"""
