"""The prompt for an MFA code, on a pseudo-terminal; and ``mfa_process``, which takes a person's place."""

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

if sys.platform != "linux":
    pytest.skip("the rigs are made for Linux", allow_module_level=True)

from credproc.errors import PersonNeededError, SourceError
from credproc.mfa.code import CodeRequest
from credproc.mfa.process import ProcessCodeProvider
from credproc.mfa.used_codes import UsedCodes
from credproc.request import Request
from tests.program import FROZEN, PROGRAM, ROLE, Home, Outcome, role_home
from tests.root import OPEN_FILES
from tests.sts import Sts, Trust
from tests.terminal import Job, Terminal, process_state, unbroken
from tests.wording import assert_names

SERIAL = "arn:aws:iam::123456789012:mfa/user1"
WHERE = "~/.aws/config:5"
LEADER = os.path.basename(sys.executable)[:15]  # the terminal's "shell", as the kernel shortens its name
PROMPT = f"\rEnter MFA code for {SERIAL} (profile admin, for {LEADER}): "
RUN = [PROGRAM, "--profile", "admin"]
GONE = "the program that asked has gone; nothing was sent"
SOON = 5.0  # seconds; where the deadline of the prompt, 40, would be the other end

needs_oathtool = pytest.mark.skipif(shutil.which("oathtool") is None, reason="needs oathtool")


def assert_failed(ended: Outcome, *words: str) -> None:
    """Fail unless the run got no code: it printed nothing, and its error has these words and names ``login``."""
    assert (ended.status, ended.stdout) == (3, "")
    assert_said(ended.stderr, *words)


def assert_said(stderr: str, *words: str, hint: str = "credproc login --profile admin") -> None:
    """Fail unless stderr is an error at the line of the device, with these words, and a hint with that one."""
    error, advice = stderr.splitlines()
    assert_names(error, f"credproc: error: {WHERE}: ", *words)
    assert_names(advice, "credproc: hint: ", hint)


class World:
    """A home whose profile ``admin`` asks for a code, the STS behind it, and the terminal in front of it."""

    def __init__(self, path: Path, sts: Sts, terminal: Terminal) -> None:
        self.sts = sts
        self.terminal = terminal
        self.user = sts.user("user1", mfa=True)
        sts.role(ROLE, Trust((self.user.arn,), mfa_required=True), max_session_duration=43200)
        self.home = role_home(path, sts, self.user, f"mfa_serial = {SERIAL}\n", CREDPROC_SESSION_STORE="file")
        self.attributes = terminal.attributes()  # as they have to be in the end
        self.is_hung_up = False
        self._given: list[str] = []

    def start(self, *argv: str, **options: Any) -> Job:
        """Start credproc, or what the words say, with its output captured unless the options say otherwise."""
        return self.terminal.start(argv or RUN, self.home.environ, **{"stdout": "pipe", "stderr": "pipe", **options})

    def asked(self, *argv: str, prompt: str = PROMPT, **options: Any) -> Job:
        """Start it and wait for the prompt."""
        job = self.start(*argv, **options)
        self.terminal.expect(prompt)
        return job

    def code(self) -> str:
        """Return a code that STS will take; it must be seen nowhere in the end."""
        self._given.append(self.user.unused_code())
        return self._given[-1]

    def type_code(self) -> None:
        """Type a code that STS will take."""
        self.terminal.send(f"{self.code()}\n")

    def type_unseen(self, text: str) -> None:
        """Type something that leaves no trace anywhere, and wait until it must have arrived."""
        self.terminal.send(text)
        time.sleep(0.05)  # nothing tells when a key that is not shown is in the queue

    def say(self, line: str) -> None:
        """Replace the profile's fifth line and those behind it."""
        config = (self.home.path / ".aws" / "config").read_text().splitlines()[:4]
        self.home.config("\n".join([*config, f"mfa_serial = {SERIAL}", line, ""]))

    def remark(self) -> str:
        """Return the line that stands between this prompt and the next one."""
        said = unbroken(self.terminal.expect(PROMPT))
        assert said.startswith("\n")
        assert said.endswith("\n")
        return said.strip("\n")

    @property
    def screen(self) -> str:
        """What was written to the terminal, each line whole."""
        return unbroken(self.terminal.transcript.decode())

    def forget(self) -> None:
        """Remove what is kept, but for the codes that were used."""
        for path in self.home.cache.iterdir():
            if path.suffix != ".used":
                path.unlink()

    def check(self) -> None:
        """Hold what every outcome has in common."""
        assert self.sts.repeated_codes() == []
        self.terminal.until(lambda: self.terminal.survivors() == [], "the end of all processes", SOON)
        transcript = self.terminal.transcript.decode()
        said = "".join((transcript, self.home.log, *(job.stderr for job in self.terminal.jobs)))
        assert [code for code in (*self._given, self.user.secret_access_key) if code in said] == []
        if not self.is_hung_up:
            assert self.terminal.attributes() == self.attributes
            assert self.terminal.pending() == 0
            assert self.terminal.column() == 0, self.terminal.shown()


@pytest.fixture(name="world")
def _world(tmp_path: Path) -> Iterator[World]:
    with Sts() as sts, Terminal() as terminal:
        world = World(tmp_path / "home", sts, terminal)
        yield world
        world.check()


@pytest.fixture(name="unanswered", scope="module", autouse=True)
def _start_unanswered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Job]]:
    """Start a run that nobody answers, at the beginning: its deadline passes while the other tests run."""
    with pytest.MonkeyPatch.context() as patch, Sts() as sts, Terminal() as terminal:
        for name in [name for name in os.environ if name.startswith(("AWS_", "CREDPROC_"))]:
            patch.delenv(name)
        world = World(tmp_path_factory.mktemp("unanswered") / "home", sts, terminal)
        job = world.asked()
        world.type_unseen("123")
        yield world, job


# What is asked


def test_the_prompt_names_the_device_the_profile_and_the_program_and_the_code_is_not_shown(world: World) -> None:
    job = world.asked()
    assert not world.terminal.echo
    world.type_code()
    assert job.outcome().document["AccountId"] == "123456789012"
    assert world.screen == f"{PROMPT[1:]}\n"
    assert [call.action for call in world.sts.calls] == ["GetSessionToken", "AssumeRole"]


def test_the_next_run_asks_nothing(world: World) -> None:
    job = world.asked()
    world.type_code()
    first = job.outcome()
    assert world.start().outcome() == first
    assert world.screen == f"{PROMPT[1:]}\n"


@pytest.mark.hands_out
def test_the_document_is_all_that_comes_on_a_terminal_too(world: World) -> None:
    job = world.asked(stdout="terminal", stderr="terminal")
    world.type_code()
    assert job.wait() == 0
    assert re.fullmatch(re.escape(f"{PROMPT[1:]}\n") + r"\{[^\n]*\}\n", world.screen)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("{credproc}; true", LEADER),  # the shell that runs a line asks for somebody else
        ("sh -c '{credproc}; true'; true", LEADER),
        ("{directory}/deploy", "deploy"),
        ("{directory}/deploy-everything-everywhere", "deploy-everythi"),
        ("{directory}/$(printf '\\033]0;x\\007')", r"\x1b]0;x\x07"),
        ("{directory}/$(printf '" + r"\033" * 9 + "')", r"\x1b" * 6 + r"\x1..."),
        ("{directory}/$(printf 'a) S 1 (b')", "a) S 1 (b"),
        ("exec {directory}/script.sh", None),  # a person's shell
    ],
    ids=["sh -c", "two shells", "a script", "a long name", "control characters", "nine of them", "brackets", "a shell"],
)
def test_the_program_that_asks_is_named(world: World, tmp_path: Path, line: str, name: str | None) -> None:
    credproc = shlex.join(RUN)
    caller = f"#!{sys.executable}\nimport subprocess\nsubprocess.run({RUN!r})\n"
    for file in ("deploy", "deploy-everything-everywhere", "\x1b]0;x\x07", "\x1b" * 9, "a) S 1 (b"):
        write_program(tmp_path / file, caller)
    script = write_program(tmp_path / "script.sh", f"{credproc}\ntrue\n")
    line = line.replace("exec {directory}/script.sh", f"exec sh {script}")
    line = line.replace("$(", '"$(').replace("')", "')\"") if "$(" in line else line
    prompt = f"\rEnter MFA code for {SERIAL} (profile admin{'' if name is None else f', for {name}'}): "
    job = world.asked("sh", "-c", line.format(credproc=credproc, directory=tmp_path), prompt=prompt)
    world.terminal.send("\x04")
    assert_said(job.outcome().stderr, "MFA code", "cancelled")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\x1bcb", r"a\x1bcb"),
        ("a\x1b[2Jb", r"a\x1b[2Jb"),
        ("a\x7f\x08b", r"a\x7f\x08b"),
        ("a\u009d0;x\u009cb", r"a\x9d0;x\x9cb"),
        ("a\u202eb\u2066c", r"a\u202eb\u2066c"),
        ("a\u200db\u200bc", r"a\u200db\u200bc"),
        ("a" + "\u0301" * 50, "a" + r"\u0301" * 9 + r"\u..."),
        ("x" * 100, "x" * 57 + "..."),
        ("caf\u00e9 \u6f22\u5b57", "caf\u00e9 \u6f22\u5b57"),
    ],
    ids=ascii,
)
def test_text_from_the_configuration_can_only_be_read(world: World, name: str, shown: str) -> None:
    config = (world.home.path / ".aws" / "config").read_text()
    world.home.config(config.replace("[profile admin]", f'[profile "{name}"]'))
    job = world.asked(PROGRAM, "--profile", name, prompt=f"(profile {shown}, for {LEADER}): ")
    world.terminal.send("\x04")
    assert job.wait() == 3
    assert not re.search(r"[^\x20-\x7e\u00e9\u6f22\u5b57\r\n]", world.terminal.transcript.decode())
    assert not re.search(r"[^\x20-\x7e\u00e9\u6f22\u5b57\n]", job.stderr)


def test_a_serial_with_control_characters_is_never_shown(world: World) -> None:
    config = (world.home.path / ".aws" / "config").read_text()
    world.home.config(config.replace("mfa/user1", "mfa/us\x1b]0;x\x07er1"))
    status, stdout, stderr = world.start().outcome()
    assert (status, stdout) == (1, "")
    assert stderr.startswith(f"credproc: error: {WHERE}: mfa_serial ")
    assert "control character" in stderr
    assert world.terminal.transcript == b""


def test_a_device_of_no_profile_of_its_own_is_asked_for_without_a_program(world: World) -> None:
    script = write_program(world.home.path / "run.sh", f"{PROGRAM}\ntrue\n")
    world.home.environ["AWS_PROFILE"] = "admin"
    job = world.asked("sh", str(script), prompt=f"\rEnter MFA code for {SERIAL} (profile admin): ")
    world.type_code()
    assert job.outcome().status == 0


# What is typed


@pytest.mark.parametrize(
    "form",
    ["{0}", " {0} ", "{1} {2}", "{1}\t{2}", "\x1b[200~{0}\x1b[201~", "12\x7f\x7f{0}", "12\x15{0}", "12\x17{0}"],
    ids=["as it is", "spaces", "a space", "a tab", "a bracketed paste", "backspace", "Ctrl-U", "Ctrl-W"],
)
def test_a_code_is_taken_however_a_person_types_it(world: World, form: str) -> None:
    job = world.asked()
    code = world.code()
    world.terminal.send(form.format(code, code[:3], code[3:]) + "\n")
    assert job.outcome().document
    assert world.screen == f"{PROMPT[1:]}\n"


def test_a_code_whose_line_ends_in_the_end_of_input_is_taken(world: World) -> None:
    job = world.asked()
    world.terminal.send(f"{world.code()}\x04\x04")
    assert job.outcome().document
    assert world.terminal.column() == 0, world.terminal.shown()


@pytest.mark.parametrize(
    "typed",
    ["12345", "123456789", "abcdef", "12345a", "１２３４５６", "12-34-56", "1" * 4096, "\x1b[A", "\x16\x00"],  # noqa: RUF001
    ids=["5", "9", "letters", "a letter", "full-width", "dashes", "4 KiB", "arrow", "NUL"],
)
def test_what_is_no_code_is_asked_for_again_and_costs_no_call(world: World, typed: str) -> None:
    job = world.asked()
    world.terminal.send(f"{typed}\n")
    assert_names(world.remark(), "credproc: ", "six digits")
    assert world.sts.count() == 0
    world.type_code()
    assert job.outcome().document
    assert world.sts.count("GetSessionToken", "OK") == world.sts.count("GetSessionToken") == 1


def test_bytes_that_are_no_text_are_asked_for_again(world: World) -> None:
    job = world.asked()
    world.terminal.send(b"\xff\xfe123456\n")
    assert_names(world.remark(), "credproc: ", "six digits")
    world.type_code()
    assert job.outcome().document


def test_an_empty_line_is_no_try_and_tries_are_counted(world: World) -> None:
    job = world.asked()
    for typed in ("", "   ", "", ""):
        world.terminal.send(f"{typed}\n")
        world.terminal.expect(PROMPT)
    for number in (2, 3):
        world.terminal.send("12\n")
        assert world.remark() == f"credproc: an MFA code has six digits (try {number} of 3)"
    world.type_code()
    assert job.outcome().document


def test_three_tries_without_a_code_end_it_without_a_call(world: World) -> None:
    job = world.asked()
    for _ in range(2):
        world.terminal.send("12\n")
        world.terminal.expect(PROMPT)
    world.terminal.send("12\n")
    assert_failed(job.outcome(), "three tries", "six digits")
    assert world.sts.count() == 0
    assert world.terminal.transcript.decode().count("Enter MFA code") == 3


def test_three_codes_that_aws_refuses_end_it(world: World) -> None:
    job = world.asked()
    for number, code in enumerate(("000000", "000001", "000002")):
        world.terminal.send(f"{code}\n")
        if number < 2:
            assert_names(world.remark(), "credproc: ", "AWS rejected that code")
    assert_failed(job.outcome(), "three tries", "AWS rejected that code")
    assert world.sts.count("GetSessionToken", "AccessDenied") == world.sts.count() == 3


def test_a_right_code_after_a_wrong_one_is_taken(world: World) -> None:
    job = world.asked()
    world.terminal.send("000000\n")
    world.terminal.expect(PROMPT)
    world.type_code()
    assert job.outcome().document


USED = r"credproc: .*used.* (30|[12]?[0-9]) s \(try [23] of 3\)"


def test_a_code_that_aws_has_refused_is_not_sent_again(world: World) -> None:
    job = world.asked()
    world.terminal.send("000000\n")
    world.terminal.expect(PROMPT)
    world.terminal.send("000000\n")
    assert re.fullmatch(USED, world.remark())
    world.terminal.send("\x04")
    assert_failed(job.outcome(), "MFA code", "cancelled")
    assert world.sts.count() == 1


def test_a_code_that_another_run_has_used_is_not_sent_again(world: World) -> None:
    job = world.asked()
    code = world.code()
    world.terminal.send(f"{code}\n")
    assert job.outcome().document
    world.forget()
    job = world.asked()
    world.terminal.send(f"{code[:3]} {code[3:]}\n")
    assert re.fullmatch(USED, world.remark())
    world.type_code()
    assert job.outcome().document
    assert world.sts.count("GetSessionToken") == 2


def test_what_was_typed_before_anybody_asked_is_dropped(world: World) -> None:
    world.terminal.send("987654\n98")
    world.terminal.expect("987654\r\n98")
    world.terminal.until(lambda: world.terminal.pending() == 9)
    job = world.asked()
    world.type_code()
    assert job.outcome().document
    assert world.sts.count("GetSessionToken") == 1


def test_lines_behind_the_code_are_not_left_for_the_shell(world: World) -> None:
    release = threading.Event()
    world.sts.hold(release)
    job = world.asked()
    world.terminal.send(f"{world.code()}\nreboot\nreb")
    assert world.sts.wait_for(1)
    assert world.terminal.pending() == 0
    release.set()
    assert job.outcome().document


def test_digits_on_their_own_line_each_are_three_tries_at_most(world: World) -> None:
    job = world.asked()
    world.terminal.send("1\n2\n3\n4\n")
    world.terminal.expect(PROMPT)
    world.terminal.send("\x04")
    assert_failed(job.outcome(), "MFA code", "cancelled")
    assert world.sts.count() == 0


# The terminal around it


def test_a_raw_terminal_works_and_stays_raw(world: World) -> None:
    assert world.terminal.start(["stty", "raw", "-echo"], world.home.environ).wait() == 0
    world.attributes = world.terminal.attributes()
    job = world.asked()
    world.terminal.send(f"{world.code()}\r")  # what the Enter key sends
    assert job.outcome().document
    assert world.screen == f"{PROMPT[1:]}\n"


def test_a_raw_terminal_knows_ctrl_c(world: World) -> None:
    assert world.terminal.start(["stty", "raw", "-echo"], world.home.environ).wait() == 0
    world.attributes = world.terminal.attributes()
    job = world.asked()
    world.terminal.send("12\x03")
    assert job.outcome() == Outcome(-signal.SIGINT, "", "")


def test_a_raw_terminal_knows_ctrl_d(world: World) -> None:
    assert world.terminal.start(["stty", "raw", "-echo"], world.home.environ).wait() == 0
    world.attributes = world.terminal.attributes()
    job = world.asked()
    world.terminal.send("\x04")
    assert_failed(job.outcome(), "MFA code", "cancelled")


@pytest.mark.parametrize("term", ["dumb", "xterm", ""])
def test_any_kind_of_terminal_will_do(world: World, term: str) -> None:
    world.home.environ["TERM"] = term
    job = world.asked()
    world.terminal.resize(5, 10)
    world.type_code()
    assert job.outcome().document


def test_output_that_is_stopped_stops_nobody(world: World) -> None:
    job = world.asked()
    world.type_unseen("\x13")  # Ctrl-S
    world.type_code()
    assert job.outcome().document
    world.terminal.send("\x11")
    world.terminal.expect("\r\n")


def test_a_terminal_on_a_standard_stream_is_not_touched(world: World) -> None:
    with Terminal() as other:
        before = other.attributes()
        job = world.asked(stdin=other._slave)
        assert other.attributes() == before
        world.type_code()
        assert job.outcome().document
        assert other.attributes() == before
        assert other.transcript == b""


@pytest.mark.parametrize("stdin", ["open", "closed", "null", "data", "stream"])
def test_nothing_is_read_from_stdin(world: World, stdin: Any) -> None:
    if stdin == "data":
        reader, writer = os.pipe()
        os.write(writer, b"987654\n" * 10)
        os.close(writer)
        with os.fdopen(reader, "rb") as data:
            job = world.asked(stdin=reader)
            world.type_code()
            assert job.outcome().document
            assert data.read() == b"987654\n" * 10
        return
    if stdin == "stream":
        line = f"yes 987654 | {shlex.join(RUN)}"
        job = world.asked("sh", "-c", line)
    else:
        job = world.asked(stdin=stdin)
    world.type_code()
    assert job.outcome().document


def test_no_stream_but_stdout_is_needed(world: World) -> None:
    job = world.asked(stdin="closed", stderr="closed")
    world.type_code()
    assert job.wait() == 0
    assert Outcome(0, job.stdout, "").document


# No terminal


def without_terminal(home: Home, *arguments: str, **environ: str) -> Outcome:
    """Run credproc in a session of its own, which has no terminal."""
    return home.run(*arguments, environ=environ, start_new_session=True)


def test_without_a_terminal_it_says_which_command_to_run_in_one(world: World) -> None:
    assert_failed(without_terminal(world.home, "--profile", "admin"), "MFA code", "no terminal")
    assert world.sts.count() == 0


@pytest.mark.parametrize("name", ["my role", "it's", "$(reboot)", "a;b"])
def test_the_command_to_run_can_be_pasted(world: World, name: str) -> None:
    config = (world.home.path / ".aws" / "config").read_text()
    world.home.config(config.replace("[profile admin]", f'[profile "{name}"]'))
    hint = without_terminal(world.home, "--profile", name).stderr.splitlines()[1]
    command = hint.removeprefix("credproc: hint: run ").partition(" in a terminal")[0]
    assert shlex.split(command) == ["credproc", "login", "--profile", name]


def test_a_background_job_fails_at_once_and_is_never_stopped(world: World) -> None:
    job = world.start(foreground=False)
    assert_failed(job.outcome(SOON), "MFA code", "background")
    assert job.stops == []
    assert world.terminal.transcript == b""


def test_interactive_never_forbids_to_ask_on_a_terminal(world: World) -> None:
    world.home.environ["CREDPROC_INTERACTIVE"] = "never"
    assert_failed(world.start().outcome(SOON), "MFA code", "CREDPROC_INTERACTIVE=never")
    assert world.terminal.transcript == b""
    assert world.sts.count() == 0


@pytest.mark.skipif(FROZEN, reason="it ignores PYTHON… variables; test_frozen counts the files that it opens")
@pytest.mark.parametrize("interactive", ["", "never"])
@pytest.mark.measure
def test_to_fail_without_a_terminal_loads_neither_botocore_nor_keyring(world: World, interactive: str) -> None:
    environ = {"PYTHONPROFILEIMPORTTIME": "1", "CREDPROC_INTERACTIVE": interactive}
    environ |= {"CREDPROC_SESSION_STORE": "keyring"}
    ended = without_terminal(world.home, "--profile", "admin", **environ)
    assert ended.status == 3
    imported = {
        line.rpartition("|")[2].strip() for line in ended.stderr.splitlines() if line.startswith("import time:")
    }
    assert "credproc.mfa.code" in imported
    heavy = ("boto3", "botocore", "keyring", "ssl", "urllib3", "subprocess")
    assert [name for name in imported if name.partition(".")[0] in heavy] == []


@pytest.mark.measure
def test_to_fail_without_a_terminal_takes_less_than_to_import_botocore(world: World) -> None:
    def seconds(run: Callable[[], object]) -> float:
        began = time.monotonic()
        run()
        return time.monotonic() - began

    importing = [sys.executable, "-I", "-c", "import botocore.session"]
    pairs = [
        (
            seconds(lambda: without_terminal(world.home, "--profile", "admin")),
            seconds(lambda: subprocess.run(importing, check=True, env=world.home.environ)),
        )
        for _ in range(3)
    ]
    assert min(ours for ours, _ in pairs) < min(theirs for _, theirs in pairs), pairs


# Ways to end it


def test_ctrl_d_cancels(world: World) -> None:
    job = world.asked()
    world.terminal.send("\x04")
    ended = job.outcome()
    assert_failed(ended, "MFA code", "cancelled")
    assert world.screen.startswith(f"{PROMPT[1:]}\n")
    assert world.screen.count("Enter MFA code") == 1


@pytest.mark.parametrize(("key", "number"), [("\x03", signal.SIGINT), ("\x1c", signal.SIGQUIT)], ids=["C", "\\"])
@pytest.mark.parametrize("typed", ["", "123"])
def test_ctrl_c_and_its_like_end_it_by_their_signal(world: World, key: str, number: int, typed: str) -> None:
    job = world.asked()
    world.type_unseen(typed)
    world.terminal.send(key)
    assert job.outcome() == Outcome(-number, "", "")
    assert world.screen == f"{PROMPT[1:]}\n"


def test_ctrl_backslash_leaves_no_core_with_secrets_in_it(world: World, tmp_path: Path) -> None:
    if Path("/proc/sys/kernel/core_pattern").read_text().strip() != "core":
        pytest.skip("cores go elsewhere")
    job = world.asked("sh", "-c", f"ulimit -c unlimited; exec {shlex.join(RUN)}", cwd=str(tmp_path))
    world.terminal.send("\x1c")
    assert job.outcome() == Outcome(-signal.SIGQUIT, "", "")
    assert list(tmp_path.glob("core*")) == []


KILLING = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGALRM, signal.SIGKILL]


@pytest.mark.parametrize("typed", ["", "123", "123456"])
@pytest.mark.parametrize("number", KILLING)
def test_a_signal_leaves_the_terminal_as_it_was(world: World, number: signal.Signals, typed: str) -> None:
    job = world.asked()
    world.type_unseen(typed)
    job.signal(number)
    assert job.outcome(SOON) == Outcome(-number, "", "")
    world.terminal.until(lambda: world.terminal.attributes() == world.attributes, "the settings", SOON)
    world.terminal.until(lambda: world.terminal.survivors() == [], "the watchdog's end", SOON)
    assert world.terminal.pending() == 0
    assert world.sts.count() == 0


@pytest.mark.parametrize("number", KILLING)
def test_a_signal_while_aws_is_asked_leaves_the_terminal_as_it_was(world: World, number: signal.Signals) -> None:
    world.sts.hold(threading.Event())
    job = world.asked()
    world.type_code()
    assert world.sts.wait_for(1)
    assert world.terminal.attributes() == world.attributes
    job.signal(number)
    assert job.outcome(SOON) == Outcome(-number, "", "")


@pytest.mark.parametrize("number", KILLING)
def test_a_signal_at_any_moment_leaves_the_terminal_as_it_was(world: World, number: signal.Signals) -> None:
    world.sts.hold(threading.Event())
    for step in range(6):
        job = world.start()
        if step >= 3:
            world.terminal.expect(PROMPT)
            world.terminal.send("12\n" if step < 5 else "\x04")
        else:
            world.terminal.until(lambda: not world.terminal.echo, "the prompt to come up")
        time.sleep(step % 3 * 0.001)  # the moments are the point: around what the key sets off
        with contextlib.suppress(ProcessLookupError):
            job.signal(number)
        assert job.wait(SOON) in {-number, 3}
        world.terminal.until(lambda: world.terminal.attributes() == world.attributes, "the settings", SOON)
        world.terminal.until(lambda: world.terminal.survivors() == [], "the watchdog's end", SOON)
        world.terminal.drain()
        world.terminal._seen = len(world.terminal.transcript)
        for path in world.home.cache.glob("*.declined"):
            path.unlink()


@pytest.mark.parametrize("number", [signal.SIGPIPE, signal.SIGWINCH, signal.SIGCONT, signal.SIGCHLD, signal.SIGTTIN])
def test_a_signal_that_ends_nobody_ends_no_prompt(world: World, number: signal.Signals) -> None:
    job = world.asked()
    job.signal(number)
    world.type_code()
    assert job.outcome().document
    assert job.stops == []


def test_a_signal_that_the_caller_ignores_is_ignored(world: World) -> None:
    job = world.asked("sh", "-c", f"trap '' INT HUP QUIT; exec {shlex.join(RUN)}")
    job.signal(signal.SIGHUP)
    world.type_unseen("12\x03")
    world.type_code()
    assert job.outcome().document


def test_closing_the_window_ends_it(world: World) -> None:
    world.is_hung_up = True
    job = world.asked()
    world.terminal.hangup()
    assert job.outcome(SOON) == Outcome(-signal.SIGHUP, "", "")


def test_closing_the_window_ends_it_where_the_signal_is_ignored_too(world: World) -> None:
    world.is_hung_up = True
    job = world.asked("sh", "-c", f"trap '' HUP; exec {shlex.join(RUN)}")
    world.terminal.hangup()
    assert_failed(job.outcome(SOON), "MFA code", "closed")


@pytest.mark.parametrize("stderr", ["pipe", "null", "terminal"])
def test_a_reader_that_goes_away_withdraws_the_prompt_and_the_terminal_says_so_once(world: World, stderr: str) -> None:
    job = world.asked(stderr=stderr)
    world.type_unseen("123")
    job.close("stdout")
    assert job.wait(SOON) == 3
    assert world.screen.startswith(f"{PROMPT[1:]}\ncredproc: ")
    assert world.screen.count(GONE) == 1
    said = job.stderr if stderr == "pipe" else world.screen.partition("\n")[2]
    if stderr == "null":
        assert said == f"credproc: {GONE}\n"
    else:
        assert_said(said, "MFA code", GONE)


def test_what_is_typed_before_a_prompt_is_withdrawn_is_flushed_and_what_is_typed_then_is_the_next_programs(
    world: World,
) -> None:
    job = world.asked()
    world.type_unseen("123")
    job.close("stdout")
    world.terminal.expect(f"credproc: {GONE}\r", SOON)
    world.terminal.send("later\n")
    job.wait(SOON)
    after = world.start("sh", "-c", 'read line; echo "<$line>"', stdin="terminal")
    assert after.outcome(SOON).stdout == "<later>\n"


def test_a_prompt_that_is_withdrawn_after_a_code_does_not_say_that_none_was_sent(world: World) -> None:
    job = world.asked()
    world.terminal.send("000000\n")
    world.remark()
    job.close("stdout")
    assert_failed(job.outcome(SOON), "MFA code", "the program that asked has gone")
    assert "the program that asked has gone\n" in world.screen
    assert GONE not in world.screen + job.stderr


@pytest.mark.parametrize(
    ("version", "seconds"),
    [("1.12.0", range(1, 5)), ("1.12.1", range(5, 22)), ("2.0.0", None), ("api-1.14.0", None), ("", None)],
)
def test_a_program_that_is_known_to_give_up_before_the_prompt_does_is_named_with_the_seconds_that_are_left(
    world: World, tmp_path: Path, version: str, seconds: range | None
) -> None:
    program = shutil.which("timeout")
    assert program is not None
    panic = f"/root/.cargo/registry/src/index-0/aws-smithy-runtime-{version}/src/client.rs" if version else ""
    impatient = tmp_path / "who"
    # A program does not mind what is behind its end. What is looked for stands across the border of the first part
    impatient.write_bytes(Path(program).read_bytes().ljust((8 << 20) - 50, b"\0") + panic.encode())
    impatient.chmod(0o755)
    job = world.asked(str(impatient), "--foreground", "60", *RUN, prompt=PROMPT.replace(LEADER, "who"))
    before = world.screen.partition("Enter MFA code")[0]
    world.type_code()
    assert job.outcome().document
    if seconds is None:
        assert before == ""
    else:
        (line,) = before.splitlines()
        found = re.fullmatch("credproc: who may give up in ([0-9]+) s; credproc login asks for 5 minutes", line)
        assert found is not None
        assert int(found[1]) in seconds
        assert len(line) < 80


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_caller_that_is_killed_withdraws_the_prompt(world: World, number: int) -> None:
    job = world.asked("sh", "-c", f"{shlex.join(RUN)}; true")
    world.type_unseen("123")
    job.signal(number)
    assert job.wait(SOON) == -number  # and the terminal is the shell's again
    job.wait_released(SOON)
    assert_said(job.stderr, "MFA code", GONE)
    assert world.screen == f"{PROMPT[1:]}\ncredproc: {GONE}\n"


def test_a_caller_that_goes_away_after_the_code_loses_nothing(world: World) -> None:
    release = threading.Event()
    world.sts.hold(release)
    job = world.asked()
    world.type_code()
    assert world.sts.wait_for(1)
    job.close("stdout")
    release.set()
    assert job.wait() == 1
    assert world.start().outcome().document
    assert world.sts.count() == 2


ASK = """
import sys, time
from credproc.errors import PersonNeededError
from credproc.terminal.posix import Terminal
console = Terminal()
try:
    console.ask("code: ", time.monotonic() + 0.5, lambda: None)
except PersonNeededError as error:
    print(error.kind, error, sep=": ")
console.close()
"""


@pytest.mark.parametrize("typed", ["", "123", "123456"])
def test_a_prompt_that_nobody_answers_ends_at_its_deadline(world: World, typed: str) -> None:
    job = world.asked(sys.executable, "-c", ASK, prompt="\rcode: ")
    world.terminal.send(typed)
    assert job.outcome(SOON) == Outcome(0, "late: no code was typed in time\n", "")


ASK_LATER = """
import os, sys, time
from credproc.terminal.posix import Terminal
console = Terminal()
print("open", flush=True)
while not os.path.exists(sys.argv[1]):
    time.sleep(0.01)
console.ask("later: ", time.monotonic() + 20, lambda: None)
console.close()
"""


@pytest.mark.parametrize("ended", ["first answered", "first killed", "second killed"])
def test_a_terminal_that_was_opened_while_another_prompt_was_up_is_restored(
    world: World, tmp_path: Path, ended: str
) -> None:
    first = world.asked(sys.executable, "-c", ASK.replace("0.5", "20"), prompt="\rcode: ")
    second = world.start(sys.executable, "-c", ASK_LATER, str(tmp_path / "go"), group=first)
    world.terminal.until(lambda: second.stdout == "open\n")
    if ended == "first killed":
        first.signal(signal.SIGKILL)
        (tmp_path / "go").touch()  # before its watchdog has done its work
    else:
        world.terminal.send("\n")
        first.wait()
        (tmp_path / "go").touch()
    world.terminal.expect("later: ")
    time.sleep(0.1)  # for a watchdog that would restore too late
    assert not world.terminal.echo
    if ended == "second killed":
        second.signal(signal.SIGKILL)
        second.wait()
    else:
        world.terminal.send("\n")
        assert second.wait() == 0
    world.terminal.until(lambda: world.terminal.attributes() == world.attributes, "the settings", SOON)


def test_a_watchdog_leaves_the_prompt_alone_that_comes_behind_its_own(world: World, tmp_path: Path) -> None:
    script = ASK.replace("0.5", "20").replace("console.close()", "time.sleep(60)")
    first = world.asked(sys.executable, "-c", script, prompt="\rcode: ")
    world.terminal.send("\n")
    (tmp_path / "go").touch()
    world.terminal.until(lambda: world.terminal.echo)
    second = world.start(sys.executable, "-c", ASK_LATER, str(tmp_path / "go"), group=first)
    world.terminal.expect("later: ")
    first.signal(signal.SIGKILL)
    first.wait()
    world.terminal.until(lambda: len(world.terminal.survivors()) == 2, "the end of its watchdog")
    assert not world.terminal.echo
    world.terminal.send("\n")
    assert second.wait() == 0


# Ctrl-Z and back


@pytest.mark.parametrize("typed", ["", "123"])
def test_ctrl_z_and_fg_ask_anew(world: World, typed: str) -> None:
    job = world.asked()
    world.type_unseen(typed)
    for _ in range(2):
        world.terminal.send("\x1a")
        assert job.wait_stopped() == signal.SIGTSTP
        assert world.terminal.attributes() == world.attributes
        assert world.terminal.column() == 0
        assert world.terminal.pending() == 0
        job.resume()
        assert world.terminal.expect(PROMPT) == "\r\n"
        assert not world.terminal.echo
    world.type_code()
    assert job.outcome().document
    assert job.stops == [signal.SIGTSTP, signal.SIGTSTP]


def test_ctrl_z_and_bg_end_it(world: World) -> None:
    job = world.asked()
    world.terminal.send("\x1a")
    job.wait_stopped()
    job.resume(foreground=False)
    assert_failed(job.outcome(SOON), "MFA code", "background")
    assert job.stops == [signal.SIGTSTP]


def test_what_is_typed_while_it_is_stopped_is_the_shells(world: World) -> None:
    job = world.asked()
    world.terminal.send("\x1a")
    job.wait_stopped()
    world.terminal.send("987654\n")
    assert world.terminal.start(["head", "-n", "1"], world.home.environ, stdout="pipe").outcome().stdout == "987654\n"
    job.resume()
    world.terminal.expect(PROMPT)
    world.type_code()
    assert job.outcome().document


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGHUP])
def test_a_stopped_prompt_can_be_ended(world: World, number: int) -> None:
    job = world.asked()
    world.terminal.send("\x1a")
    job.wait_stopped()
    job.signal(number)
    if number != signal.SIGKILL:
        job.resume(foreground=False)
    assert job.outcome(SOON) == Outcome(-number, "", "")


def test_a_stop_while_aws_is_asked_is_a_stop_like_any_other(world: World) -> None:
    release = threading.Event()
    world.sts.hold(release)
    job = world.asked()
    world.type_code()
    assert world.sts.wait_for(1)
    world.terminal.send("\x1a")
    assert job.wait_stopped() == signal.SIGTSTP
    assert world.terminal.attributes() == world.attributes
    job.resume(foreground=False)
    release.set()
    assert job.outcome().document
    world.terminal.start(["echo"], world.home.environ).wait()  # behind the ^Z that the terminal has shown


def test_a_prompt_that_is_put_into_the_background_ends(world: World) -> None:
    job = world.asked()
    world.terminal.give(None)
    world.terminal.send("\n")
    assert_failed(job.outcome(SOON), "MFA code", "background")
    assert job.stops == []


# The watchdog


def watchdog_of(world: World, job: Job) -> int:
    """Return its process."""
    (pid,) = set(world.terminal.survivors()) - {job.pid}
    return pid


@pytest.mark.root(OPEN_FILES)
def test_the_watchdog_holds_nothing_but_the_terminal_and_its_pipe(world: World) -> None:
    job = world.asked(stdin="open")
    pid = watchdog_of(world, job)
    world.terminal.until(lambda: os.getsid(pid) == pid, "a session of its own")
    world.terminal.until(lambda: len(os.listdir(f"/proc/{pid}/fd")) == 2, "closed descriptors")
    held = sorted(os.readlink(f"/proc/{pid}/fd/{fd}").partition("[")[0] for fd in os.listdir(f"/proc/{pid}/fd"))
    assert held == ["/dev/tty", "pipe:"]
    world.type_code()
    assert job.outcome().document
    assert process_state(pid) == ""


@pytest.mark.anybody
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGTTOU])
def test_the_watchdog_is_not_ended_by_what_ends_its_program(world: World, number: int) -> None:
    job = world.asked()
    pid = watchdog_of(world, job)
    world.terminal.until(lambda: os.getsid(pid) == pid, "the watchdog to watch")
    os.kill(pid, number)
    job.signal(signal.SIGKILL)
    assert job.wait() == -signal.SIGKILL
    world.terminal.until(lambda: world.terminal.attributes() == world.attributes, "the settings", SOON)


def test_a_killed_prompt_releases_its_callers_pipe(world: World) -> None:
    job = world.asked()
    job.signal(signal.SIGKILL)
    job.wait()
    job.wait_released(SOON)


def test_the_watchdog_leaves_settings_alone_that_somebody_else_has_made(world: World) -> None:
    job = world.asked()
    shell = world.terminal.attributes()
    shell[3] = (shell[3] | termios.ECHO) & ~termios.ICANON  # as a line editor has it
    termios.tcsetattr(world.terminal._slave, termios.TCSANOW, shell)
    world.attributes = world.terminal.attributes()
    job.signal(signal.SIGKILL)
    job.wait()
    world.terminal.until(lambda: world.terminal.survivors() == [], "the watchdog's end", SOON)
    assert world.terminal.attributes() == world.attributes
    world.terminal.start(["echo"], world.home.environ).wait()


def test_a_killed_watchdog_harms_nobody(world: World) -> None:
    job = world.asked()
    os.kill(watchdog_of(world, job), signal.SIGKILL)
    world.type_code()
    assert job.outcome().document


def test_a_caller_that_ignores_its_children_harms_nobody(world: World) -> None:
    code = f"import os, signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv({PROGRAM!r}, {RUN!r})"
    job = world.asked(sys.executable, "-c", code)
    world.type_code()
    assert job.outcome().document


# A program in a person's place


def write_program(path: Path, text: str, mode: int = 0o755) -> Path:
    """Write an executable file."""
    path.write_text(text)
    path.chmod(mode)
    return path


def program(world: World, script: str, *, interpreter: str = "/bin/sh") -> Path:
    """Make a program that runs this script the profile's mfa_process."""
    path = write_program(world.home.path / "token", f"#!{interpreter}\n{script}\n")
    world.say(f"mfa_process = {path}")
    return path


def assert_process_failed(ended: Outcome, *words: str, hint: str, status: int = 1) -> None:
    """Fail unless the run ended because its mfa_process failed, with these words in error and hint."""
    assert (ended.status, ended.stdout) == (status, "")
    assert_said(ended.stderr, "mfa_process", *words, hint=hint)


@needs_oathtool
def test_oathtool_signs_in_without_a_person(world: World) -> None:
    world.say(f"mfa_process = oathtool --totp -b {world.user.totp_secret}")
    assert without_terminal(world.home, "--profile", "admin").document
    assert [(call.action, call.outcome) for call in world.sts.calls] == [
        ("GetSessionToken", "OK"),
        ("AssumeRole", "OK"),
    ]


@needs_oathtool
def test_the_source_profiles_program_is_used_too(world: World) -> None:
    config = (world.home.path / ".aws" / "config").read_text()
    line = f"mfa_process = oathtool --totp -b {world.user.totp_secret}"
    world.home.config(f"{config}[profile user1]\n{line}\n")
    assert without_terminal(world.home, "--profile", "admin").document


def test_a_program_that_asks_at_the_terminal_is_answered_there(world: World) -> None:
    program(world, f'printf "PIN: " >&2; read pin; [ "$pin" = 42 ] && echo {world.code()}; echo thanks >&2')
    job = world.asked(prompt="PIN: ", stdin="null")
    assert world.terminal.attributes() == world.attributes
    world.terminal.send("42\n")
    assert job.outcome().document
    assert world.terminal.transcript == b"PIN: 42\r\nthanks\r\n"


def test_a_program_has_the_blocking_terminal_and_our_process_group(world: World) -> None:
    code = (
        "import os, sys\n"
        "assert os.ttyname(0) == os.ttyname(2)\n"
        "assert all(os.get_blocking(fd) for fd in (0, 1, 2))\n"
        "assert os.tcgetpgrp(0) == os.getpgrp() == os.getpgid(os.getppid())\n"
        "assert sorted(map(int, os.listdir('/proc/self/fd')))[:4] == [0, 1, 2, 3]\n"
        "assert len(os.listdir('/proc/self/fd')) == 4\n"  # the fourth lists them
        f"print({world.code()!r})\n"
    )
    program(world, code, interpreter=f"{sys.executable} -IS")
    assert world.start().outcome().document


def test_a_program_without_a_terminal_has_nothing_to_read_or_to_write_to(world: World) -> None:
    program(world, f'readlink /proc/self/fd/0 /proc/self/fd/2 >"$HOME/fds"; echo {world.code()}')
    assert without_terminal(world.home, "--profile", "admin").document
    assert (world.home.path / "fds").read_text() == "/dev/null\n/dev/null\n"


def test_a_program_learns_no_secret_and_lets_no_credproc_ask(world: World) -> None:
    program(world, f'env >"$HOME/seen"; echo {world.code()}')
    secrets = {
        "AWS_SECRET_ACCESS_KEY": "canary",
        "AWS_SESSION_TOKEN": "canary",
        "AWS_SECURITY_TOKEN": "canary",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "canary",
        "AWS_BEARER_TOKEN_BEDROCK": "canary",
        "AWS_SECRET_KEY": "canary",
        "EC2_SECRET_KEY": "canary",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/canary",
    }
    environ = {**secrets, "AWS_ACCESS_KEY_ID": "canary", "PASSWORD_STORE_DIR": "/there"}
    assert without_terminal(world.home, "--profile", "admin", **environ).document
    text = (world.home.path / "seen").read_text()
    seen = dict(line.split("=", 1) for line in text.splitlines())
    assert "canary" not in text
    assert "AWS_ACCESS_KEY_ID" not in seen
    assert seen["CREDPROC_INTERACTIVE"] == "never"
    assert seen["CREDPROC_PROFILE_CHAIN"] == "admin"
    assert seen["PASSWORD_STORE_DIR"] == "/there"


def test_no_argument_of_a_process_holds_the_code(world: World) -> None:
    release = threading.Event()
    world.sts.hold(release)
    code = world.code()
    program(world, f"echo {code}")
    job = world.start()
    assert world.sts.wait_for(1)
    lines = [Path(f"/proc/{pid}/cmdline").read_text() for pid in world.terminal.survivors()]
    assert lines
    assert [line for line in lines if code in line] == []
    release.set()
    assert job.outcome().document


@pytest.mark.parametrize(
    "output",
    ["{0}", r"{0}\n", r"{0}\r\n", r"\n  {0}\n\n", "{1} {2}", r"\033[32m{0}\033[0m\n"],
    ids=["bare", "a line", "CRLF", "white space", "a space", "colour"],
)
def test_a_code_is_taken_however_a_program_prints_it(world: World, output: str) -> None:
    code = world.code()
    program(world, f"printf '{output.format(code, code[:3], code[3:])}'")
    assert without_terminal(world.home, "--profile", "admin").document


@pytest.mark.parametrize(
    "script",
    [
        "true",
        "echo 12345",
        "echo code: 123456",
        "echo 123456; echo 654321",
        "printf '123456\\0'",
        "head -c 100 /dev/urandom",
        "head -c 10485760 /dev/zero | tr '\\0' 1",
        "echo 123456 >&2",
    ],
    ids=["nothing", "five digits", "words", "two lines", "NUL", "bytes", "10 MiB", "on stderr"],
)
def test_what_is_no_code_is_refused_and_costs_no_call(world: World, script: str) -> None:
    program(world, script)
    ended = without_terminal(world.home, "--profile", "admin")
    assert_process_failed(ended, "six digits", hint="code")
    assert world.sts.count() == 0


def test_a_program_that_fails_is_named_and_what_it_says_does_not_stop_it(world: World) -> None:
    program(world, "head -c 1048576 /dev/zero | tr '\\0' x >&2; echo 123456; exit 7")
    ended = without_terminal(world.home, "--profile", "admin")
    assert_process_failed(ended, "status 7", hint="run the command")
    assert world.sts.count() == 0


def test_a_program_that_is_killed_is_a_failure(world: World) -> None:
    program(world, "echo 123456; kill -9 $$")
    ended = without_terminal(world.home, "--profile", "admin")
    assert (ended.status, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"credproc: error: {WHERE}: mfa_process: ")
    assert world.sts.count() == 0


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda _: None, "no such file or directory"),
        (lambda path: write_program(path, "#!/bin/sh\necho 123456\n", 0o644), "permission denied"),
        (lambda path: write_program(path, "#!/no/such/interpreter\n"), "no such file or directory"),
        (lambda path: write_program(path, "no program\n"), "exec format error"),
        (lambda path: path.mkdir(), "permission denied"),
    ],
    ids=["missing", "not executable", "no interpreter", "no program", "a directory"],
)
def test_a_program_that_cannot_be_started_is_named(world: World, make: Callable[[Path], object], reason: str) -> None:
    path = world.home.path / "token"
    make(path)
    world.say(f"mfa_process = {path} --account aws")
    ended = without_terminal(world.home, "--profile", "admin")
    assert_process_failed(ended, f"{path}: {reason}", hint="path")


@pytest.mark.parametrize("command", ["'unfinished", '"', "''"])
def test_a_line_that_names_no_program_is_an_error(world: World, command: str) -> None:
    world.say(f"mfa_process = {command}")
    ended = without_terminal(world.home, "--profile", "admin")
    assert (ended.status, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"credproc: error: {WHERE}: mfa_process: ")


def test_no_shell_reads_the_line(world: World, tmp_path: Path) -> None:
    script = write_program(tmp_path / "token", f'#!/bin/sh\nprintf "%s\\n" "$@" >"$HOME/words"; echo {world.code()}\n')
    world.say(f"mfa_process = {script} $HOME `id` && reboot 'two words'")
    assert without_terminal(world.home, "--profile", "admin").document
    assert (world.home.path / "words").read_text().splitlines() == ["$HOME", "`id`", "&&", "reboot", "two words"]


@pytest.mark.parametrize("path", [".:{0}", ":{0}", "{0}:"])
def test_a_program_in_the_working_directory_is_not_found(world: World, tmp_path: Path, path: str) -> None:
    write_program(tmp_path / "token", '#!/bin/sh\ntouch "$HOME/canary"\necho 123456\n')
    world.say("mfa_process = token")
    world.home.environ["PATH"] = path.format("/usr/bin:/bin")
    ended = world.home.run("--profile", "admin", start_new_session=True, cwd=str(tmp_path))
    assert not (world.home.path / "canary").exists()
    assert_process_failed(ended, "token: no such file or directory", hint="path")


@pytest.mark.parametrize(
    ("program_mode", "directory_mode", "place"),
    [(0o757, 0o755, "bin/token"), (0o755, 0o777, "bin"), (0o755, 0o1777, "bin")],
)
def test_a_program_that_anybody_may_replace_is_not_run(
    world: World, tmp_path: Path, program_mode: int, directory_mode: int, place: str
) -> None:
    directory = tmp_path / "bin"
    directory.mkdir()
    token = write_program(directory / "token", '#!/bin/sh\ntouch "$HOME/canary"\necho 123456\n', program_mode)
    directory.chmod(directory_mode)
    world.say(f"mfa_process = {token}")
    ended = without_terminal(world.home, "--profile", "admin")
    assert not (world.home.path / "canary").exists()
    mode = program_mode if place == "bin/token" else directory_mode
    assert_process_failed(ended, f"{tmp_path}/{place}: ", f"mode {mode:o}", hint=f"chmod go-w {tmp_path}/{place}")


def test_a_code_that_aws_refuses_is_not_asked_for_again(world: World) -> None:
    program(world, "echo 000000")
    ended = without_terminal(world.home, "--profile", "admin")
    assert_process_failed(ended, "AWS rejected that code", hint="device", status=3)
    assert world.sts.count() == 1


def test_a_child_that_the_program_leaves_behind_holds_nothing_up(world: World) -> None:
    program(world, f'sleep 60 &\necho $! >"$HOME/child"\necho {world.code()}')
    job = world.start()
    try:
        assert job.outcome(SOON).document
    finally:
        os.kill(int((world.home.path / "child").read_text()), signal.SIGKILL)


def test_ctrl_c_ends_a_program_and_credproc(world: World) -> None:
    program(world, "echo touch the key >&2; exec sleep 60")
    job = world.asked(prompt="touch the key\r\n")
    world.terminal.send("\x03")
    assert job.wait(SOON) == -signal.SIGINT
    world.terminal.start(["echo"], world.home.environ).wait()  # behind the ^C that the terminal has shown


def program_codes(
    tmp_path: Path,
    script: str,
    clock: Callable[[], float] = time.time,
    *,
    seconds: float = 5,
    used: UsedCodes | None = None,
) -> ProcessCodeProvider:
    """Return the codes of a program in a run that has so many seconds left for it."""
    path = write_program(tmp_path / "token", f"#!/bin/sh\n{script}\n")
    request = Request("admin", {"PATH": os.environ["PATH"]}, time.monotonic() - 40 + seconds, clock)
    return ProcessCodeProvider(
        CodeRequest(SERIAL, WHERE, str(path), request), str(path), used or UsedCodes(None, "session")
    )


def test_a_program_whose_output_no_thread_can_read_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    codes = program_codes(tmp_path, f"echo $$ >{tmp_path}/pid; exec sleep 60")
    monkeypatch.setattr(threading.Thread, "start", refused)
    began = time.monotonic()
    with pytest.raises(SourceError, match=r"mfa_process: .*too many processes"):
        codes.next_code(None)
    assert time.monotonic() - began < SOON


def test_a_program_that_hangs_is_killed_at_the_deadline(tmp_path: Path) -> None:
    codes = program_codes(tmp_path, f"echo $$ >{tmp_path}/pid; exec sleep 60", seconds=0.5)
    began = time.monotonic()
    with pytest.raises(PersonNeededError, match=r"mfa_process: .*killed") as raised:
        codes.next_code(None)
    assert time.monotonic() - began < SOON
    assert raised.value.kind == "late"
    assert_names(raised.value.hint, "", "run the command")
    assert process_state(int((tmp_path / "pid").read_text())) == ""


def test_a_program_that_fills_its_output_for_ever_is_killed_at_the_deadline(tmp_path: Path) -> None:
    with pytest.raises(PersonNeededError, match="in time"):
        program_codes(tmp_path, "exec yes", seconds=0.5).next_code(None)


BORDER = 30 * 60_000_000.0  # epoch seconds at which a code gives way to the next


def test_a_used_code_makes_a_program_wait_for_the_next_one(tmp_path: Path) -> None:
    used = UsedCodes(None, "session")
    used.add("111111", BORDER - 10)
    script = f"[ -e {tmp_path}/once ] && echo 222222 || echo 111111; touch {tmp_path}/once"
    assert program_codes(tmp_path, script, lambda: BORDER - 0.3, used=used).next_code(None) == "222222"


def test_a_program_that_prints_a_used_code_again_is_not_believed(tmp_path: Path) -> None:
    used = UsedCodes(None, "session")
    used.add("111111", BORDER - 10)
    with pytest.raises(PersonNeededError, match=r"mfa_process: .*used") as raised:
        program_codes(tmp_path, "echo 111111", lambda: BORDER - 0.3, used=used).next_code(None)
    assert raised.value.kind == "wrong"
    assert_names(raised.value.hint, "", "next code")


def test_a_program_does_not_wait_for_a_code_that_comes_too_late(tmp_path: Path) -> None:
    used = UsedCodes(None, "session")
    used.add("111111", BORDER)
    began = time.monotonic()
    with pytest.raises(PersonNeededError, match=r"mfa_process: .*used"):
        program_codes(tmp_path, "echo 111111", lambda: BORDER, used=used).next_code(None)
    assert time.monotonic() - began < SOON


def test_a_program_that_cannot_be_started_is_no_refusal_of_a_person(tmp_path: Path) -> None:
    codes = program_codes(tmp_path, "")
    (tmp_path / "token").unlink()
    with pytest.raises(SourceError, match="cannot be started"):
        codes.next_code(None)


# At last


def test_nobodys_answer_ends_it_after_forty_seconds_and_leaves_nothing_typed(unanswered: tuple[World, Job]) -> None:
    world, job = unanswered
    ended = job.outcome(60)
    assert_failed(ended, "MFA code", "in time")
    assert world.screen.startswith(f"{PROMPT[1:]}\n")
    assert world.screen.count("Enter MFA code") == 1
    assert world.sts.count() == 0
    world.check()
