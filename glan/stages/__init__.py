"""The stages, one module each, named like their tables, and what several of them need.

Requests out, replies into rows. They meet in records, never in each other."""
