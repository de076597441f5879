"""credproc: role credentials for every AWS SDK through one ``credential_process`` line."""

__version__ = "0.1.0"
