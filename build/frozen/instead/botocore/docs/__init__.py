"""Botocore's package of this name imports all that writes documentation, and no one reads documentation here."""
