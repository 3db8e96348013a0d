"""The taxonomy grown by a model and decided on by people: draft, votes, review (paper, section 2.1)."""
