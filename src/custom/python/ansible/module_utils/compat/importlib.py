"""Imports a module by its name."""
from importlib import import_module  # noqa: F401
