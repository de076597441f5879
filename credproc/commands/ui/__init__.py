"""What commands print and ask: output, tables, line breaks, progress, prompts and times."""
