"""How long a person waits behind the last digit: `python -m tests.latency --rounds 12`, for build/bench.

Prints a JSON list with a pair for each round, in milliseconds: from the end of the code's line to the document on
stdout, and what STS took of that to answer. Sessions are kept in a real keyring; STS takes its time as over a network.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from tests.keyrings import SecretService
from tests.mfa import PROMPT, world
from tests.sts import delay

NETWORK_SECONDS = 0.1  # a round trip, and what STS itself needs
_TYPING_SECONDS = 2.5  # a quick person


def main() -> None:
    """Measure so many rounds."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=12)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as temporary:
        pairs = [_measured(Path(temporary) / str(number)) for number in range(rounds)]
    sys.stdout.write(json.dumps(pairs) + "\n")


def _measured(path: Path) -> tuple[float, float]:
    with world(path, CREDPROC_SESSION_STORE="keyring") as w, SecretService(path) as service:
        w.home.environ.update(service.environ)
        w.sts.always(delay(NETWORK_SECONDS))
        job = w.ask("admin")
        time.sleep(_TYPING_SECONDS)
        code = w.user.unused_code()
        began = time.monotonic()
        w.terminal.send(f"{code}\n")
        w.terminal.until(lambda: job.stdout.endswith("\n"), "the document")
        waited = time.monotonic() - began
        assert job.outcome().document["Version"] == 1
        assert w.actions == ["GetSessionToken", "AssumeRole"]
        assert PROMPT not in w.terminal.unseen
        return waited * 1000, sum(call.seconds or 0 for call in w.sts.calls) * 1000


if __name__ == "__main__":
    main()
