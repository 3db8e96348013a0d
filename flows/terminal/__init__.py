"""What `glan` does with what a person types, and what it shows them: a file for each group of commands."""
