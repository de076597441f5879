"""What mypy finds, or must find; build/test runs it behind mypy, whose cache it uses."""
