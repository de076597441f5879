"""The guide's profiles through credproc: by hand, by the AWS CLI, by boto3; fails if anything is not as said."""

import json
import logging
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NoReturn

from moto.server import ThreadedMotoServer

ROLE = "arn:aws:iam::123456789012:role/marketingadminrole"
CONFIG = """\
[profile marketingadmin]
region             = us-west-2
credential_process = {credproc} --profile marketingadmin-role

[profile marketingadmin-role]
role_arn       = {role}
source_profile = user1
"""
# moto takes any keys; these are the ones of the AWS documentation
CREDENTIALS = """\
[user1]
aws_access_key_id     = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
"""
BOTO3 = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
SECRETS = re.compile(r'("(?:SecretAccessKey|SessionToken)":")[^"]*')


def main(credproc: str, aws: str) -> None:
    """Run the demonstration with these two programs."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # or each request would be a line on the terminal
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with tempfile.TemporaryDirectory(prefix="credproc-demo-") as home:
        demo = Demo(Path(home), f"http://{host}:{port}", credproc)
        demo.show("By hand: a document, from one call of AssumeRole", [credproc, "--profile", "marketingadmin-role"])
        entries = demo.entries()
        if len(entries) != 1:
            fail("nothing was kept in the cache")
        identity = [aws, "sts", "get-caller-identity", "--output", "text", "--query", "Arn"]
        demo.show("The AWS CLI, through the credential_process line: a hit", identity)
        demo.show("boto3, the same", [sys.executable, "-c", BOTO3])
        demo.show("By hand once more", [credproc, "--profile", "marketingadmin-role"])
        if demo.entries() != entries:
            fail("the cache was written again: those were no hits")
        if demo.refreshes() != 1:
            fail("the log does not tell of one refresh")
        say("\nOne call of AssumeRole in all; everything after it came from the cache.")
    server.stop()
    say("\nIn your own ~/.aws/config:\n")
    yours = CONFIG.format(credproc=credproc, role="arn:aws:iam::ACCOUNT:role/ROLE")
    say(yours.replace("user1", "THE-PROFILE-WITH-YOUR-KEYS"))


class Demo:
    """A throwaway home and the environment that programs are run in."""

    def __init__(self, home: Path, url: str, credproc: str) -> None:
        """Write the two files into the home; ``url`` is where STS answers."""
        self.home = home
        foreign = re.compile(r"_?AWS_|CREDPROC_|.*_PROXY$", re.IGNORECASE)
        kept = {name: value for name, value in os.environ.items() if not foreign.match(name)}
        self.environ = kept | {
            "HOME": str(home),
            "XDG_CACHE_HOME": str(home / ".cache"),
            "AWS_PROFILE": "marketingadmin",
            "AWS_ENDPOINT_URL_STS": url,
        }
        (home / ".aws").mkdir()
        (home / ".aws" / "config").write_text(CONFIG.format(credproc=credproc, role=ROLE))
        (home / ".aws" / "credentials").write_text(CREDENTIALS)
        say((home / ".aws" / "config").read_text().rstrip())
        time.sleep(2.1)  # a file that has just been written may change again unseen, and is looked at twice

    def show(self, title: str, command: list[str]) -> None:
        """Run the command and show what it prints, without secrets, and how long it took."""
        began = time.perf_counter()
        ran = subprocess.run(command, env=self.environ, capture_output=True, text=True, check=False)
        milliseconds = (time.perf_counter() - began) * 1000
        shown = " ".join([os.path.basename(command[0]), *command[1:]])
        printed = SECRETS.sub(r"\1...", ran.stdout.strip())
        say(f"\n{title}\n  $ {shown}\n  {printed}\n  ({milliseconds:.0f} ms)")
        if ran.returncode != 0 or not ran.stdout.strip() or ran.stderr:
            fail(f"it exited with {ran.returncode}: {ran.stderr.strip()}")
        if command[0].endswith("credproc"):
            json.loads(ran.stdout)
        elif f"assumed-role/{ROLE.rpartition('/')[2]}/" not in ran.stdout:
            fail("that is not the role")

    def entries(self) -> dict[str, int]:
        """Return the cache's entries and when each was written."""
        return {path.name: path.stat().st_mtime_ns for path in (self.home / ".cache" / "credproc").glob("*.entry")}

    def refreshes(self) -> int:
        """Return how many refreshes the log tells of."""
        return (self.home / ".cache" / "credproc" / "credproc.log").read_text().count(" refreshed: ")


def say(text: str) -> None:
    """Print at once."""
    print(text, flush=True)


def fail(what: str) -> NoReturn:
    """End with status 1."""
    sys.exit(f"demo: {what}")


if __name__ == "__main__":
    main(*sys.argv[1:])
