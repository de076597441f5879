"""The two AWS files: found, opened, parsed, and edited line by line."""
