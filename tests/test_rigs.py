"""The rigs do what they say: the terminal, tmux, and the keyrings."""

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("the rigs are made for Linux", allow_module_level=True)

from tests import keyrings, posix, tmux
from tests.canaries import Canaries
from tests.keyrings import (
    NO_BUS,
    STALE_BUS,
    TIMEOUT,
    NoSecretService,
    SecretService,
    SilentBus,
    SilentSecretService,
)
from tests.program import role_home
from tests.sampler import Sampler, started
from tests.sts import Sts
from tests.terminal import Terminal, column_after, process_state
from tests.tmux import Tmux

PATH = {"PATH": os.environ["PATH"]}
GETPASS = [sys.executable, "-I", "-c", "import getpass; print('typed', len(getpass.getpass('code: ')))"]

needs_tmux = pytest.mark.skipif(not tmux.AVAILABLE, reason="needs tmux")
needs_keyring = pytest.mark.skipif(not keyrings.AVAILABLE, reason="needs dbus-daemon and gnome-keyring-daemon")

# The terminal


def test_a_job_is_what_a_shells_child_is() -> None:
    code = """
import os, signal
tty = os.open("/dev/tty", os.O_RDWR)
default = all(signal.getsignal(n) is signal.SIG_DFL for n in (signal.SIGTSTP, signal.SIGTTOU, signal.SIGHUP))
descriptors = sorted(map(int, os.listdir("/proc/self/fd")))
print(os.getppid(), os.getsid(0), os.getpgrp() == os.getpid() == os.tcgetpgrp(tty), default, descriptors)
"""
    with Terminal() as terminal:
        job = terminal.start([sys.executable, "-I", "-c", code], PATH, stdout="pipe")
        assert terminal.leader != os.getpid()
        # 3 is the terminal that the program has opened itself, 4 the directory that it lists
        assert job.outcome() == (0, f"{terminal.leader} {terminal.leader} True True [0, 1, 2, 3, 4]\n", "")
        assert terminal.transcript == b""
        assert terminal.foreground == terminal.leader


def test_each_stream_is_where_it_was_asked_to_be(tmp_path: Path) -> None:
    def end_of(number: int) -> list[str]:
        return ["readlink", f"/proc/self/fd/{number}"]

    file = tmp_path / "file"
    with Terminal() as terminal, file.open("wb") as opened:
        job = terminal.start(["sh", "-c", "echo out; echo err >&2; exit 3"], PATH, stdout="pipe", stderr="pipe")
        assert job.outcome() == (3, "out\n", "err\n")
        assert terminal.transcript == b""
        assert terminal.start(end_of(0), PATH, stdout="pipe", stdin="null").outcome() == (0, "/dev/null\n", "")
        assert terminal.start(end_of(0), PATH, stdout="pipe").outcome().stdout.startswith("/dev/pts/")
        assert terminal.start(end_of(0), PATH, stdout="pipe", stdin="closed").wait() == 1
        assert terminal.start(["echo", "to a file"], PATH, stdout=opened.fileno()).wait() == 0
        assert file.read_text() == "to a file\n"
        waiting = terminal.start(["cat"], PATH, stdin="open")
        with pytest.raises(AssertionError, match="the end of"):
            waiting.wait(0.2)


def test_a_program_that_does_not_exist_is_an_error_and_leaves_the_terminal_usable() -> None:
    with Terminal() as terminal:
        with pytest.raises(OSError, match="no-such-program"):
            terminal.start(["no-such-program"], PATH, stdout="pipe")
        assert terminal.start(["true"], PATH).wait() == 0


def test_all_output_is_there_once_a_job_has_ended() -> None:
    with Terminal() as terminal:
        for number in range(20):
            assert terminal.start(["seq", "2000"], PATH).wait() == 0
            assert terminal.transcript.count(b"\r\n2000\r\n") == number + 1
        job = terminal.start(["seq", "200000"], PATH, stdout="pipe")
        assert job.wait() == 0
        assert job.stdout.endswith("\n200000\n")


def test_expect_goes_forward_and_shows_an_inert_transcript_when_it_waited_in_vain() -> None:
    with Terminal() as terminal:
        terminal.start(["printf", r"one \033]0;title\007 two two\n"], PATH).wait()
        assert terminal.expect("two") == "one \x1b]0;title\x07 "
        assert terminal.expect("two") == " "
        assert terminal.unseen == "\r\n"
        with pytest.raises(AssertionError, match=r"the text 'two'.*\n.*'one \\x1b\]0;title\\x07 two two\\r\\n'"):
            terminal.expect("two", timeout=0.1)


def test_what_is_typed_with_the_echo_off_is_read_and_not_shown() -> None:
    with Terminal() as terminal:
        before = terminal.attributes()
        job = terminal.start(GETPASS, PATH)
        terminal.expect("code: ")
        assert not terminal.echo
        assert terminal.attributes() != before
        assert terminal.column() == 6
        terminal.send("123456\n")
        assert job.wait() == 0
        assert terminal.unseen == "\r\ntyped 6\r\n"
        assert terminal.attributes() == before
        assert terminal.echo


def test_attributes_that_a_killed_job_leaves_are_seen() -> None:
    with Terminal() as terminal:
        before = terminal.attributes()
        job = terminal.start(GETPASS, PATH)
        terminal.expect("code: ")
        job.signal(signal.SIGKILL)
        assert job.wait() == -signal.SIGKILL
        assert terminal.attributes() != before
        assert terminal.start(["stty", "sane"], PATH).wait() == 0
        assert terminal.echo


@pytest.mark.parametrize(("key", "number"), [("\x03", signal.SIGINT), ("\x1c", signal.SIGQUIT)])
def test_a_key_signals_the_foreground_only(tmp_path: Path, key: str, number: int) -> None:
    with Terminal() as terminal:
        behind = terminal.start(["sleep", "60"], PATH, foreground=False)
        job = terminal.start(["sleep", "60"], PATH, cwd=str(tmp_path))  # where a core would go
        terminal.send(key)
        assert job.wait() == -number
        assert behind.status is None
        assert terminal.foreground == terminal.leader


def test_a_job_is_stopped_and_continued_in_front_and_behind() -> None:
    with Terminal() as terminal:
        job = terminal.start(["cat"], PATH)
        terminal.send("\x1a")
        assert job.wait_stopped() == signal.SIGTSTP
        assert job.state == "T"
        assert terminal.foreground == terminal.leader
        job.resume()
        assert terminal.foreground == job.group
        terminal.send("a line\n")
        terminal.expect("a line\r\na line\r\n")
        terminal.send("\x1a")
        job.wait_stopped()
        job.resume(foreground=False)
        assert job.wait_stopped() == signal.SIGTTIN
        assert job.stops == [signal.SIGTSTP, signal.SIGTSTP, signal.SIGTTIN]
        job.resume()
        terminal.send("\x04")
        assert job.wait() == 0
        assert job.state == ""


def test_a_job_behind_may_write_and_was_never_stopped() -> None:
    with Terminal() as terminal:
        job = terminal.start(["echo", "hello"], PATH, foreground=False)
        assert job.wait() == 0
        assert job.stops == []
        assert terminal.unseen == "hello\r\n"


def test_two_jobs_share_a_process_group() -> None:
    with Terminal() as terminal:
        first = terminal.start(["sleep", "60"], PATH)
        second = terminal.start(["sleep", "60"], PATH, group=first)
        assert os.getpgid(second.pid) == second.group == first.pid
        second.signal(signal.SIGTERM)
        assert second.wait() == -signal.SIGTERM
        assert terminal.foreground == first.group
        terminal.send("\x03")
        assert first.wait() == -signal.SIGINT


def test_typed_bytes_that_nobody_read_are_counted_and_come_to_the_next_program() -> None:
    with Terminal() as terminal:
        assert terminal.pending() == 0
        terminal.send("line\nrest")
        terminal.expect("rest")
        assert terminal.pending(lines_only=True) == 5
        terminal.send("\n")
        terminal.until(lambda: terminal.pending(lines_only=True) == 10)
        assert terminal.pending() == 10
        terminal.send("half")
        terminal.expect("half")
        assert terminal.pending() == 14
        assert terminal.start(["head", "-n", "2"], PATH, stdout="pipe").outcome() == (0, "line\nrest\n", "")
        terminal.send("\n")
        terminal.start([sys.executable, "-c", "import termios; termios.tcflush(0, termios.TCIFLUSH)"], PATH).wait()
        assert terminal.pending() == 0


def test_closing_the_window_hangs_up() -> None:
    with Terminal() as terminal:
        deaf = terminal.start(["sh", "-c", "trap '' HUP; echo up; cat; echo $?"], PATH, foreground=False, stdout="pipe")
        terminal.until(lambda: deaf.stdout == "up\n" and bool(deaf.stops))  # cat wants to read
        behind = terminal.start(["sleep", "60"], PATH, foreground=False)
        job = terminal.start(["sleep", "60"], PATH)
        terminal.hangup()
        assert job.wait() == behind.wait() == -signal.SIGHUP
        assert deaf.outcome().stdout.startswith("up\n")  # its terminal has ended
        terminal.until(lambda: not process_state(terminal.leader))


def test_a_resize_is_seen() -> None:
    with Terminal(rows=30, columns=100) as terminal:
        assert terminal.start(["stty", "size"], PATH, stdout="pipe").outcome().stdout == "30 100\n"
        job = terminal.start(["sh", "-c", "trap 'stty size; exit 0' WINCH; echo up; sleep 60 & wait"], PATH)
        terminal.expect("up\r\n")
        terminal.resize(10, 20)
        assert job.wait() == 0
        assert terminal.unseen == "10 20\r\n"


def test_an_orphan_is_adopted_from_outside_the_session() -> None:
    with Terminal() as terminal:
        job = terminal.start(["sh", "-c", "sleep 60; :"], PATH)
        terminal.until(lambda: len(terminal.survivors()) == 2)
        job.signal(signal.SIGKILL)
        job.wait()
        (orphan,) = terminal.survivors()
        assert os.getpgid(orphan) == job.group
        parent = int(Path(f"/proc/{orphan}/stat").read_text().split()[3])
        assert os.getsid(parent) not in {terminal.leader, os.getsid(0)}


def test_the_end_of_a_pipe_is_told_from_the_end_of_the_program() -> None:
    with Terminal() as terminal:
        job = terminal.start(["sh", "-c", "sleep 60 & echo bye"], PATH, stdout="pipe")
        assert job.outcome() == (0, "bye\n", "")
        with pytest.raises(AssertionError, match="the pipes"):
            job.wait_released(0.1)
        job.signal_group(signal.SIGKILL)
        job.wait_released()


def test_a_reader_that_has_gone_is_felt_at_the_next_write() -> None:
    with Terminal() as terminal:
        job = terminal.start(["sh", "-c", "read line; echo $line"], PATH, stdout="pipe")
        job.close("stdout")
        terminal.send("late\n")
        assert job.wait() == -signal.SIGPIPE


def children() -> set[str]:
    """Return the children of this process, zombies too."""
    return {pid for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()}


def test_nothing_remains_of_a_terminal() -> None:
    before = children()
    descriptors = set(os.listdir("/proc/self/fd"))
    with Terminal() as terminal:
        terminal.start(["sh", "-c", "trap '' HUP TERM INT; setsid sleep 60 & echo up; sleep 60"], PATH, stdout="pipe")
        terminal.start(["cat"], PATH, foreground=False, stdin="open")
        terminal.until(lambda: len(terminal.survivors()) == 4)
        found = [*terminal.survivors(), terminal.leader]
    assert [process_state(pid) for pid in found] == [""] * 5
    assert set(os.listdir("/proc/self/fd")) == descriptors
    assert children() == before


def test_a_terminal_ends_although_not_all_was_read_that_its_processes_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with Terminal() as terminal:
        job = terminal.start(["sh", "-c", "trap '' HUP; echo up; exec sleep 60"], PATH)
        terminal.expect("up")
        terminal.hangup()
        terminal.until(lambda: not process_state(terminal.leader), "the leader's end")
        stop = terminal._stop

        def stop_before_the_last_word() -> None:
            stop()
            job.signal(signal.SIGKILL)
            assert select.select([terminal._control], [], [], TIMEOUT)[0]

        monkeypatch.setattr(terminal, "_stop", stop_before_the_last_word)


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("", 0),
        ("code: ", 6),
        ("code: \r\n", 0),
        ("one\ntwo", 6),
        ("ab\b", 1),
        ("a\tb", 9),
        ("\x1b[1mcode\x1b[0m: ", 6),
        ("\x1b]0;title\x07x", 1),
        ("\x1b]0;title\x1b\\x", 1),
        ("e\u0301\u6f22", 3),
        ("x" * 20, 20),
        ("x" * 21, 1),
    ],
)
def test_the_column_is_where_the_cursor_is(text: str, column: int) -> None:
    assert column_after(text, 20) == column


# Tmux


@needs_tmux
def test_tmux_shows_what_a_person_would_see() -> None:
    script = r"printf '\033]2;a title\007code: '; read code; printf 'one\rtwo %s;\n' $code; read line; exit 7"
    with Tmux(["sh", "-c", script], PATH) as pane:
        assert "code: " in pane.wait_for("code: ")
        assert pane.cursor == (6, 0)
        assert pane.status is None
        pane.send("12;\n")
        assert pane.wait_for("two") == "code: 12;\ntwo 12;;"
        assert pane.title == "a title"
        pane.send("\n")
        assert pane.wait() == 7


@needs_tmux
def test_tmux_has_the_keys_of_a_terminal() -> None:
    with Tmux(["sh", "-c", '"$@"; read line', "", *GETPASS], PATH) as pane:
        pane.wait_for("code: ")
        pane.send("123456\n")
        assert pane.wait_for("typed") == "code: \ntyped 6"
        assert pane.title == ""
        pane.send("\n")
        assert pane.wait() == 0
    with Tmux(["cat"], PATH) as pane:
        pane.paste("pasted\n")
        pane.wait_for("pasted\npasted")
        pane.key("C-c")
        assert pane.wait() == -signal.SIGINT


@needs_tmux
def test_nothing_remains_of_tmux() -> None:
    before = children()
    with Tmux(["sh", "-c", "trap '' HUP TERM; sleep 60; :"], PATH) as pane:
        pid = pane.pid
        with pytest.raises(AssertionError, match="never shown"):
            pane.wait_for("never shown", timeout=0.1)
    assert process_state(pid) in {"", "Z"}  # who adopted it reaps it
    assert children() == before


# Keyrings


def start_keyring(home: Path, environ: Mapping[str, str], *call: str) -> "subprocess.Popen[str]":
    """Start a process that loads keyring's SecretService backend, says so, and calls this method."""
    code = (
        "import sys; from keyring.core import load_keyring\n"
        "backend = load_keyring('keyring.backends.SecretService.Keyring'); print('loaded', flush=True)\n"
        "print(getattr(backend, sys.argv[1])(*sys.argv[2:]))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, *call],
        env={**PATH, "HOME": str(home), **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def call_keyring(home: Path, environ: Mapping[str, str], *call: str) -> tuple[str, str]:
    """Return what it says, and the last line of its stderr."""
    with start_keyring(home, environ, *call) as process:
        stdout, stderr = process.communicate(timeout=10)
    return stdout, stderr.splitlines()[-1] if stderr else ""


def assert_hangs(process: "subprocess.Popen[str]", seconds: float) -> str:
    """Kill the process, which must not have ended after these seconds; return what it has said."""
    with process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.communicate(timeout=seconds)
        process.kill()
        stdout, stderr = process.communicate()
    assert stderr == ""
    return stdout


@needs_keyring
def test_a_secret_makes_the_round_trip_through_a_real_keyring(home: Path) -> None:
    with SecretService(home) as service:
        assert service.items() == []
        call = ("credproc", "session")
        assert call_keyring(home, service.environ, "get_password", *call) == ("loaded\nNone\n", "")
        assert call_keyring(home, service.environ, "set_password", *call, "a secret") == ("loaded\nNone\n", "")
        (item,) = service.items()
        assert item.secret == b"a secret"
        assert {"service": "credproc", "username": "session"}.items() <= item.attributes.items()
        assert "a secret" not in repr(item)
        assert call_keyring(home, service.environ, "get_password", *call) == ("loaded\na secret\n", "")
        service.delete_all()
        assert call_keyring(home, service.environ, "get_password", *call) == ("loaded\nNone\n", "")


@needs_keyring
def test_a_locked_keyring_refuses_soon_until_it_is_unlocked(home: Path) -> None:
    with SecretService(home) as service:
        call_keyring(home, service.environ, "set_password", "credproc", "session", "a secret")
        service.lock()
        for call in (("get_password",), ("set_password", "another")):
            stdout, error = call_keyring(home, service.environ, call[0], "credproc", "session", *call[1:])
            assert stdout == "loaded\n"
            assert error == "keyring.errors.KeyringLocked: Failed to unlock the collection!"
        service.unlock()
        assert [item.secret for item in service.items()] == [b"a secret"]


@needs_keyring
def test_a_silent_service_hangs_keyring_after_it_was_loaded(home: Path) -> None:
    with SilentSecretService() as service:
        process = start_keyring(home, service.environ, "get_password", "a", "b")
        assert service.wait_for_call() == ["Get"]
        assert assert_hangs(process, 1) == "loaded\n"


@needs_keyring
def test_a_bus_without_the_service_is_refused(home: Path) -> None:
    with NoSecretService() as service:
        stdout, error = call_keyring(home, service.environ, "get_password", "a", "b")
    assert stdout == ""
    assert error.startswith("RuntimeError: The Secret Service daemon is neither running nor activatable")


@pytest.mark.anybody
@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        (NO_BUS, "RuntimeError: Unable to initialize SecretService: Environment variable DBUS_SESSION_BUS_ADDRESS"),
        (STALE_BUS, "FileNotFoundError:"),
    ],
)
def test_no_bus_is_refused(home: Path, environ: Mapping[str, str], reason: str) -> None:
    stdout, error = call_keyring(home, environ, "get_password", "a", "b")
    assert stdout == ""
    assert error.startswith(reason)


def test_a_bus_that_admits_nobody_is_given_up(home: Path) -> None:
    with SilentBus(admits=False) as bus:
        stdout, error = call_keyring(home, bus.environ, "get_password", "a", "b")
        bus.wait_for_connection()
    assert stdout == ""
    assert error.startswith("TimeoutError: Did not authenticate")


def test_a_silent_bus_hangs_keyring_while_it_is_loaded(home: Path) -> None:
    with SilentBus(admits=True) as bus:
        process = start_keyring(home, bus.environ, "get_password", "a", "b")
        bus.wait_for_connection()
        assert assert_hangs(process, 1.5) == ""


@needs_keyring
def test_nothing_remains_of_a_keyring(home: Path) -> None:
    before = children()
    descriptors = set(os.listdir("/proc/self/fd"))
    with SecretService(home) as service, SilentSecretService() as silent:
        directories = [service.environ["XDG_RUNTIME_DIR"], silent.environ["DBUS_SESSION_BUS_ADDRESS"].split("=")[1]]
        assert all(os.path.exists(path) for path in directories)
    assert not any(os.path.exists(path) for path in directories)
    assert set(os.listdir("/proc/self/fd")) == descriptors
    assert children() == before


# The canary scan


SHOWN = {
    "stderr": ("sh", "-c", "cat secret >&2"),
    "the command line": ("sh", "-c", 'sh -c "sleep 0.3; :" "$(cat secret)"'),
    "the environment": ("sh", "-c", 'SECRET=$(cat secret) sh -c "sleep 0.3; :"'),
    "home/log": ("sh", "-c", "cat secret > home/log"),
}


@pytest.fixture(params=["its own sampler", "one for several"])
def scan(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Canaries]:
    """Return a scan of this test alone."""
    with ExitStack() as stack:
        samples = None
        if request.param == "one for several":
            samples = stack.enter_context(Sampler(str(tmp_path.parent), 0.02)).path
        yield stack.enter_context(Canaries(tmp_path).watching(samples))


def test_a_process_is_seen_that_has_the_number_of_one_that_was_there_before() -> None:
    others = {"1", "17"}
    assert started(others, {"1", "17", "20"}) == {"20"}
    assert started(others, {"1", "20"}) == {"20"}
    assert started(others, {"1", "17"}) == {"17"}


@pytest.mark.parametrize("place", SHOWN)
@pytest.mark.parametrize("what", ["the secret key", "the session token", "MFA code"])
def test_a_secret_is_seen_wherever_it_is_shown(place: str, what: str, tmp_path: Path, scan: Canaries) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with Sts() as sts:
        user = sts.user("user1", mfa=True)
        keys = sts.iam.issue(sts.iam.keys_of(user.arn)[0], 900)
        sts.codes.append(("a device", "123450"))
        secrets = {"the secret key": keys.secret_access_key, "the session token": keys.session_token}
        secret = tmp_path / "secret"
        secret.write_text(secrets.get(what) or "123450")
        subprocess.run(SHOWN[place], cwd=tmp_path, env={**PATH, "HOME": str(home)}, capture_output=True, check=True)
        end = time.monotonic() + TIMEOUT
        while not (found := scan.found([sts], [home])) and time.monotonic() < end:
            time.sleep(0.02)  # what the sampler has seen comes to us
        assert found, "it is not seen"
        assert all(one.startswith(what) for one in found), found
        assert any(place in one for one in found), found
        assert scan.found([], [home]) == []


def test_a_secret_is_seen_on_a_terminal_and_in_tmux(tmp_path: Path, scan: Canaries) -> None:
    with Sts() as sts:
        secret = tmp_path / "secret"
        secret_access_key = sts.user("user1").secret_access_key
        secret.write_text(f"{secret_access_key}\n")
        stays = ["sh", "-c", 'cat "$0"; read line', str(secret)]
        with Terminal() as terminal, Tmux(stays, PATH) as tmux:
            terminal.start(["cat", str(secret)], PATH).wait()
            tmux.wait_for(secret_access_key)
        found = scan.found([sts], [])
        assert {one.rpartition(" in ")[2] for one in found} == {"a terminal", "tmux"}
        handed_out = scan.found([sts], [], handed_out=True)
        assert handed_out == []


# Tests that are left out


def test_a_test_that_is_left_out_halfway_leaves_no_process_behind(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(posix, "WINDOWS", True)
    with Sts() as sts:
        sts.hold(threading.Event())
        home = role_home(tmp_path / "home", sts, sts.user("user1"))
        runs = [home.start("--profile", "admin") for _ in range(2)]
        with pytest.raises(pytest.skip.Exception, match="no_such_name"), posix.missing_functions_leave_out():
            os.no_such_name()  # type: ignore[attr-defined]
    assert all(run.returncode is not None for run in runs)
