"""Snapshot -> a picture of the coverage and a page of figures and samples, for people."""
