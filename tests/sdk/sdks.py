"""The SDKs, and what is known of each: how it starts, when it runs the helper again, what it shows of its message.

The numbers are those that CONTRACT.md, 1.3, has too; a run with the SDK has shown each.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "build" / "work" / "sdk"
PROGRAMS = ROOT / "tests" / "sdk" / "programs"
WHO = ("sts", "get-caller-identity", "--query", "{arn:Arn}", "--output", "json")
PAGES = ("s3api", "list-objects-v2", "--bucket", "whoami", "--query", "Contents[].Key", "--output", "json")

# How a section of a profile with a space in its name may be written: file, and what stands in the brackets
QUOTED = ("config", 'profile "my sdk"')
PLAIN = ("config", "profile my sdk")
BARE = ("credentials", "my sdk")


@dataclass(frozen=True, kw_only=True)
class Sdk:
    """One SDK."""

    name: str
    command: tuple[str, ...]
    arguments: tuple[str, ...] = ()  # for one call
    lines: tuple[str, ...] | None = ("lines",)  # for one call for each line of stdin; None: it lists pages instead
    pages: tuple[str, ...] = PAGES  # for that
    says_endpoint: bool = False  # whether it has to be told by --endpoint-url
    user_agent: str  # what stands before the version
    service: Literal["sts", "s3"] = "sts"
    each: int = 0  # runs of the helper at each further call of a process, however long its credentials last
    window: int  # seconds before their end from which credentials are asked for anew
    jitter: int = 0  # up to so many of these seconds fewer, by chance
    requests: int = 1  # that are granted, for one call; the pages of a list are more
    within: tuple[int, int, int]  # runs of the helper after each of three calls with credentials in it from the start
    old_in_window: bool = False  # whether the first call in the window is still signed with the old ones
    starts: int = 1  # runs of a helper that works, until the first call is signed
    failing: int = 1  # runs of a helper that fails
    unsigned: bool = False  # whether it then sends its request without a signature
    patience: float | None = None  # seconds until it gives up on a helper; None: later than a prompt closes, if ever
    # Where a helper's stderr goes: into the error, to ours, into a pipe that nobody shows, or where the helper can tell
    # that nobody will
    message: Literal["quoted", "shown", "lost", "discarded"]
    spaced: tuple[tuple[str, str], ...] = ()  # the ways in which it reads a profile's name with a space
    credentials_file: bool = True  # whether it looks for credential_process there
    quotes: bool = True  # whether a word of the line may be quoted
    serves: bool = True  # whether it asks the endpoint that `exec --serve` has
    assumes: Literal["profile", "argument", "no"] = "profile"  # how it assumes a role with what a helper gives

    @property
    def short(self) -> int:
        """Seconds that credentials may last and be in the window all the time; where there is no window, any number."""
        return self.window - self.jitter if self.jitter else int(self.window * 0.9) or 300

    def argv(self, endpoint: str) -> list[str]:
        """Return the words that start it for one call."""
        return [*self.command, *self.arguments, *self._said(endpoint)]

    def listing(self, endpoint: str) -> list[str]:
        """Return the words that start it for a list of many pages."""
        return [*self.command, *self.pages, *self._said(endpoint)]

    def _said(self, endpoint: str) -> list[str]:
        return ["--endpoint-url", endpoint] if self.says_endpoint else []


_FAST_START = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


def _python(environment: str) -> tuple[str, str]:
    return (str(BUILT / environment / "bin" / "python"), str(PROGRAMS / "pyarrow_s3.py"))


SDKS = (
    Sdk(
        name="boto3",
        command=(sys.executable, str(PROGRAMS / "boto3_sts.py")),
        user_agent="Boto3/",
        window=900,
        within=(2, 3, 4),
        message="quoted",
        spaced=(QUOTED, BARE),
    ),
    Sdk(
        name="aws-cli-1",
        command=(str(ROOT / "build" / "work" / "awscli" / "bin" / "aws"),),
        arguments=WHO,
        lines=None,
        user_agent="aws-cli/",
        window=900,
        within=(2, 3, 4),
        message="quoted",
        spaced=(QUOTED, BARE),
    ),
    Sdk(
        name="aws-cli-2",
        command=("/usr/bin/aws",),
        arguments=WHO,
        lines=None,
        says_endpoint=True,  # Debian's 2.9 is older than AWS_ENDPOINT_URL_STS
        user_agent="aws-cli/",
        window=900,
        within=(2, 3, 4),
        message="quoted",
        spaced=(QUOTED, BARE),
    ),
    Sdk(
        name="aws-sdk-js-3",
        command=("node", "--no-warnings", str(BUILT / "js" / "sts.mjs")),  # it warns of the end of Node.js 20
        user_agent="aws-sdk-js/",
        window=300,
        within=(2, 3, 4),
        old_in_window=True,  # it renews in the background
        failing=2,  # fromIni, then fromProcess
        message="lost",
    ),
    Sdk(
        name="aws-sdk-js-2",
        command=("node", "--no-warnings", str(BUILT / "js2" / "sts.mjs")),
        user_agent="aws-sdk-nodejs/",
        window=15,
        within=(2, 4, 6),  # once when it looks for credentials, once more when it signs
        message="lost",
        spaced=(PLAIN, BARE),
        assumes="argument",  # in a role profile it takes keys alone as a source
    ),
    Sdk(
        name="aws-sdk-rust",
        command=(str(BUILT / "rust" / "who"),),
        user_agent="aws-sdk-rust/",
        window=10,
        jitter=5,
        within=(1, 2, 3),
        patience=21.6,  # its identity cache's: as long as three attempts to reach AWS could take
        message="quoted",
    ),
    Sdk(
        name="aws-sdk-go-2",
        command=(str(BUILT / "go" / "who"),),
        user_agent="aws-sdk-go-v2/",
        window=0,
        within=(1, 1, 1),
        message="shown",
        spaced=(PLAIN, BARE),
    ),
    Sdk(
        name="aws-sdk-java-2",
        command=(
            "java",
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-cp",
            f"{BUILT}/java:{BUILT}/java/lib/*",
            "Who",
        ),
        user_agent="aws-sdk-java/",
        window=15,  # the default of credentialRefreshThreshold in 2.57.8
        within=(1, 2, 3),
        message="lost",  # the default chain keeps "Failed to refresh process-based credentials" and drops its cause
    ),
    Sdk(
        name="aws-sdk-cpp",
        command=_python("cpp"),
        user_agent="aws-sdk-cpp/",
        service="s3",
        window=300,
        within=(4, 5, 6),  # an S3 client asks three times before its first request, which itself asks once more
        failing=4,
        unsigned=True,
        message="discarded",
        assumes="argument",  # its chain's profiles reach the real STS only, and here they are passed over
    ),
    Sdk(
        name="aws-sdk-cpp, old",
        command=_python("cpp-legacy"),
        user_agent="aws-sdk-cpp/",
        service="s3",
        window=0,
        within=(1, 1, 1),
        failing=4,
        unsigned=True,
        message="discarded",
        credentials_file=False,
        assumes="no",  # nor by an argument: its STS client knows no other endpoint than AWS's
    ),
)
