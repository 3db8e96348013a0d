"""The only system of record: create-only objects in a folder or bucket, named by their content."""
