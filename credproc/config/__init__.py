"""The two AWS files: read, parsed, edited line by line, and replaced."""
