"""Run one at a time: the lock, the notice to a user who waits, a declined prompt that is shared, and the directory."""
