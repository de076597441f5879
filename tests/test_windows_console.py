"""The prompt on a console of Windows, under Wine: what build/windows installs, and tmux for the person."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("the rigs are made for Linux", allow_module_level=True)

from tests import tmux, windows_console
from tests.metadata import Container
from tests.program import ROLE, Home
from tests.sts import Sts, Trust, User
from tests.windows_console import (
    CREDPROC,
    NEW_GROUP,
    NO_WINDOW,
    PYTHON,
    WindowsConsole,
    WindowsJob,
    windows_environ,
    windows_path,
)

if not (windows_console.AVAILABLE and tmux.AVAILABLE):
    pytest.skip("build/windows installs what it needs", allow_module_level=True)

SERIAL = "arn:aws:iam::123456789012:mfa/user1"
PROMPT = f"Enter MFA code for {SERIAL} (profile admin):"


GONE = "credproc: the program that asked has gone; nothing was sent"
CONTROL_C_EXIT = 0xC000013A
SOON = 20.0  # seconds on a busy machine; where the deadline of the prompt, 40, would be the other end

# Stands for an SDK: it runs the line through cmd.exe, as Go and Node do, and prints how each run has ended. Once the
# file FLAG is there, it ends as if it were killed, or reads no further.
CALLER = r"""
import os, signal, subprocess, sys, threading, time
runs, then, flag, line = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
signal.signal(signal.SIGINT, lambda *_: None)

def watch(child):
    while not os.path.exists(flag):
        time.sleep(0.05)
    if then == "dies":
        os.kill(os.getpid(), 9)  # TerminateProcess
    child.stdout.close()

for _ in range(runs):
    child = subprocess.Popen(f"cmd.exe /C {line}", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if then == "prints":
        out, err = child.communicate()
        print(child.returncode, (out or err).decode(), flush=True)
    else:
        threading.Thread(target=watch, args=[child], daemon=True).start()
        print(child.wait(), child.stderr.read().decode(), flush=True)
"""

BOTO3 = """
import os, sys, threading, time
import boto3

def watch():
    while not os.path.exists(sys.argv[1]):
        time.sleep(0.05)
    os.kill(os.getpid(), 9)  # TerminateProcess

threading.Thread(target=watch, daemon=True).start()
print(boto3.Session(profile_name="sdk").client("sts").get_caller_identity()["Arn"])
"""

# Runs credproc, and leaves in a file what it opens
OPENS = """
import runpy, sys
opened = open(sys.argv.pop(1), "a", encoding="utf-8", buffering=1)
sys.addaudithook(lambda event, values: event == "open" and opened.write(f"{values[0]}\\n"))
runpy.run_module("credproc", run_name="__main__")
"""


class World:
    """A home whose profile ``admin`` asks for a code, the STS behind it, and a console."""

    def __init__(self, path: Path, sts: Sts, console: WindowsConsole) -> None:
        self.sts, self.console = sts, console
        self.user: User = sts.user("user1", mfa=True)
        sts.role(ROLE, Trust((self.user.arn,), mfa_required=True), max_session_duration=43200)
        self.home = Home(path, AWS_ENDPOINT_URL_STS=sts.url, CREDPROC_SESSION_STORE="file")
        self.configure()
        self.home.keys("user1", self.user)

    def configure(self, *lines: str) -> None:
        """Write the config file, with these lines in the profile."""
        settings = ["region = us-west-2", f"role_arn = {ROLE}", "source_profile = user1", f"mfa_serial = {SERIAL}"]
        sdk = ["[profile sdk]", "region = us-west-2", f"credential_process = {CREDPROC} --profile admin"]
        self.home.config("\n".join(["[profile admin]", *settings, *lines, *sdk, ""]))

    @property
    def cache(self) -> Path:
        """Credproc's own directory."""
        return self.home.path / "AppData" / "Local" / "credproc" / "Cache"

    def start(self, *command: str, flags: int = 0, **environ: str) -> WindowsJob:
        """Start credproc, or the command."""
        words = command or (CREDPROC, "--profile", "admin")
        return self.console.start(words, windows_environ(self.home, **environ), flags=flags)

    def asked(self, *command: str) -> WindowsJob:
        """Start it and wait for the prompt."""
        job = self.start(*command)
        self.console.wait_for(PROMPT, windows_console.TIMEOUT)
        return job

    def caller(self, then: str, runs: int = 1) -> tuple[str, ...]:
        """Return the command of a caller that runs credproc so often, and then ``prints``, ``dies`` or is ``deaf``."""
        flag = windows_path(self.home.path / "flag")
        return PYTHON, "-c", CALLER, str(runs), then, flag, f"{CREDPROC} --profile admin"

    def boto3(self) -> tuple[str, ...]:
        """Return the command of a program with boto3, which is killed once the flag is raised."""
        return PYTHON, "-c", BOTO3, windows_path(self.home.path / "flag")

    def wait_for_prompts(self, count: int) -> None:
        """Wait until so many prompts are on the screen: what is typed before one is dropped."""
        self.console.until(
            lambda: self.console.screen().count("Enter MFA code") == count, f"prompt {count}", windows_console.TIMEOUT
        )

    def raise_flag(self) -> None:
        """Let the caller do what it is there for."""
        (self.home.path / "flag").touch()

    def type_code(self) -> str:
        """Type a code that the device shows."""
        code = self.user.unused_code()
        self.console.send(f"{code}\n")
        return code


@pytest.fixture(name="world")
def _world(tmp_path: Path) -> Iterator[World]:
    with Sts() as sts, WindowsConsole() as console:
        yield World(tmp_path / "home", sts, console)


def test_a_code_is_asked_for_and_not_shown(world: World) -> None:
    job = world.asked()
    code = world.type_code()
    assert job.outcome().document["Version"] == 1
    assert code not in world.console.screen()
    assert [call.action for call in world.sts.calls] == ["GetSessionToken", "AssumeRole"]


@pytest.mark.parametrize("source", ["a code", "a container"])
def test_what_linux_has_in_proc_is_not_opened_where_anybody_may_have_put_it(world: World, source: str) -> None:
    opened = world.home.path / "opened"
    command = (PYTHON, "-c", OPENS, windows_path(opened), "--profile", "admin")
    with Container(world.sts, world.user) as container:
        if source == "a container":
            world.sts.role(ROLE, Trust((world.user.arn,)))
            world.home.config(f"[profile admin]\nrole_arn = {ROLE}\ncredential_source = EcsContainer\n")
            job = world.start(*command, flags=0, **container.environment())
        else:
            job = world.asked(*command)
            world.type_code()
        assert job.outcome().document["Version"] == 1
    found = opened.read_text(encoding="utf-8").splitlines()
    assert any(path.endswith("config") for path in found)
    assert [path for path in found if "proc" in path.replace("\\", "/").split("/")] == []


@pytest.mark.parametrize("sdk", ["boto3", "through cmd.exe"])
def test_a_caller_that_is_killed_withdraws_the_prompt(world: World, sdk: str) -> None:
    caller = world.asked(*(world.boto3() if sdk == "boto3" else world.caller("dies")))
    world.raise_flag()
    world.console.wait_for(GONE, SOON)
    assert caller.outcome().stdout == ""
    assert world.sts.calls == []


def test_boto3_is_asked_once(world: World) -> None:
    for is_first in (True, False):
        job = world.asked(*world.boto3()) if is_first else world.start(*world.boto3())
        if is_first:
            world.type_code()
        assert "assumed-role/marketingadmin" in job.outcome().stdout
    assert world.console.screen().count("Enter MFA code") == 1


def test_a_caller_that_reads_no_further_withdraws_the_prompt(world: World) -> None:
    caller = world.asked(*world.caller("deaf"))
    world.raise_flag()
    assert "the program that asked has gone" in caller.outcome(SOON).stdout
    assert GONE in world.console.screen()


def test_a_refusal_is_for_the_program_that_asked_and_for_no_other(world: World) -> None:
    caller = world.asked(*world.caller("prints", runs=2))
    for count in (1, 2, 3):
        world.wait_for_prompts(count)
        world.console.send("1\n")
    refused = [line for line in caller.outcome().stdout.splitlines() if line[:2] == "3 "]
    assert len(refused) == 2
    assert refused[0] == refused[1]
    assert world.console.screen().count("Enter MFA code") == 3
    job = world.start(*world.caller("prints"))
    world.wait_for_prompts(4)
    world.type_code()
    assert job.outcome().stdout.startswith("0 {")


@pytest.mark.parametrize("batch", [False, True], ids=["a program", "a .cmd file"])
def test_a_program_that_prints_the_code_reads_keys_and_writes_to_the_screen(world: World, batch: bool) -> None:  # noqa: FBT001 - a case
    program = world.home.path / "device.py"
    program.write_text(
        "import os, sys\nprint('touch', *sys.argv[1:], file=sys.stderr, flush=True)\nsys.stdin.readline()\n"
        f"path = r'{windows_path(world.home.path / 'code')}'\nprint(open(path).read())\nos.remove(path)\n"
    )
    (world.home.path / "code").write_text(world.user.unused_code())
    command = f"{PYTHON} {windows_path(program)}"
    if batch:
        tool = world.home.path / "device.cmd"
        tool.write_text(f"@{command} %*\r\n", newline="")
        command = windows_path(tool)
    world.configure(f'mfa_process = {command} "the device&whoami"')
    job = world.start()
    world.console.wait_for("touch the device&whoami", windows_console.TIMEOUT)
    world.console.send("\n")
    assert job.outcome().document["Version"] == 1


def test_a_batch_file_that_prints_the_code_gets_no_argument_that_cmd_would_change(world: World) -> None:
    tool = world.home.path / "device.cmd"
    tool.write_text("@exit /b 1\r\n", newline="")
    world.configure(f"mfa_process = {windows_path(tool)} 7%")
    ended = world.start().outcome()
    assert (ended.status, ended.stdout) == (1, "")
    assert "contains a %, which cmd.exe would expand" in ended.stderr
    assert world.sts.calls == []


def test_on_a_console_that_nobody_sees_nobody_is_asked(world: World) -> None:
    ended = world.start(flags=NO_WINDOW).outcome()
    assert (ended.status, ended.stdout) == (3, "")
    assert "its console has no window" in ended.stderr
    assert "credproc login --profile admin" in ended.stderr


def test_ctrl_c_ends_the_prompt_with_a_message_and_those_who_wait(world: World) -> None:
    job = world.asked()
    waiting = world.start(flags=NEW_GROUP)  # Ctrl-C reaches no process of another group
    world.console.key("C-c")
    ended, other = job.outcome(), waiting.outcome()
    assert (ended.status, ended.stdout) == (CONTROL_C_EXIT, "")
    assert "MFA code: cancelled" in ended.stderr
    assert other.status == 3
    assert "MFA code: cancelled" in other.stderr
    assert world.console.screen().count("Enter MFA code") == 1


def test_ctrl_c_that_is_a_key_does_the_same(world: World) -> None:
    raw = (
        "import ctypes, msvcrt; keys = open('CONIN$', 'r+b', buffering=0); handle = msvcrt.get_osfhandle(keys.fileno())"
    )
    script = f"{raw}; assert ctypes.windll.kernel32.SetConsoleMode(ctypes.c_void_p(handle), 0)"
    assert world.start(PYTHON, "-c", script).outcome().status == 0
    job = world.asked()
    world.console.key("C-c")
    ended = job.outcome()
    assert (ended.status, ended.stdout) == (CONTROL_C_EXIT, "")
    assert "MFA code: cancelled" in ended.stderr
