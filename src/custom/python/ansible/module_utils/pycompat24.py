"""The exception that is being handled, for old modules."""
import sys
from ast import literal_eval  # noqa: F401


def get_exception():
    """Gives the exception that is being handled."""
    return sys.exc_info()[1]
