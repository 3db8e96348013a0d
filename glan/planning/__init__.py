"""What there is to do: the units of a discipline, which of them are done, what the rest will cost."""
