"""What the user names, read from its own files: a folder becomes a ModelSpec."""
