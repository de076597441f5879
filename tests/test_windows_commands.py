"""Commands on Windows, under Wine: what setup writes and takes back, and what exec starts."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

if sys.platform != "linux":
    pytest.skip("the rigs are made for Linux", allow_module_level=True)

from tests import tmux, windows_console
from tests.program import ROLE, Home, Outcome
from tests.sts import Sts, Trust
from tests.windows_console import CREDPROC, PYTHON, WindowsConsole, windows_environ, windows_path

if not (windows_console.AVAILABLE and tmux.AVAILABLE):
    pytest.skip("build/windows installs what it needs", allow_module_level=True)

pytestmark = pytest.mark.hands_out

CONFIG = f"[profile admin]\r\nregion = us-west-2\r\nrole_arn = {ROLE}\r\nsource_profile = user1\r\n"
LINE = f"credential_process = {CREDPROC} --profile"
DUMP = "import json, os, sys; print(json.dumps([sys.argv[1:], 'AWS_SESSION_TOKEN' in os.environ]))"
INTERRUPTED = """
import sys, time
print("ready", file=open("CONOUT$", "w"), flush=True)
try:
    time.sleep(60)
except KeyboardInterrupt:
    time.sleep(1)  # credproc must wait for what comes after
    print("tidied up")
    sys.exit(5)
"""


class World(NamedTuple):
    """A home with a role profile, the STS behind it, and a console."""

    home: Home
    sts: Sts
    console: WindowsConsole

    @property
    def config(self) -> Path:
        """The config file."""
        return self.home.path / ".aws" / "config"

    def run(self, *arguments: str, path: Path | None = None, cwd: str = "C:\\", program: str = CREDPROC) -> Outcome:
        """Run credproc; ``path`` is a directory of PATH."""
        environ = windows_environ(self.home)
        if path is not None:
            environ["PATH"] = rf"{windows_path(path)};C:\windows\system32"
        return self.console.start([program, *arguments], environ, cwd=cwd).outcome()


@pytest.fixture(name="console", scope="module")
def _console() -> Iterator[WindowsConsole]:
    with WindowsConsole() as console:
        yield console


@pytest.fixture(name="world")
def _world(tmp_path: Path, console: WindowsConsole) -> Iterator[World]:
    with Sts() as sts:
        user = sts.user("user1")
        sts.role(ROLE, Trust((user.arn,)))
        home = Home(tmp_path / "home", AWS_ENDPOINT_URL_STS=sts.url, CREDPROC_SESSION_STORE="none")
        home.keys("user1", user)
        world = World(home, sts, console)
        world.config.write_bytes(CONFIG.encode())
        yield world


def _batch(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\r\n".join(["@echo off", *lines, "exit /b 7", ""]), newline="")
    return path


def _dump(path: Path) -> Path:
    """Write a batch file that passes its arguments on to a program, which prints what it has got."""
    script = path.with_suffix(".py")
    _batch(path, f'"{PYTHON}" "{windows_path(script)}" %*')
    script.write_text(DUMP)
    return path


def test_setup_writes_a_line_that_credproc_and_doctor_know_and_undoes_it_to_the_byte(world: World) -> None:
    ran = world.run("setup", "admin", "--yes")
    assert (ran.status, ran.stderr) == (0, "")
    assert f"{LINE} admin\r\n".encode() in world.config.read_bytes()
    (row,) = (row for row in json.loads(world.run("list", "--json").stdout) if row["profile"] == "admin")
    assert row["through_credproc"] == "admin"
    written = world.config.read_bytes()
    again = world.run("setup", "admin", "--yes")
    assert (again.status, world.config.read_bytes()) == (0, written)
    told = world.run("doctor", "--offline").stdout
    assert "1 profile uses credproc" in told
    assert "FAIL" not in told
    undone = world.run("setup", "admin", "--undo", "--yes")
    assert (undone.status, world.config.read_bytes()) == (0, CONFIG.encode())


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_who_may_read_a_file_stays_so_when_it_is_edited_and_holds_for_the_copy(world: World, mode: int) -> None:
    world.config.chmod(mode)  # Wine shows it to programs as an access control list, and others' share of one as a mode
    assert world.run("setup", "admin", "--yes").status == 0
    copy = world.config.with_name("config.credproc-backup")
    assert [path.stat().st_mode & 0o007 for path in (world.config, copy)] == [mode & 0o007] * 2
    assert copy.read_bytes() == CONFIG.encode()


def test_the_second_profile_of_separate_is_followed_without_a_second_process(world: World) -> None:
    assert world.run("setup", "admin", "--separate", "--yes").status == 0
    assert f"{LINE} admin-role\r\n".encode() in world.config.read_bytes()
    # A second process would run this
    world.config.write_bytes(world.config.read_bytes().replace(CREDPROC.encode(), rb"C:\moved\credproc.exe"))
    ran = world.run("--profile", "admin")
    assert (ran.status, ran.stderr, ran.document["Version"]) == (0, "", 1)
    assert world.run("setup", "admin", "--undo", "--yes").status == 0
    assert world.config.read_bytes() == CONFIG.encode()


def test_arguments_of_a_batch_file_stay_as_they_are_and_its_status_is_returned(world: World, tmp_path: Path) -> None:
    tool = _dump(tmp_path / "two words" / "tool.cmd")
    arguments = ["a&whoami", "x y", 'say "hi"', 'a"&whoami', "c\\", "c d\\", "", "(a^b|c<d>e!)", "1,2;3=4", "é"]
    ran = world.run("exec", "admin", "--", "tool", *arguments, path=tool.parent)
    assert (ran.status, ran.stderr, json.loads(ran.stdout)) == (7, "", [arguments, True])


@pytest.mark.parametrize("argument", ["a\nwhoami", "%PATH%", "7%"])
def test_what_cmd_would_change_in_an_argument_of_a_batch_file_is_refused_before_a_call(
    world: World, tmp_path: Path, argument: str
) -> None:
    tool = _dump(tmp_path / "bin" / "tool.cmd")
    ran = world.run("exec", "admin", "--", "tool", argument, path=tool.parent)
    assert (ran.status, ran.stdout) == (126, "")
    assert ran.stderr.startswith(f"credproc: error: exec: '{windows_path(tmp_path)[:40]}")  # a long path is cut
    assert world.sts.calls == []


def test_a_program_in_the_working_directory_needs_its_path(world: World, tmp_path: Path) -> None:
    tool = _dump(tmp_path / "here" / "tool.cmd")
    here = windows_path(tool.parent)
    ran = world.run("exec", "admin", "--", "tool", cwd=here)
    assert (ran.status, ran.stdout) == (127, "")
    assert "credproc: hint: write .\\tool " in ran.stderr
    assert world.sts.calls == []
    ran = world.run("exec", "admin", "--", ".\\tool", cwd=here)
    assert (ran.status, json.loads(ran.stdout)) == (7, [[], True])


def test_a_source_program_may_be_a_batch_file_in_path(world: World, tmp_path: Path) -> None:
    keys = world.sts.user("batch")
    document = {"Version": 1, "AccessKeyId": keys.access_key_id, "SecretAccessKey": keys.secret_access_key}
    world.sts.role(ROLE, Trust((keys.arn,)))
    said = tmp_path / "bin" / "document.json"
    tool = _batch(
        tmp_path / "bin" / "vault.cmd", 'if not "%~1"=="a&b" exit /b 3', f"type {windows_path(said)}", "exit /b 0"
    )
    said.write_text(json.dumps(document))
    world.home.config(
        f"[profile admin]\nrole_arn = {ROLE}\nsource_profile = s\n[profile s]\ncredential_process = vault a&b\n"
    )
    ran = world.run("--profile", "admin", path=tool.parent)
    said.unlink()  # a secret that nothing may leave behind
    assert (ran.status, ran.stderr, ran.document["Version"]) == (0, "", 1)


def test_ctrl_c_is_the_commands_and_credproc_waits_for_it(world: World) -> None:
    environ = windows_environ(world.home)
    job = world.console.start([CREDPROC, "exec", "admin", "--", PYTHON, "-c", INTERRUPTED], environ)
    world.console.wait_for("ready", windows_console.TIMEOUT)
    world.console.key("C-c")
    ran = job.outcome()
    assert (ran.status, ran.stdout) == (5, "tidied up\n")


def test_a_status_above_two_to_the_31_is_returned(world: World) -> None:
    ran = world.run("exec", "admin", "--", PYTHON, "-c", "import os; os._exit(-1073741510)")
    assert (ran.status, ran.stderr) == (0xC000013A, "")
