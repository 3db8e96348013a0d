"""The stages, one module each: requests out, replies into rows. They meet in records, never in each other."""
