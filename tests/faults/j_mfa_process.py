"""J. mfa_process."""

ROWS = ()
