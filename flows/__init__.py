"""The jobs a person starts."""
