"""Cases written from tables: each module here has `cases()`, which yields (topic/name, text of the case)."""
from . import combined, expressions, failures, keywords, lookups, magic, precedence

MODULES = [combined, expressions, failures, keywords, lookups, magic, precedence]


def cases():
    for module in MODULES:
        yield from module.cases()
