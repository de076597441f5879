"""The prompt in tmux, a second kind of terminal: what is on the screen, where the cursor is, what the title says."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("the rigs are made for Linux", allow_module_level=True)

from credproc.glyphs import width
from tests import tmux
from tests.program import PROGRAM, ROLE, Outcome, role_home
from tests.sts import Sts, Trust
from tests.terminal import unbroken
from tests.tmux import Tmux

if not tmux.AVAILABLE:
    pytest.skip("needs tmux", allow_module_level=True)

SERIAL = "arn:aws:iam::123456789012:mfa/user1"
RUN = "credproc --profile admin"  # by its name alone: how the screen breaks lines must not depend on where it lies
PROMPT = f"Enter MFA code for {SERIAL} (profile admin):"  # a shell is no program that asks
CANCELLED = "credproc: error: ~/.aws/config:5: MFA code: cancelled"
GONE = "credproc: the program that asked has gone; nothing was sent"
HINT = "credproc: hint: run credproc login --profile admin in a terminal"
WIDE = 100  # columns, so that the prompt is one row and the cursor stands behind it
PS1 = "ready> "


class World:
    """A home whose profile ``admin`` asks for a code, and the STS behind it."""

    def __init__(self, path: Path, sts: Sts) -> None:
        self.sts = sts
        self.user = sts.user("user1", mfa=True)
        sts.role(ROLE, Trust((self.user.arn,), mfa_required=True))
        self.home = role_home(path, sts, self.user, f"mfa_serial = {SERIAL}\n", CREDPROC_SESSION_STORE="file")
        path_of_ours = f"{os.path.dirname(PROGRAM)}:{self.home.environ['PATH']}"
        self.home.environ |= {"PS1": PS1, "HISTFILE": "", "PATH": path_of_ours}

    def shell(self, columns: int = WIDE, rows: int = 24) -> Tmux:
        """Return a pane with a person's shell: job control, and a line editor that makes the terminal its own."""
        return Tmux(["bash", "--noprofile", "--norc", "-i"], self.home.environ, columns=columns, rows=rows)

    def run(self, pane: Tmux, line: str = RUN) -> None:
        """Type a command line of which only the exit status is shown, once the shell is ready."""
        pane.wait_for(PS1)
        script = self.home.path / "c"
        script.write_text(f"{line} >~/document\nstatus=$?\nprintf 'ended: %s\\n' $status\n")
        pane.send(f". {script}\n")

    @property
    def document(self) -> Outcome:
        """What came on stdout, as of a run that has succeeded."""
        return Outcome(0, (self.home.path / "document").read_text(), "")


@pytest.fixture(name="world")
def _world(tmp_path: Path) -> Iterator[World]:
    with Sts() as sts:
        world = World(tmp_path / "home", sts)
        yield world
        assert sts.repeated_codes() == []


def lines_after(screen: str, start: str) -> list[str]:
    """Return the lines on the screen from the one that begins so, without the spaces behind them."""
    lines = [line.rstrip() for line in screen.splitlines()]
    (first, *_) = [number for number, line in enumerate(lines) if line.startswith(start)]
    return lines[first:]


def test_a_prompt_stands_on_a_line_of_its_own_with_the_cursor_behind_it(world: World) -> None:
    with world.shell() as pane:
        world.run(pane)
        screen = pane.wait_for(PROMPT)
        assert lines_after(screen, "Enter")[0] == PROMPT
        column, row = pane.cursor
        assert column == len(PROMPT) + 1
        code = world.user.unused_code()
        pane.send(code)
        pane.send("\n")
        screen = pane.wait_for("ended: 0\nready>")
        assert lines_after(screen, "Enter") == [PROMPT, "ended: 0", PS1.rstrip()]
        assert pane.cursor == (len(PS1), row + 2)
        assert code not in screen
        assert world.document.document


def test_what_is_wrong_is_said_between_two_prompts(world: World) -> None:
    with world.shell() as pane:
        world.run(pane)
        pane.wait_for(PROMPT)
        pane.send("12345\n")
        screen = pane.wait_for("six digits (try 2 of 3)\nEnter")
        assert lines_after(screen, "Enter") == [PROMPT, "credproc: an MFA code has six digits (try 2 of 3)", PROMPT]
        pane.send(f"{world.user.unused_code()}\n")
        pane.wait_for("ended: 0")


_ASK = """
import sys, threading, time
from credproc import terminal

opened = terminal.Terminal()
threading.Timer(1, terminal.notify, ["credproc: waiting for the keyring"]).start()
print(len(opened.ask("Code: ", time.monotonic() + 60, lambda: None)), "characters")
opened.say("credproc: the end")
opened.close()
sys.stdin.read()
"""


def test_a_line_that_comes_while_a_prompt_is_up_goes_below_it_and_the_prompt_is_written_anew(world: World) -> None:
    with Tmux([sys.executable, "-c", _ASK], world.home.environ, columns=WIDE) as pane:
        pane.wait_for("Code:")
        pane.send("123")
        screen = pane.wait_for("keyring\nCode:")
        assert lines_after(screen, "Code") == ["Code:", "credproc: waiting for the keyring", "Code:"]
        assert pane.cursor == (len("Code: "), 2)
        pane.send("456\n")
        screen = pane.wait_for("end")
        assert lines_after(screen, "Code")[2:] == ["Code:", "6 characters", "credproc: the end"]


def test_a_line_that_was_begun_is_written_over(world: World) -> None:
    with world.shell() as pane:
        world.run(pane, f"printf progress; {RUN}")
        screen = pane.wait_for(PROMPT)
        assert lines_after(screen, "Enter") == [PROMPT]
        assert "progress" not in screen
        pane.key("C-c")
        pane.wait_for(PS1)


@pytest.mark.parametrize(("key", "shown"), [("C-c", "130"), ("C-\\", "131")])
def test_a_key_ends_it_and_the_shell_shows_by_which_signal(world: World, key: str, shown: str) -> None:
    with Tmux(
        ["sh", "-c", f"trap : INT QUIT; sh -c 'trap - INT QUIT; exec {RUN}'; echo ended: $?; read line"],
        world.home.environ,
    ) as pane:
        pane.wait_for("(profile admin")
        pane.send("123")
        pane.key(key)
        assert f"ended: {shown}" in pane.wait_for("ended: ").splitlines()


def test_ctrl_d_ends_it_and_says_what_to_do(world: World) -> None:
    with world.shell() as pane:
        world.run(pane)
        pane.wait_for(PROMPT)
        pane.key("C-d")
        screen = pane.wait_for("ended: 3\nready>")
        assert lines_after(screen, "Enter") == [PROMPT, CANCELLED, HINT, "ended: 3", PS1.rstrip()]


def test_ctrl_z_and_fg_show_the_prompt_again(world: World) -> None:
    with world.shell() as pane:
        pane.wait_for(PS1)
        pane.send(f"{RUN} >~/document\n")
        pane.wait_for(PROMPT)
        pane.send("123")
        pane.key("C-z")
        pane.wait_for("Stopped")
        pane.wait_for(f"document\n{PS1}")
        pane.send("echo seen\n")
        pane.wait_for("\nseen\n")
        pane.send("fg\n")
        pane.wait_for(f"document\n{PROMPT}")
        pane.send(f"{world.user.unused_code()}\n")
        screen = pane.wait_for(f"document\n{PROMPT} \n{PS1}")
        assert screen.count("Enter MFA code") == 2
        assert world.document.document


def test_ctrl_z_and_bg_end_it_and_the_shell_goes_on(world: World) -> None:
    with world.shell() as pane:
        pane.wait_for(PS1)
        pane.send(f"{RUN} >~/document\n")
        pane.wait_for(PROMPT)
        pane.key("C-z")
        pane.wait_for("Stopped")
        pane.send("bg; wait; echo ended: $?; jobs\n")
        pane.wait_for("MFA code: this process runs in the background")
        pane.send("echo seen\n")
        pane.wait_for("\nseen\n")
        assert "ended" in pane.screen()


def test_a_background_job_is_not_stopped(world: World) -> None:
    with world.shell() as pane:
        pane.wait_for(PS1)
        pane.send(f"{RUN} & wait $!; echo ended: $?\n")
        screen = pane.wait_for("ended: 3")
        assert "this process runs in the background of its terminal" in unbroken(screen)
        assert "Enter MFA code" not in screen


def test_a_killed_prompt_leaves_a_terminal_that_shows_what_is_typed(world: World) -> None:
    run = f"sh -c 'echo $$ >~/pid; exec {RUN}'"
    with Tmux(["sh", "-c", f"{run}; echo ended: $?; read line; echo read: $line"], world.home.environ) as pane:
        pane.wait_for("(profile admin")
        pane.send("987")
        os.kill(int((world.home.path / "pid").read_text()), signal.SIGKILL)
        pane.wait_for("ended: 137")
        pane.send("shown\n")
        screen = pane.wait_for("read: ")
        assert [line.rstrip() for line in screen.splitlines()][-2:] == ["shown", "read: shown"]


def test_a_pasted_code_is_taken(world: World) -> None:
    with world.shell() as pane:
        world.run(pane)
        pane.wait_for(PROMPT)
        pane.paste(f"{world.user.unused_code()}\n")
        pane.wait_for("ended: 0")
        assert world.document.document


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\u009d0;owned\u009cb", r"a\x9d0;owned\x9cb"),
        ("a\x1bkowned\x1b\\b", r"a\x1bkowned\x1b\b"),
        ("a\x1b[2J\x1b[1;1Hb", r"a\x1b[2J\x1b[1;1Hb"),
        ("a\u202eb\u2066c", r"a\u202eb\u2066c"),
    ],
    ids=["C1 title", "tmux's title", "clear", "bidi"],
)
def test_a_profiles_name_changes_neither_title_nor_screen(world: World, name: str, shown: str) -> None:
    config = (world.home.path / ".aws" / "config").read_text()
    world.home.config(config.replace("[profile admin]", f'[profile "{name}"]'))
    world.home.environ["AWS_PROFILE"] = name
    with world.shell(columns=160) as pane:
        world.run(pane, f"echo above; {PROGRAM}")
        screen = pane.wait_for(f"(profile {shown}): ")
        assert "above" in screen.splitlines()
        assert pane.title == ""
        pane.key("C-d")
        pane.wait_for("ended: 3")
        assert pane.title == ""


def test_a_programs_name_does_not_change_the_title(world: World, tmp_path: Path) -> None:
    program = tmp_path / "\x1b]0;owned\x07"
    program.write_text(f"#!{sys.executable}\nimport subprocess\nsubprocess.run(['/bin/sh', '-c', {RUN!r}])\n")
    program.chmod(0o755)
    with Tmux(["env", str(program)], world.home.environ, columns=160) as pane:
        pane.wait_for(r"(profile admin, for \x1b]0;owned\x07): ")
        assert pane.title == ""
        pane.key("C-d")
        pane.wait()
        assert pane.title == ""


def test_a_prompt_that_is_withdrawn_says_so_and_the_shell_gets_what_is_typed_then(world: World) -> None:
    with world.shell() as pane:
        pane.wait_for(PS1)
        pane.send(f"{RUN} 2>/dev/null | sleep 2\n")  # for as long somebody reads
        pane.wait_for("Enter MFA code")
        pane.send("987")
        screen = pane.wait_for(f"\n{GONE}\n")
        pane.send("echo seen\n")
        screen = pane.wait_for("\nseen\n")
        assert screen.count("the program that asked has gone") == 1
        assert "987" not in screen


def test_a_narrow_window_wraps_the_prompt_and_takes_the_code(world: World) -> None:
    with Tmux(["sh", "-c", f"{RUN} >~/document; echo ended: $?; read line"], world.home.environ, columns=20) as pane:
        pane.wait_for("(prof")
        pane.send(f"{world.user.unused_code()}\n")
        assert pane.wait_for("ended: 0").endswith("\nended: 0")
        assert world.document.document


def renamed(world: World, name: str) -> str:
    """Give the profile another name, and return the command line for it."""
    config = (world.home.path / ".aws" / "config").read_text()
    world.home.config(config.replace("[profile admin]", f"[profile {name}]"))
    return RUN.replace("admin", name)


LONG = "platform-production-eu-central-administration-readonly"
BROKEN = [
    (80, "admin", [f"Enter MFA code for {SERIAL} (profile admin):"]),
    (73, "admin", [f"Enter MFA code for {SERIAL} (profile admin):"]),
    (72, "admin", [f"Enter MFA code for {SERIAL}", "  (profile admin):"]),
    (80, LONG, [f"Enter MFA code for {SERIAL}", f"  (profile {LONG}):"]),
    (40, "admin", ["Enter MFA code for", f"  {SERIAL}", "  (profile admin):"]),
    (40, "日本-prod", ["Enter MFA code for", f"  {SERIAL}", "  (profile 日本-prod):"]),
    (74, "日本-prod", [f"Enter MFA code for {SERIAL}", "  (profile 日本-prod):"]),
]


@pytest.mark.parametrize(("columns", "name", "prompt"), BROKEN, ids=lambda value: str(value)[:20])
def test_a_prompt_that_is_too_long_is_broken_between_words_with_the_cursor_behind_it(
    world: World, columns: int, name: str, prompt: list[str]
) -> None:
    with world.shell(columns) as pane:
        world.run(pane, renamed(world, name))
        for remarks in (0, 1):
            pane.until(lambda: pane.screen().count("):") == 1 + remarks, "a prompt")  # noqa: B023 - waited for here
            screen = pane.screen()
            column, row = pane.cursor
            assert lines_after(screen, "Enter")[-len(prompt) :] == prompt
            assert screen.splitlines()[row].rstrip() == prompt[-1]
            assert column == width(prompt[-1]) + 1 < columns
            pane.send("" if remarks else "12345\n")
        pane.send(f"{world.user.unused_code()}\n")
        pane.wait_for("ended: 0\nready>")
        assert world.document.document


def test_a_prompt_that_is_written_anew_is_broken_to_the_width_that_the_window_has_then(world: World) -> None:
    with world.shell() as pane:
        pane.wait_for(PS1)
        pane.send(f"{RUN} >~/document\n")
        pane.wait_for(f"\n{PROMPT}")
        pane.resize(40, 24)
        pane.key("C-z")
        pane.wait_for("Stopped")
        pane.send("fg\n")
        pane.wait_for(f"\nEnter MFA code for \n  {SERIAL} \n  (profile admin): ".replace(" \n", "\n"))
        assert pane.cursor[0] == len("  (profile admin): ")
        pane.resize(100, 24)
        pane.key("C-d")
        pane.until(lambda: CANCELLED in unbroken(pane.screen()), "the end")


def test_a_line_goes_below_a_prompt_that_is_broken_and_the_prompt_is_broken_anew_behind_it(world: World) -> None:
    asked = _ASK.replace('"Code: "', '"MFA code for a device of such a name (profile admin): "')
    with Tmux([sys.executable, "-c", asked], world.home.environ, columns=40) as pane:
        screen = pane.wait_for("keyring\nMFA")
        prompt = ["MFA code for a device of such a name", "  (profile admin):"]
        assert lines_after(screen, "MFA") == [*prompt, "credproc: waiting for the keyring", *prompt]
        assert pane.cursor == (len("  (profile admin): "), 4)
        pane.send("123456\n")
        pane.wait_for("6 characters")


def test_a_window_may_change_its_size_meanwhile(world: World) -> None:
    with world.shell() as pane:
        world.run(pane)
        pane.wait_for(PROMPT)
        pane.resize(60, 10)
        pane.resize(120, 30)
        pane.send(f"{world.user.unused_code()}\n")
        pane.wait_for("ended: 0")
        assert world.document.document


def test_a_window_that_is_closed_takes_the_prompt_with_it(world: World) -> None:
    with world.shell() as pane:
        world.run(pane)
        pane.wait_for(PROMPT)
        pane.kill()
    assert (world.home.path / "document").read_text() == ""
    assert world.sts.count() == 0
