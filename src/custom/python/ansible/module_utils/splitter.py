"""Quoted text."""


def is_quoted(data):
    """Says whether text stands in quotes."""
    return len(data) > 1 and data[0] == data[-1] and data[0] in ('"', "'")


def unquote(data):
    """Takes the quotes away."""
    return data[1:-1] if is_quoted(data) else data
