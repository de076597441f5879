"""How commands speak with a person: output, tables, lines, progress, questions and times."""
