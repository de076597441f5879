"""A code typed in a pseudo-terminal, and its session: `python -m tests.tried keyring` (or `file`), for build/freeze.

The program is the one that CREDPROC_TEST_PROGRAM names; the exit status is not 0 where it does something else.
"""

import sys
import tempfile
from pathlib import Path

from tests.keyrings import SecretService
from tests.mfa import world


def main(store: str) -> None:
    """Sign in once, and use the session, which is kept in this store, for another role."""
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory) / "home"
        with world(home, ("admin", "other"), CREDPROC_SESSION_STORE=store) as w, SecretService(home) as service:
            w.home.environ.update(service.environ)
            w.answered("admin")
            w.unasked("other")
            assert len(service.items()) == (1 if store == "keyring" else 0)
            assert w.actions == ["GetSessionToken", "AssumeRole", "AssumeRole"]


if __name__ == "__main__":
    main(sys.argv[1])
