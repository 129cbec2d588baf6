"""The few functions for facts that modules import."""
