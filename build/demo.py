"""Run role profiles through credproc in a throwaway home: directly, with the AWS CLI, with boto3, and with MFA."""

import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NoReturn

from tests.sts import Sts, Trust, User

ROLE = "arn:aws:iam::123456789012:role/{name}"
CONFIG = """\
[profile marketingadmin]
region             = us-west-2
credential_process = {credproc} --profile marketingadmin-role

[profile marketingadmin-role]
role_arn       = {marketingadmin}
source_profile = user1

[profile billing-role]
role_arn       = {billing}
source_profile = user1
mfa_serial     = {serial}

[profile audit-role]
role_arn       = {audit}
source_profile = user1
mfa_serial     = {serial}
"""
BOTO3 = 'import boto3; print(boto3.client("sts").get_caller_identity()["Arn"])'
SECRETS = re.compile(r'("(?:SecretAccessKey|SessionToken)":")[^"]*')
PROMPT = b": "  # what the prompt for a code ends in
PATIENCE = 30  # seconds for the prompt to appear


def main(credproc: str, aws: str) -> None:
    """Run the demo with the paths of these two programs; exit with status 1 if a result is not the expected one."""
    with Sts() as sts, tempfile.TemporaryDirectory(prefix="credproc-demo-") as home:
        demo = Demo(Path(home), sts, credproc)
        demo.show("Directly: one call of AssumeRole", [credproc, "--profile", "marketingadmin-role"])
        entries = demo.entries()
        if len(entries) != 1:
            fail("nothing was cached")
        identity = [aws, "sts", "get-caller-identity", "--output", "text", "--query", "Arn"]
        demo.show("The AWS CLI, through its credential_process line: a cache hit", identity)
        demo.show("boto3, likewise", [sys.executable, "-c", BOTO3])
        demo.show("Directly, once more", [credproc, "--profile", "marketingadmin-role"])
        if demo.entries() != entries:
            fail("the cache was written again, so those were not cache hits")
        demo.expect({"AssumeRole": 1})
        report("\nAll of this needed one call of AssumeRole; the rest came from the cache.")

        demo.show_prompt("A role that needs MFA: a TOTP generator types", [credproc, "--profile", "billing-role"])
        demo.show("A second role of the same user, without a code", [credproc, "--profile", "audit-role"])
        demo.expect({"AssumeRole": 3, "GetSessionToken": 1})
        report("\nOne code got a session of 12 hours, which both roles used.")
    report("\nFor a role profile of your own, which asks before it changes a file:\n")
    report(f"  {credproc} setup")


class Demo:
    """A throwaway home directory with its profiles, the STS that they reach, and the environment of the programs."""

    def __init__(self, home: Path, sts: Sts, credproc: str) -> None:
        """Make the user and the roles in STS, and write the two AWS files into the home directory."""
        self.home, self.sts = home, sts
        self.user: User = sts.user("user1", mfa=True)
        roles = {name: ROLE.format(name=name) for name in ("marketingadmin", "billing", "audit")}
        for name, arn in roles.items():
            sts.role(arn, Trust((self.user.arn,), mfa_required=name != "marketingadmin"))
        foreign = re.compile(r"_?AWS_|CREDPROC_|.*_PROXY$", re.IGNORECASE)
        kept = {name: value for name, value in os.environ.items() if not foreign.match(name)}
        self.environ = kept | {
            "HOME": str(home),
            "XDG_CACHE_HOME": str(home / ".cache"),
            "AWS_PROFILE": "marketingadmin",
            "AWS_ENDPOINT_URL_STS": sts.url,
            "CREDPROC_SESSION_STORE": "file",  # and not your keyring, which the demo must leave alone
        }
        (home / ".aws").mkdir()
        config = CONFIG.format(credproc=credproc, serial=self.user.mfa_serial, **roles)
        (home / ".aws" / "config").write_text(config)
        keys = [
            f"aws_access_key_id = {self.user.access_key_id}",
            f"aws_secret_access_key = {self.user.secret_access_key}",
        ]
        (home / ".aws" / "credentials").write_text("\n".join(["[user1]", *keys, ""]))
        report(config.rstrip())
        report("\nWaiting 2 s: the cache does not rely on the time stamp of a file that has just been written")
        time.sleep(2.1)

    def show(self, title: str, command: list[str]) -> None:
        """Run the command, and print its output without secrets and its duration. Exit if it fails."""
        announce(title, command)
        began = time.perf_counter()
        ran = subprocess.run(command, env=self.environ, capture_output=True, text=True, check=False)
        milliseconds = (time.perf_counter() - began) * 1000
        report(f"  {hidden(ran.stdout.strip())}\n  ({milliseconds:.0f} ms)")
        if ran.returncode != 0 or not ran.stdout.strip() or ran.stderr:
            fail(f"exit status {ran.returncode}: {ran.stderr.strip()}")
        if command[0].endswith("credproc"):
            json.loads(ran.stdout)
        elif "assumed-role/marketingadmin/" not in ran.stdout:
            fail("these are not credentials of the role")

    def show_prompt(self, title: str, command: list[str]) -> None:
        """Run the command on a terminal of its own, type the code that it asks for, and print what was on it."""
        announce(title, command)
        pid, terminal = pty.fork()
        if not pid:
            os.execve(command[0], command, self.environ)  # noqa: S606 - no shell, as meant
        signal.alarm(PATIENCE)  # its default action ends the demo where no prompt appears
        shown = b""
        while not shown.endswith(PROMPT):
            shown += os.read(terminal, 1024)
        signal.alarm(0)
        os.write(terminal, f"{self.user.unused_code()}\n".encode())
        while some := _read(terminal):
            shown += some
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        lines = hidden(shown.decode()).split("\r\n")
        report("\n".join(f"  {line}" for line in lines if line))
        if status:
            fail(f"exit status {status}")

    def expect(self, calls: dict[str, int]) -> None:
        """Exit if STS has not been called just so, apart from GetCallerIdentity, which the SDKs called."""
        made = Counter(call.action for call in self.sts.calls if call.action != "GetCallerIdentity")
        if made != calls:
            fail(f"STS was called otherwise: {dict(made)}, not {calls}")

    def entries(self) -> dict[str, int]:
        """Return the names of the cache entries, with the time of the last write in nanoseconds."""
        return {path.name: path.stat().st_mtime_ns for path in (self.home / ".cache" / "credproc").glob("*.entry")}


def _read(terminal: int) -> bytes:
    """Read from the terminal; nothing once its last program has gone, which Linux reports as an error."""
    try:
        return os.read(terminal, 1024)
    except OSError:
        return b""


def hidden(output: str) -> str:
    """Return a program's output without the secrets of credential documents."""
    return SECRETS.sub(r"\1...", output)


def announce(title: str, command: list[str]) -> None:
    """Print what comes, and the command as one would type it."""
    report(f"\n{title}\n  $ {shlex.join([os.path.basename(command[0]), *command[1:]])}")


def report(text: str) -> None:
    """Print a line and flush it."""
    print(text, flush=True)


def fail(what: str) -> NoReturn:
    """Print an error and exit with status 1."""
    sys.exit(f"demo: {what}")


if __name__ == "__main__":
    main(*sys.argv[1:])
