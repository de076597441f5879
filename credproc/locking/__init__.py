"""One run at a time: the lock, what those who wait say and share, and the directory of the lock files."""
