"""Prefect tasks: thin shells around the core."""
