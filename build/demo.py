"""Run the profiles of the AWS CLI guide through credproc: directly, with the AWS CLI and with boto3."""

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
# moto accepts any keys; these are from the AWS documentation
CREDENTIALS = """\
[user1]
aws_access_key_id     = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
"""
BOTO3 = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
SECRETS = re.compile(r'("(?:SecretAccessKey|SessionToken)":")[^"]*')


def main(credproc: str, aws: str) -> None:
    """Run the demo with the paths of these two programs; exit with status 1 if a result is not the expected one."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # else it prints a line for each request
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with tempfile.TemporaryDirectory(prefix="credproc-demo-") as home:
        demo = Demo(Path(home), f"http://{host}:{port}", credproc)
        demo.show(
            "Directly: one call of AssumeRole returns the credentials", [credproc, "--profile", "marketingadmin-role"]
        )
        entries = demo.entries()
        if len(entries) != 1:
            fail("nothing was cached")
        identity = [aws, "sts", "get-caller-identity", "--output", "text", "--query", "Arn"]
        demo.show("The AWS CLI, through its credential_process line: a cache hit", identity)
        demo.show("boto3, likewise", [sys.executable, "-c", BOTO3])
        demo.show("Directly, once more", [credproc, "--profile", "marketingadmin-role"])
        if demo.entries() != entries:
            fail("the cache was written again, so those were not cache hits")
        if demo.refreshes() != 1:
            fail("the log does not contain exactly one refresh")
        report("\nAll of this needed one call of AssumeRole; the rest came from the cache.")
    server.stop()
    report("\nFor your own ~/.aws/config:\n")
    yours = CONFIG.format(credproc=credproc, role="arn:aws:iam::ACCOUNT:role/ROLE")
    report(yours.replace("user1", "THE-PROFILE-WITH-YOUR-KEYS"))


class Demo:
    """A temporary home directory, and the environment for the programs that are run."""

    def __init__(self, home: Path, url: str, credproc: str) -> None:
        """Write the two AWS files into the home directory; ``url`` is the endpoint of STS."""
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
        report((home / ".aws" / "config").read_text().rstrip())
        time.sleep(2.1)  # credproc does not trust the time stamp of a file that is younger, and would parse it again

    def show(self, title: str, command: list[str]) -> None:
        """Run the command, and print its output without secrets and its duration. Exit if it fails."""
        began = time.perf_counter()
        ran = subprocess.run(command, env=self.environ, capture_output=True, text=True, check=False)
        milliseconds = (time.perf_counter() - began) * 1000
        shown = " ".join([os.path.basename(command[0]), *command[1:]])
        printed = SECRETS.sub(r"\1...", ran.stdout.strip())
        report(f"\n{title}\n  $ {shown}\n  {printed}\n  ({milliseconds:.0f} ms)")
        if ran.returncode != 0 or not ran.stdout.strip() or ran.stderr:
            fail(f"exit status {ran.returncode}: {ran.stderr.strip()}")
        if command[0].endswith("credproc"):
            json.loads(ran.stdout)
        elif f"assumed-role/{ROLE.rpartition('/')[2]}/" not in ran.stdout:
            fail("these are not credentials of the role")

    def entries(self) -> dict[str, int]:
        """Return the names of the cache entries, with the time of the last write in nanoseconds."""
        return {path.name: path.stat().st_mtime_ns for path in (self.home / ".cache" / "credproc").glob("*.entry")}

    def refreshes(self) -> int:
        """Return the number of refreshes in the log."""
        return (self.home / ".cache" / "credproc" / "credproc.log").read_text().count(" refreshed: ")


def report(text: str) -> None:
    """Print a line and flush it."""
    print(text, flush=True)


def fail(what: str) -> NoReturn:
    """Print an error and exit with status 1."""
    sys.exit(f"demo: {what}")


if __name__ == "__main__":
    main(*sys.argv[1:])
