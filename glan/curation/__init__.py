"""Which questions and answers are kept, and why the others are not."""
