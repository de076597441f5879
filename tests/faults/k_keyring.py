"""K. Keyring."""

ROWS = ()
