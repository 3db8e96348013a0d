"""A snapshot's kept instructions as immutable folders of chat files that anyone's reader takes."""
