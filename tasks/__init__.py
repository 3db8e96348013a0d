"""Prefect tasks, thin shells around the core, and what a run tells Prefect."""
