"""Measurements that anyone can run: `python -m bench.<name>`. Nothing here is needed to use glan."""
