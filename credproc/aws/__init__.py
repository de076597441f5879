"""AWS: the calls that credproc makes, and what AWS refuses in our words."""
