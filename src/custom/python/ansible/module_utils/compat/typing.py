"""The names for types."""
from typing import *  # noqa: F401,F403
