"""A code that is asked for in a window: when, by which program, what it says, and how it goes away."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credproc.mfa.dialog.kdialog import Kdialog
from credproc.mfa.dialog.osascript import Osascript
from credproc.mfa.dialog.pinentry import Pinentry
from credproc.mfa.dialog.programs import PROGRAMS, find
from credproc.mfa.dialog.question import DialogProgram, NoWindowError, Question
from credproc.mfa.dialog.zenity import Zenity
from tests.mfa import PROMPT, World, profile, world
from tests.wording import assert_names

if sys.platform != "linux":
    pytest.skip("the rigs are made for Linux", allow_module_level=True)

from tests import dialogs
from tests.dialogs import Display, Double

Run = subprocess.Popen[str]


@pytest.fixture(name="w")
def _world(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "home", ["admin", "other"]) as found:
        yield found


@pytest.fixture(name="double")
def _double(tmp_path: Path) -> Iterator[Double]:
    with Double(tmp_path / "bin", "pinentry-qt") as found:
        yield found


def _ask(w: World, double: Double, prompt: str = "dialog", *arguments: str, **environ: str) -> Run:
    """Start credproc without a terminal."""
    return w.home.start(
        *(arguments or ("--profile", "admin")),
        environ={**double.environ, "CREDPROC_PROMPT": prompt, **environ},
        start_new_session=True,
    )


def _end(run: Run) -> tuple[int, str, str]:
    stdout, stderr = run.communicate(timeout=30)
    return run.returncode, stdout, stderr


# Texts


@given(st.text(), st.text())
def test_a_question_has_nothing_that_a_toolkit_takes_for_markup_or_more_than_a_line(remark: str, name: str) -> None:
    text = Question.of([remark], f"Enter MFA code for x (profile {name}): ").text
    assert not set("<&") & set(text)
    assert all(character.isprintable() or character == "\n" for character in text)
    assert text.count("\n") == 2  # between the two


@given(st.text())
def test_a_pinentry_is_told_the_question_in_one_line_that_it_can_read(name: str) -> None:
    question = Question.of([], f"Enter MFA code for x (profile {name}): ")
    lines = Pinentry().stdin(question).decode().split("\n")
    assert [line.partition(" ")[0] for line in lines] == [*"OPTION SETTITLE SETPROMPT SETDESC GETPIN BYE".split(), ""]
    assert max(map(len, (line.encode() for line in lines))) < 1000
    shown = unquote(lines[3].removeprefix("SETDESC "))
    assert shown == question.text or (shown.endswith("...") and question.text.startswith(shown[:-3]))


ANSWERS = {
    "OK\nOK\nOK\nOK\nOK\nD 123456\nOK\nOK closing connection\n": "123456",
    "OK\nERR 1 unknown\nOK\nOK\nOK\nD 12%25\nD 34\nOK\n": "12%34",
    "OK\nOK\nOK\nOK\nOK\nS PASSWORD_FROM_CACHE\n# a comment\nOK\n": "",
    "OK\nOK\nOK\nOK\nOK\nERR 83886179 Operation cancelled <Pinentry>\nOK\n": None,
    "OK\nOK\nOK\nOK\nOK\nERR 83886278 Fully cancelled\n": None,
}


@pytest.mark.parametrize(("output", "typed"), ANSWERS.items())
def test_what_a_pinentry_answers(output: str, typed: str | None) -> None:
    assert Pinentry().answer(0, output) == typed


@pytest.mark.parametrize(
    "output", ["", "nonsense", "OK\nOK\nOK\nOK\nOK\n", "OK\nOK\nOK\nOK\nOK\nERR x\n", "OK\nOK\nOK\nOK\nOK\nERR\n"]
)
def test_a_pinentry_that_answers_nothing_has_shown_no_window(output: str) -> None:
    with pytest.raises(NoWindowError, match="status 2"):
        Pinentry().answer(2, output)


def test_zenity_is_given_the_text_as_its_label_reads_it() -> None:
    (text,) = [part for part in Zenity().arguments(Question(r"my_role \n")) if part.startswith("--text=")]
    assert text == r"--text=my__role \\n"


def test_kdialog_is_given_the_text_as_it_reads_it() -> None:
    question = Question.of(["that is no code"], r"Enter MFA code for my_role \n: ")
    assert Kdialog().arguments(question)[-1] == r"that is no code. Enter MFA code for my_role \\n"


def test_osascript_is_given_the_texts_as_arguments_and_a_script_without_them() -> None:
    question = Question('" & (do shell script "id") & "')
    assert Osascript().arguments(question) == ["-", "credproc", question.text]
    script = Osascript().stdin(question).decode()
    assert script.startswith("on run argv\n")
    assert "shell" not in script
    assert script == Osascript().stdin(Question("")).decode()


ENDS = {"typed 123456\n": "123456", "typed \n": "", "closed\n": None}


@pytest.mark.parametrize(("output", "typed"), ENDS.items())
def test_what_osascript_prints(output: str, typed: str | None) -> None:
    assert Osascript().answer(0, output) == typed


@pytest.mark.parametrize(("status", "output"), [(1, ""), (0, ""), (1, "closed\n"), (0, "123456\n")])
def test_an_osascript_that_fails_has_shown_no_window(status: int, output: str) -> None:
    with pytest.raises(NoWindowError):
        Osascript().answer(status, output)


@pytest.mark.parametrize("kind", [Zenity(), Kdialog()], ids=["zenity", "kdialog"])
def test_what_a_window_prints_and_how_it_exits(kind: DialogProgram) -> None:
    assert kind.answer(0, "123456\n") == "123456"
    assert kind.answer(0, "") == ""
    assert kind.answer(int(kind.variables.get("ZENITY_ESC", "1")), "") is None
    for status in (-6, 2, 255):
        with pytest.raises(NoWindowError, match=f"status {status}"):
            kind.answer(status, "")


# Which program


def test_no_program_is_looked_for_where_there_is_no_display(double: Double) -> None:
    environ = {**double.environ, "DISPLAY": ""}
    assert_names(find(environ).unavailable_reason, "there is no display")
    assert find({**environ, "WAYLAND_DISPLAY": "wayland-0"}).programs[0].path == str(double.directory / "pinentry-qt")
    assert find(environ, "darwin").programs[0].name == "pinentry-qt"


def test_programs_are_found_in_their_order_in_absolute_directories_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [name for kind in PROGRAMS for name in kind.names]
    monkeypatch.chdir(tmp_path)
    for name in names:
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    found = find({**dialogs.NOWHERE, "PATH": str(tmp_path)})
    assert [program.name for program in found.programs] == names
    relative = find({**dialogs.NOWHERE, "PATH": ".:"})
    assert relative.programs == ()
    assert_names(relative.unavailable_reason, "there is no program")
    assert_names(relative.hint, "install ", "pinentry")


def test_a_program_that_another_user_could_replace_is_left_out(tmp_path: Path) -> None:
    ours, theirs = Double(tmp_path / "ours", "pinentry-gtk-2"), Double(tmp_path / "theirs", "pinentry-qt")
    theirs.directory.chmod(0o777)
    both = {**dialogs.NOWHERE, "PATH": f"{theirs.directory}:{ours.directory}"}
    assert [program.name for program in find(both).programs] == ["pinentry-gtk-2"]
    alone = find({**both, "PATH": str(theirs.directory)})
    assert alone.programs == ()
    assert_names(alone.unavailable_reason, str(theirs.directory), "writable by others", "pinentry-qt")
    assert_names(alone.hint, "chmod go-w ")


# When


def test_nobody_is_asked_in_a_window_who_has_not_said_so(w: World, double: Double) -> None:
    status, stdout, stderr = _end(_ask(w, double, ""))
    assert (status, stdout, double.processes) == (3, "", [])
    assert_names(stderr, "credproc: error: ", "no terminal", "credproc login", "credproc_prompt = dialog")


def test_where_asking_is_forbidden_no_window_is_shown(w: World, double: Double) -> None:
    status, _, stderr = _end(_ask(w, double, "dialog-always", CREDPROC_INTERACTIVE="never"))
    assert (status, double.processes) == (3, [])
    assert "CREDPROC_INTERACTIVE=never" in stderr
    assert "dialog" not in stderr


def test_where_there_is_a_terminal_the_setting_says_which(w: World, double: Double) -> None:
    job = w.ask("admin", **double.environ, CREDPROC_PROMPT="dialog")
    w.type_code()
    assert job.outcome(30).document
    job = w.start("--profile", "other", environ={**double.environ, "CREDPROC_PROMPT": "dialog-always"})
    assert job.outcome(30).document  # by the session
    assert double.processes == []
    (w.home.cache / next(path.name for path in w.home.cache.glob("*.session"))).unlink()
    for entry in w.home.entries:
        entry.unlink()
    job = w.start("--profile", "admin", environ={**double.environ, "CREDPROC_PROMPT": "dialog-always"})
    double.do(w.user.unused_code())
    assert job.outcome(30).document
    assert w.terminal.transcript.count(PROMPT.encode()) == 1


def test_in_the_background_of_a_terminal_there_is_none_to_ask_on(w: World, double: Double) -> None:
    job = w.start("--profile", "admin", environ={**double.environ, "CREDPROC_PROMPT": "dialog"}, foreground=False)
    double.do(w.user.unused_code())
    assert job.outcome(30).document


def test_ctrl_z_stops_credproc_and_the_window_is_answered_when_it_goes_on(w: World, double: Double) -> None:
    job = w.start("--profile", "admin", environ={**double.environ, "CREDPROC_PROMPT": "dialog-always"})
    process = double.wait_for_window()
    w.terminal.send("\x1a")
    assert job.wait_stopped(30) == signal.SIGTSTP
    assert not dialogs.is_gone(process)
    job.resume()
    double.do(w.user.unused_code())
    assert job.outcome(30).document


def test_a_window_is_wanted_by_a_setting_of_the_source_profile_or_of_the_role(w: World, double: Double) -> None:
    config = w.home.path / ".aws" / "config"
    text = config.read_text()
    config.write_text(f"{text}\n{profile('third', w.role('third'), 'user1', 'credproc_prompt = dialog')}")
    run = _ask(w, double, "", "--profile", "third")
    double.do(w.user.unused_code())
    assert _end(run)[0] == 0
    config.write_text(text.replace("[profile user1]", "[profile user1]\ncredproc_prompt = never"))
    status, _, stderr = _end(_ask(w, double, "", "--profile", "other"))
    assert status == 1
    assert_names(stderr, "credproc: error: ~/.aws/config:", "terminal, dialog, dialog-always", "'never'")


def test_without_a_display_a_window_that_is_always_wanted_gives_way_to_the_terminal(w: World, double: Double) -> None:
    job = w.ask("admin", **{**double.environ, "DISPLAY": "", "CREDPROC_PROMPT": "dialog-always"})
    w.type_code()
    assert job.outcome(30).document
    w.home.run("logout", "--all")
    status, _, stderr = _end(_ask(w, double, DISPLAY=""))
    assert status == 3
    assert_names(stderr, "credproc: error: ", "no terminal", "no display", "credproc login --profile admin")


def test_that_there_is_no_window_either_ends_those_who_wait_and_have_no_display(w: World, double: Double) -> None:
    runs = [_ask(w, double, DISPLAY="") for _ in range(10)]
    assert {_end(run)[0] for run in runs} == {3}
    run = _ask(w, double)
    double.do(w.user.unused_code())
    assert _end(run)[0] == 0


# What is asked


def test_the_window_names_device_and_profile_and_no_secret_reaches_its_program(w: World, double: Double) -> None:
    secret = {"AWS_SECRET_ACCESS_KEY": w.user.secret_access_key, "AWS_ACCESS_KEY_ID": w.user.access_key_id}
    run = _ask(w, double, GPG_TTY="/dev/tty", PINENTRY_USER_DATA="USE_CURSES=1", **secret)
    double.do(w.user.unused_code())
    assert _end(run)[0] == 0
    assert double.descriptions == [f"Enter MFA code for {w.user.mfa_serial} (profile admin)"]
    assert double.told("arguments") == "\n"
    environ = double.told("environ")
    assert "AWS_SECRET" not in environ
    assert "GPG_TTY" not in environ
    assert "USER_DATA" not in environ
    said = double.told("said").splitlines()
    assert "OPTION no-grab" in said  # the code may be in another program on the screen
    assert not [line for line in said if "cache" in line or "KEYINFO" in line or "tty" in line]


def test_a_name_in_the_config_is_shown_as_text(w: World, double: Double) -> None:
    name = "<b>a&b</b>%0A"
    config = w.home.path / ".aws" / "config"
    config.write_text(f"{config.read_text()}\n{profile(chr(34) + name + chr(34), w.role('third'))}")
    run = _ask(w, double, "dialog", "--profile", name)
    double.do("cancel")
    assert _end(run)[0] == 3
    assert double.descriptions[0].endswith("(profile \\x3cb>a\\x26b\\x3c/b>%0A)")


def test_three_windows_are_shown_and_each_says_what_was_wrong_with_the_last_code(w: World, double: Double) -> None:
    run = _ask(w, double)
    double.do("12345")
    double.do("000000")
    double.do("000000")
    status, stdout, stderr = _end(run)
    assert (status, stdout) == (3, "")
    assert_names(stderr, "credproc: error: ", "three tries", "credproc login --profile admin")
    first, second, third = double.descriptions
    assert "digits" not in first
    assert_names(second, "an MFA code has six digits (try 2 of 3)\n\nEnter MFA code for ")
    assert_names(third, "AWS rejected that code", "\n\nEnter MFA code for ")
    assert w.actions.count("GetSessionToken") == 1  # the same code is not sent again


def test_the_command_login_asks_in_a_window_too(w: World, double: Double) -> None:
    run = _ask(w, double, "dialog", "login", "--profile", "admin")
    double.do(w.user.unused_code())
    status, stdout, _ = _end(run)
    assert status == 0
    assert "signed in" in stdout


# How many


def test_any_number_of_callers_see_one_window_and_a_cancel_ends_them_all(w: World, double: Double) -> None:
    runs = [_ask(w, double, "dialog", "--profile", name) for name in ("admin", "other") * 4]
    double.wait_for_window()
    dialogs.until(lambda: _at_a_lock(runs) == len(runs) - 1)
    double.do("cancel")
    found = [_end(run) for run in runs]
    assert [status for status, _, _ in found] == [3] * len(runs)
    assert all("cancelled" in stderr for _, _, stderr in found)
    assert len(double.processes) == 1
    assert w.sts.count() == 0


def test_any_number_of_callers_get_their_documents_by_one_window(w: World, double: Double) -> None:
    runs = [_ask(w, double, "dialog", "--profile", name) for name in ("admin", "other") * 4]
    double.do(w.user.unused_code())
    assert [_end(run)[0] for run in runs] == [0] * len(runs)
    assert len(double.processes) == 1
    assert w.actions.count("GetSessionToken") == 1


def _at_a_lock(runs: list[Run]) -> int:
    """Return how many of them wait for a lock."""
    return sum(_has_lock_open(run.pid) for run in runs) - 1  # the one that asks has one too


def _has_lock_open(process: int) -> bool:
    try:
        return any(os.readlink(path).endswith(".lock") for path in Path(f"/proc/{process}/fd").iterdir())
    except OSError:
        return False


# How it goes away


def test_the_callers_death_withdraws_the_window(w: World, double: Double) -> None:
    run = _ask(w, double)
    process = double.wait_for_window()
    assert run.stdout is not None
    run.stdout.close()  # as the death of the reader does
    assert run.wait(30) == 3
    dialogs.until(lambda: dialogs.is_gone(process))
    assert run.stderr is not None
    assert_names(run.stderr.read(), "credproc: error: ", "has gone; nothing was sent")
    run.stderr.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_whatever_ends_credproc_ends_the_window(w: World, double: Double, number: signal.Signals) -> None:
    run = _ask(w, double)
    process = double.wait_for_window()
    run.send_signal(number)
    assert _end(run)[0] == -number
    dialogs.until(lambda: dialogs.is_gone(process))
    again = _ask(w, double)  # nobody has declined
    double.do(w.user.unused_code())
    assert _end(again)[0] == 0


def test_an_interrupt_from_the_keyboard_cancels_for_those_who_wait(w: World, double: Double) -> None:
    first = _ask(w, double)
    process = double.wait_for_window()
    others = [_ask(w, double) for _ in range(2)]
    dialogs.until(lambda: _at_a_lock([first, *others]) == len(others))
    first.send_signal(signal.SIGINT)
    assert _end(first)[0] == -signal.SIGINT
    assert [_end(run)[0] for run in others] == [3, 3]
    assert dialogs.is_gone(process)
    assert len(double.processes) == 1


def test_a_window_that_a_person_kills_is_cancelled(w: World, double: Double) -> None:
    run = _ask(w, double)
    os.kill(double.wait_for_window(), signal.SIGTERM)
    status, _, stderr = _end(run)
    assert status == 3
    assert "cancelled" in stderr


def test_a_program_that_shows_no_window_gives_way_to_the_next_one(w: World, tmp_path: Path) -> None:
    names = ["pinentry-qt", "pinentry-gtk-2", "zenity", "kdialog", "osascript"]
    with ExitStack() as stack:
        doubles = [stack.enter_context(Double(tmp_path / name, name)) for name in names]
        run = _ask(w, doubles[0], PATH=":".join(str(double.directory) for double in doubles))
        for double in doubles[:-1]:
            double.do("fail")
        doubles[-1].do(w.user.unused_code())
        assert _end(run)[0] == 0
    assert [len(double.processes) for double in doubles] == [1] * len(names)


@pytest.mark.parametrize("name", ["zenity", "kdialog", "osascript"])
def test_a_window_that_is_closed_is_cancelled_and_one_that_is_not_shown_is_not(
    w: World, tmp_path: Path, name: str
) -> None:
    with Double(tmp_path / "bin", name) as double:
        for did, words in (("cancel", "cancelled"), ("fail", f"{name} shows no window: it exited with status")):
            run = _ask(w, double)
            double.do(did)
            status, _, stderr = _end(run)
            assert status == 3
            assert words in stderr
        assert w.user.mfa_serial is not None
        assert w.user.mfa_serial in double.told("arguments")


def test_where_no_program_shows_a_window_the_last_one_is_named(w: World, double: Double) -> None:
    run = _ask(w, double)
    double.do("fail")
    status, _, stderr = _end(run)
    assert status == 3
    assert_names(stderr, "credproc: error: ", "pinentry-qt shows no window", "credproc login --profile admin")


ASK = """
import os, sys, time
from credproc.errors import PersonNeededError
from credproc.mfa.dialog import open_window

before = len(os.listdir("/proc/self/fd"))
window = open_window(os.environ)
try:
    window.ask("x: ", time.monotonic() + 1, lambda: None)
except PersonNeededError as error:
    print(error.kind)
window.close()
print(len(os.listdir("/proc/self/fd")) - before)
"""


def test_a_window_goes_at_the_deadline_and_nothing_is_left_open(double: Double) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", ASK], env=double.environ, capture_output=True, text=True, check=True, timeout=30
    )
    assert ran.stdout == "late\n0\n"
    assert dialogs.is_gone(double.processes[0])


# What is said about it


def test_explain_and_doctor_say_which_program_asks(w: World, double: Double) -> None:
    environ = {**double.environ, "CREDPROC_PROMPT": "dialog"}
    path = str(double.directory / "pinentry-qt")
    assert_names(w.home.run("explain", "admin", environ=environ).stdout, "profile 'admin'", f"in a window of {path}")
    always = {**environ, "CREDPROC_PROMPT": "dialog-always"}
    said = w.home.run("explain", "admin", environ=always).stdout
    assert "at the terminal" not in said
    none = {**environ, "DISPLAY": ""}
    assert "in no window: there is no display" in w.home.run("explain", "admin", environ=none).stdout
    assert f"ok    window: credproc can prompt for a code in one of {path}" in _examined(w, environ)
    said = _examined(w, none)
    assert "warn  terminal: there is no terminal" in said
    assert "warn  window: there is no display" in said
    assert "window" not in _examined(w, double.environ).replace("in a window", "")


def _examined(w: World, environ: dict[str, str]) -> str:
    run = w.home.start("doctor", "admin", "--offline", environ=environ, start_new_session=True)
    return run.communicate(timeout=30)[0]


# For real

REAL = pytest.mark.skipif(not dialogs.AVAILABLE, reason="needs Xvfb and xdotool")


@pytest.fixture(name="display")
def _display() -> Iterator[Display]:
    with Display() as display:
        yield display


@REAL
@pytest.mark.parametrize("program", ["pinentry-gtk-2", "pinentry-qt", "zenity", "kdialog"])
def test_a_code_is_typed_into_a_real_window(w: World, display: Display, tmp_path: Path, program: str) -> None:
    environ = {**display.environ, **dialogs.only(tmp_path / "bin", program), "CREDPROC_PROMPT": "dialog"}
    run = w.home.start("--profile", "admin", environ=environ, start_new_session=True)
    display.type(w.user.unused_code())
    status, stdout, stderr = _end(run)
    assert (status, stderr) == (0, "")
    assert '"Version":1' in stdout
    assert display.windows() == []


@REAL
@pytest.mark.parametrize("program", ["pinentry-gtk-2", "zenity", "kdialog"])
def test_a_real_window_is_closed_by_a_key_and_by_the_death_of_credproc(
    w: World, display: Display, tmp_path: Path, program: str
) -> None:
    environ = {**display.environ, **dialogs.only(tmp_path / "bin", program), "CREDPROC_PROMPT": "dialog"}
    run = w.home.start("--profile", "admin", environ=environ, start_new_session=True)
    display.press("Escape")
    status, _, stderr = _end(run)
    assert status == 3
    assert "cancelled" in stderr
    run = w.home.start("login", "--profile", "admin", environ=environ, start_new_session=True)
    display.windows("--sync")
    run.kill()
    dialogs.until(lambda: display.windows() == [])
    _end(run)
