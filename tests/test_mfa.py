"""A token code: what counts as one, and what is said where nobody can be asked."""
