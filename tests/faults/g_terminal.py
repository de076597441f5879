"""G. Terminal. F087 to F093, the signals at each call of it, are apart."""

from __future__ import annotations

import os
import re
import shlex
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests import crowd
from tests.faults.rows import Case, Kind, nothing, row
from tests.faults.scene import Result, Scene
from tests.mfa import PROMPT, profile
from tests.program import ROLE
from tests.sts import fail
from tests.terminal import Job, Terminal, unbroken
from tests.tmux import Tmux

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from tests.faults.rows import Run, Step
    from tests.terminal import Stream

    Act: TypeAlias = Callable[[Scene, Job], object]
    InPane: TypeAlias = Callable[[Scene, Tmux], object]

SIX = r"credproc: an MFA code has six digits \(try 2 of 3\)\n"
ALONE = r"there is no terminal to ask for it on\n.*run credproc login --profile admin in a terminal"
BEHIND = "this process runs in the background of its terminal"
GONE = "MFA code: the program that asked has gone"
CANCELLED = "MFA code: cancelled"
UNSEEN = re.compile(r"[^\x20-\x7e\r\n]")


# On the terminal


def code_of(scene: Scene) -> str:
    """Return the code that the device shows; it must be seen nowhere."""
    scene.codes.append(scene.user.unused_code())
    return scene.codes[-1]


def asked(scene: Scene) -> Job:
    """Start one and wait for its prompt."""
    job = scene.job()
    scene.terminal.expect(PROMPT)
    return job


def typed(form: str) -> Run:
    """Type a line of this form at the prompt; `{0}` is the code, `{1}` and `{2}` are its halves."""

    def run(scene: Scene) -> Result:
        def person(_job: Job) -> None:
            code = code_of(scene)
            scene.terminal.send(form.format(code, code[:3], code[3:]))

        result = scene.on_terminal(person=person)
        assert result.prompts == 1, f"asked {result.prompts} times"
        return result

    return run


def refused_first(line: str) -> Run:
    """Type what is no code, see that it is not shown and costs no call, and type the code."""

    def run(scene: Scene) -> Result:
        began = time.monotonic()
        job = asked(scene)
        scene.terminal.send(f"{line}\n")
        said = unbroken(scene.terminal.expect(PROMPT))
        assert re.fullmatch(rf"[^\n]*\): \n{SIX if line.strip() else ''}", said), f"said {said!r}"
        assert scene.sts.count() == 0, "STS was called"
        scene.type_code()
        return scene.result(job, began, 2)

    return run


def ended_behind_digits(scene: Scene) -> Result:
    """End the line by Ctrl-D twice, as its first ends no more than a part, and then the input."""
    keys = iter(("12\x04\x04", "\x04"))
    result = scene.on_terminal(person=lambda _: scene.terminal.send(next(keys)))
    assert result.prompts == 2, f"asked {result.prompts} times"
    return result


def no_code_three_times(scene: Scene) -> Result:
    """Type three lines that are no codes."""
    result = scene.on_terminal(person=lambda _: scene.terminal.send("12\n"))
    assert result.prompts == 3, f"asked {result.prompts} times"
    return result


def then(act: Act, line: str = "", within: float = 10) -> Run:
    """Type something at the prompt, do something to who asks, and see it end within so many seconds."""

    def run(scene: Scene) -> Result:
        began = time.monotonic()
        attributes = scene.terminal.attributes()
        job = asked(scene)
        scene.terminal.send(line)
        time.sleep(0.05)  # nothing tells when keys that are not shown have arrived
        acted = time.monotonic()
        act(scene, job)
        scene.terminal.until(lambda: scene.terminal.survivors() == [], "the end of all processes", within)
        assert time.monotonic() - acted <= within, "it has ended late"
        assert scene.terminal.attributes() == attributes, "the settings are not restored"
        return scene.result(job, began, 1)

    return run


def key(character: str) -> Act:
    """Press a key."""
    return lambda scene, _job: scene.terminal.send(character)


def sending(number: int) -> Act:
    """Send a signal to what was started, and to that alone."""
    return lambda _scene, job: job.signal(number)


def says_gone(_: Scene, result: Result) -> None:
    """Hold that who was left behind has said why it ends."""
    assert GONE in result.said, f"said {result.said!r}"


def nothing_shown(scene: Scene, _: Result) -> None:
    """Hold that the terminal was not written to, and STS not called."""
    assert scene.terminal.transcript == b"", scene.terminal.shown()
    assert scene.sts.count() == 0


# No terminal, or in its background


def with_data_on_stdin(scene: Scene) -> Result:
    """Run one without a terminal, whose stdin has data: all of it must be there afterwards."""
    piped = b"what the caller pipes\n" * 100
    reader, writer = os.pipe()
    os.write(writer, piped)
    os.close(writer)
    with os.fdopen(reader, "rb") as data:
        result = scene.process(scene.argv(), scene.environ(), stdin=reader)
        assert data.read() == piped, "stdin was read"
    return result


def failing_open(error: str) -> Case:
    """Return the case in which each attempt to open /dev/tty fails so."""

    def run(scene: Scene) -> Result:
        result = scene.on_terminal()
        trace = (scene.work / "trace").read_text()
        assert re.search(rf'"/dev/tty".* {error} .*\(INJECTED\)', trace), f"not injected: {trace}"
        return result

    strace = ("strace", "-f", "-qq", "-o", "trace", "-P", "/dev/tty", "-e", f"inject=openat:error={error}")
    return Case(error, Kind.NO_TERMINAL, run=run, says=ALONE, mfa=True, wrapper=strace, check=nothing_shown)


OWN_DEV = (
    "unshare",
    "--mount",
    "sh",
    "-c",
    'mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && exec "$@"',
    "",
)


def in_background(scene: Scene) -> Result:
    """Run one in the background of its terminal, and look at its state all the while."""
    began = time.monotonic()
    job = scene.job(foreground=False)
    states = set()
    while job.status is None and time.monotonic() - began < scene.case.limit:
        states.add(job.state)
        time.sleep(0.001)
    assert "T" not in states, "it was stopped"
    assert job.stops == [], f"stopped by {job.stops}"
    return scene.result(job, began)


# Stdin


def with_stdin(stdin: Stream) -> Run:
    """Run one on the terminal with such a stdin."""
    return lambda scene: scene.on_terminal(stdin=stdin)


def with_ended_pipe(scene: Scene) -> Result:
    """Run one whose stdin is at its end."""
    reader, writer = os.pipe()
    os.close(writer)
    try:
        return scene.on_terminal(stdin=reader)
    finally:
        os.close(reader)


def with_ten_gib(scene: Scene) -> Result:
    """Run one that could read 10 GiB from stdin."""
    fd = os.memfd_create("stream")
    try:
        os.truncate(fd, 10 << 30)
        result = scene.on_terminal(stdin=fd)
        assert os.lseek(fd, 0, os.SEEK_CUR) == 0, "stdin was read"
    finally:
        os.close(fd)
    return result


def with_another_terminal(scene: Scene) -> Result:
    """Run one whose stdin is another terminal than its own: that one is left alone."""
    seen = []

    def person(_job: Job) -> None:
        seen.append(other.attributes())
        scene.type_code()

    with Terminal() as other:
        seen.append(other.attributes())
        result = scene.on_terminal(person=person, stdin=other._slave)
        seen.append(other.attributes())
        assert seen == seen[:1] * 3, "its settings were changed"
        assert other.transcript == b"", other.shown()
    return result


# Ends


def typed_ahead(scene: Scene) -> None:
    """Type a line and a half before anybody asks."""
    scene.terminal.send("987654\n98")
    scene.terminal.expect("987654\r\n98")
    scene.terminal.until(lambda: scene.terminal.pending() == 9)


def closed_window(wrapper: tuple[str, ...] = ()) -> Run:
    """Run one on a terminal whose window is closed at the prompt."""

    def run(scene: Scene) -> Result:
        began = time.monotonic()
        with Terminal() as window:
            argv = scene.argv(wrapper=wrapper)
            job = window.start(argv, scene.environ(), stdin="null", stdout="pipe", stderr="pipe", cwd=str(scene.work))
            window.expect(PROMPT)
            window.send("123")
            window.hangup()
            return scene.result(job, began, 1)

    return run


def key_without_core(character: str) -> Run:
    """Press a key that would leave a core, were it allowed."""

    def press(scene: Scene, job: Job) -> None:
        limits = Path(f"/proc/{job.pid}/limits").read_text()
        assert re.search(r"Max core file size +0 ", limits), limits
        scene.terminal.send(character)

    return then(press, "123")


def no_core(scene: Scene, _: Result) -> None:
    """Hold that no core was left where it would fall."""
    assert not list(scene.work.glob("core*"))


CORES = ("sh", "-c", 'ulimit -c unlimited; exec "$@"', "")
NO_HUP = ("sh", "-c", "trap '' HUP; exec \"$@\"", "")
WRAPPED = ("sh", "-c", '"$@"; true', "")


def stopped_and_continued(scene: Scene) -> list[Result]:
    """Stop one by Ctrl-Z, let another wait meanwhile, continue it, and type the code."""
    began = time.monotonic()
    attributes = scene.terminal.attributes()
    job = asked(scene)
    scene.terminal.send("123\x1a")
    assert job.wait_stopped() == signal.SIGTSTP
    assert scene.terminal.attributes() == attributes, "the shell gets other settings"
    assert scene.terminal.pending() == 0
    assert scene.terminal.column() == 0
    other = scene.start(scene.argv(), scene.environ())
    crowd.until_waiting([other.pid])
    job.resume()
    scene.terminal.expect(PROMPT)
    scene.type_code()
    first = scene.result(job, began, 2)
    stdout, stderr = other.communicate(timeout=scene.case.limit)
    return [first, Result(other.returncode, stdout, stderr, time.monotonic() - began)]


def stopped_for_the_background(scene: Scene, job: Job) -> None:
    """Stop it by Ctrl-Z, and continue it behind the shell."""
    scene.terminal.send("\x1a")
    job.wait_stopped()
    job.resume(foreground=False)


def resized(scene: Scene) -> Result:
    """Change the window's size while somebody types."""

    def person(_job: Job) -> None:
        code = code_of(scene)
        scene.terminal.send(code[:3])
        for rows, columns in ((10, 20), (50, 200), (24, 80)):
            scene.terminal.resize(rows, columns)
            time.sleep(0.05)
        scene.terminal.send(f"{code[3:]}\n")

    return scene.on_terminal(person=person)


# In tmux

# A line that was begun is written over; the watchdog may need a moment to restore the settings
PANE = """cd "$0"; trap : INT QUIT; stty -g >before; printf progress
"$@" >stdout 2>stderr; echo $? >status
for _ in 1 2 3 4 5 6 7 8 9 10; do stty -g >after; cmp -s before after && break; sleep 0.1; done
echo ended; read line"""
NOTING_ITSELF = ("sh", "-c", 'echo $$ >pid; exec "$@"', "")


def in_tmux(act: InPane, *, columns: int = 100, wrapper: tuple[str, ...] | None = None) -> Run:
    """Run one in a pane, and act as a person at it once it asks."""

    def run(scene: Scene) -> Result:
        began = time.monotonic()
        directory = scene.path / "pane"
        directory.mkdir()
        argv = ["sh", "-c", PANE, str(directory), *scene.argv(wrapper=wrapper)]
        with Tmux(argv, scene.environ(), columns=columns) as pane:
            pane.wait_for("(prof")
            act(scene, pane)
            lines = pane.wait_for("ended", 20).splitlines()
            pane.send("\n")
            pane.wait()
            assert "ended" in (line.strip() for line in lines), f"not at the left: {lines}"
            assert "progress" not in "".join(lines), f"the prompt stands behind what was begun: {lines}"
            assert pane.title == ""
        assert (directory / "before").read_text() == (directory / "after").read_text(), "the settings are not restored"
        return left_in(scene, directory, began, "\n".join(lines))

    return run


def in_program(argv: tuple[str, ...], ready: str, line: str, act: InPane, end: str = "") -> Run:
    """Run a full-screen program or a person's shell in a pane, type the line that starts credproc, and act."""

    def run(scene: Scene) -> Result:
        began = time.monotonic()
        directory = scene.path / "pane"
        directory.mkdir()
        (directory / "c").write_text(f"exec {shlex.join(scene.argv())} >stdout 2>stderr\n")
        environ = {**scene.environ(), "PS1": "ready> ", "HISTFILE": ""}
        with Tmux(["env", "-C", str(directory), *argv], environ, columns=100) as pane:
            pane.wait_for(ready)
            pane.send(f"{line}\n")
            act(scene, pane)
            lines = [found.strip() for found in pane.wait_for("\nended", 20).splitlines()]
            assert "ended" in lines, f"not at the left: {lines}"
            pane.send(end)
        return left_in(scene, directory, began, "\n".join(lines))

    return run


def left_in(scene: Scene, directory: Path, began: float, screen: str) -> Result:
    """Return what a run in a pane has left."""
    assert not scene.leaks(screen.encode()), f"on the screen: {scene.leaks(screen.encode())}"
    status = int((directory / "status").read_text())
    return Result(
        status if status < 128 else 128 - status,
        (directory / "stdout").read_bytes(),
        (directory / "stderr").read_bytes(),
        time.monotonic() - began,
        screen.count(PROMPT.strip()),
    )


def answer(scene: Scene, pane: Tmux) -> None:
    """Type the code."""
    pane.send(f"{code_of(scene)}\n")


def answer_when_asked(scene: Scene, pane: Tmux) -> None:
    """Wait for the prompt, and type the code."""
    pane.wait_for("(profile admin")
    answer(scene, pane)


def paste(scene: Scene, pane: Tmux) -> None:
    """Paste the code, with brackets if they are asked for."""
    pane.paste(f"{code_of(scene)}\n")


def press(name: str, line: str = "") -> InPane:
    """Type something and press a key."""

    def act(_: Scene, pane: Tmux) -> None:
        pane.send(line)
        pane.key(name)

    return act


def kill_and_type(scene: Scene, pane: Tmux) -> None:
    """Kill it while it hides what is typed."""
    pane.send("987")
    os.kill(int((scene.path / "pane" / "pid").read_text()), signal.SIGKILL)


def stop_and_continue(scene: Scene, pane: Tmux) -> None:
    """Press Ctrl-Z, and have the shell bring it back."""
    pane.wait_for("(profile admin")
    pane.send("123")
    pane.key("C-z")
    pane.wait_for("Stopped")
    pane.send("fg; echo $? >status; echo ended\n")
    pane.until(lambda: pane.screen().count("(profile admin") == 2, "the prompt again")
    answer(scene, pane)


def resize_and_answer(scene: Scene, pane: Tmux) -> None:
    """Change the window's size, and type the code."""
    pane.resize(60, 10)
    pane.resize(120, 30)
    answer(scene, pane)


SHELL = ("bash", "--noprofile", "--norc", "-i")
VIM = ("vim", "-u", "NONE", "-i", "NONE", "-N", "-n")


# Text from outside


def called(name: str) -> Step:
    """Add a profile of this name."""

    def before(scene: Scene) -> None:
        lines = ("region = us-west-2", f"external_id = {scene.external_id}")
        scene.config(other=profile("NAME", ROLE, "user1", *lines).replace("[profile NAME]", f'[profile "{name}"]'))

    return before


def named(what: str, name: str, shown: str, *, pane: bool = False) -> Case:
    """Return the case in which the profile has this name, and the prompt shows it so."""

    def see(scene: Scene, there: Tmux) -> None:
        there.wait_for(f"(profile {shown}): ")
        answer(scene, there)

    def run(scene: Scene) -> Result:
        result = scene.on_terminal()
        transcript = scene.terminal.transcript.decode()
        assert f"(profile {shown}, for " in unbroken(transcript), scene.terminal.shown()
        assert not UNSEEN.search(transcript), scene.terminal.shown()
        return result

    played = in_tmux(see, columns=160) if pane else run
    return Case(what, before=called(name), run=played, arguments=("--profile", name), mfa=True)


def only_to_read(scene: Scene, result: Result) -> None:
    """Hold that what is said can only be read, and that nothing came on the terminal."""
    assert not UNSEEN.search(result.said), result.said
    nothing_shown(scene, result)


def strange_serial(scene: Scene) -> None:
    """Have a serial with control characters."""
    scene.config("mfa_serial = arn:aws:iam::123456789012:mfa/us\x1b]0;x\x07er1")


def by_program(name: str, shown: str) -> Case:
    """Return the case in which a program of this name asks, and the prompt shows it so."""

    def see(scene: Scene, pane: Tmux) -> None:
        pane.wait_for(f"(profile admin, for {shown}): ")
        answer(scene, pane)

    def run(scene: Scene) -> Result:
        program = scene.path / name
        program.write_text(f"#!{sys.executable} -IS\nimport subprocess, sys\nsys.exit(subprocess.call(sys.argv[1:]))\n")
        program.chmod(0o755)
        found = in_tmux(see, columns=160, wrapper=(str(program),))(scene)
        return found if isinstance(found, Result) else found[0]

    return Case(f"program {shown}", run=run, mfa=True)


def refusing(what: str, message: str, said: str) -> Case:
    """Return the case in which STS refuses with these words."""

    def check(scene: Scene, result: Result) -> None:
        assert not UNSEEN.search(result.said), result.said
        assert len(result.stderr) <= SAID_BYTES, f"{len(result.stderr)} bytes"
        assert not UNSEEN.search(scene.home.log), scene.home.log

    return Case(
        what,
        Kind.DENIED,
        before=lambda scene: scene.sts.once(fail(403, "AccessDenied", message)),
        says=said,
        check=check,
    )


SAID_BYTES = 400 + 400  # STS's words, and around them role, operation and hint


ROWS = (
    row(
        "F073",
        "no controlling terminal, and user data on stdin",
        Case("a pipe", Kind.NO_TERMINAL, run=with_data_on_stdin, says=ALONE, mfa=True, seconds=3, calls=0),
    ),
    row(
        "F074",
        "CREDPROC_INTERACTIVE=never on a terminal",
        Case(
            "never",
            Kind.NO_TERMINAL,
            environ={"CREDPROC_INTERACTIVE": "never"},
            says="CREDPROC_INTERACTIVE=never forbids asking",
            check=nothing_shown,
            mfa=True,
            seconds=3,
        ),
    ),
    row(
        "F075",
        "/dev/tty is missing",
        Case("container", Kind.NO_TERMINAL, says=ALONE, check=nothing_shown, mfa=True, wrapper=OWN_DEV),
        failing_open("EACCES"),
        failing_open("ENXIO"),
        failing_open("ENOENT"),
    ),
    row(
        "F076",
        "stdin of any kind",
        Case("at its end", run=with_ended_pipe, mfa=True),
        Case("closed", run=with_stdin("closed"), mfa=True),
        Case("open for ever", run=with_stdin("open"), mfa=True),
        Case("10 GiB", run=with_ten_gib, mfa=True),
        Case("the terminal", run=with_stdin("terminal"), mfa=True),
        Case("another terminal", run=with_another_terminal, mfa=True),
    ),
    row(
        "F077",
        "in the background of its terminal",
        Case("pty", Kind.NO_TERMINAL, run=in_background, says=BEHIND, check=nothing_shown, mfa=True, seconds=2),
        Case(
            "tmux",
            Kind.NO_TERMINAL,
            run=in_program(SHELL, "ready>", "sh c & wait $!; echo $? >status; echo ended", nothing),
            says=BEHIND,
            mfa=True,
        ),
    ),
    row(
        "F078",
        "the deadline comes behind three digits",
        Case(
            "40 s",
            Kind.TIMEOUT,
            run=then(nothing, "123", 50),
            says="no code was typed in time",
            mfa=True,
            calls=0,
        ),
        waits=True,
    ),
    row(
        "F079",
        "lines before the prompt, and behind the code",
        Case("before", before=typed_ahead, run=typed("{0}\n"), mfa=True),
        Case("behind", run=typed("{0}\nreboot\nreb"), mfa=True),
    ),
    row(
        "F080",
        "what is typed is no code, or not as it is printed",
        *(
            Case(what, run=refused_first(line), mfa=True)
            for what, line in (
                ("empty line", ""),
                ("spaces", "   "),
                ("full-width digits", "１２３４５６"),  # noqa: RUF001 - the point of it
                ("5 digits", "12345"),
                ("9 digits", "123456789"),
                ("abc", "abc"),
                ("4 KiB", "1" * 4096),
            )
        ),
        Case("a space", run=typed("{1} {2}\n"), mfa=True),
        Case("bracketed paste", run=typed("\x1b[200~{0}\x1b[201~\n"), mfa=True),
        Case("pasted in tmux", run=in_tmux(paste), mfa=True),
        Case("three times", Kind.MFA, run=no_code_three_times, says="in three tries", mfa=True, calls=0),
    ),
    row(
        "F081",
        "the input ends",
        Case("Ctrl-D", Kind.CANCELLED, run=then(key("\x04")), says=CANCELLED, mfa=True, calls=0),
        Case("Ctrl-D in tmux", Kind.CANCELLED, run=in_tmux(press("C-d")), says=CANCELLED, mfa=True, calls=0),
        Case("EOF behind digits", Kind.CANCELLED, run=ended_behind_digits, says=CANCELLED, mfa=True, calls=0),
        Case("hangup", Kind.SIGNAL, (signal.SIGHUP,), run=closed_window(), mfa=True, calls=0),
        Case(
            "hangup, SIGHUP ignored",
            Kind.CANCELLED,
            run=closed_window(NO_HUP),
            says="the terminal was closed",
            mfa=True,
            calls=0,
        ),
    ),
    row(
        "F082",
        "keys that send a signal",
        *(
            Case(what, Kind.SIGNAL, (number,), run=run, wrapper=wrapper, check=no_core, mfa=True, calls=0)
            for what, number, run, wrapper in (
                ("Ctrl-C", signal.SIGINT, key_without_core("\x03"), CORES),
                ("Ctrl-\\", signal.SIGQUIT, key_without_core("\x1c"), CORES),
                ("Ctrl-C in tmux", signal.SIGINT, in_tmux(press("C-c", "123")), ()),
                ("Ctrl-\\ in tmux", signal.SIGQUIT, in_tmux(press("C-\\", "123")), ()),
            )
        ),
    ),
    row(
        "F083",
        "Ctrl-Z, and fg or bg",
        Case("fg", run=stopped_and_continued, mfa=True),
        Case("fg in tmux", run=in_program(SHELL, "ready>", "sh c", stop_and_continue), mfa=True),
        Case("bg", Kind.NO_TERMINAL, run=then(stopped_for_the_background, "123"), says=BEHIND, mfa=True, calls=0),
    ),
    row(
        "F084",
        "control characters in names",
        named("title", "a\u009d0;x\u009cb", r"a\x9d0;x\x9cb", pane=True),
        named("tmux's title", "a\x1bkx\x1b\\b", r"a\x1bkx\x1b\b", pane=True),
        named("clear", "a\x1b[2J\x1b[1;1Hb", r"a\x1b[2J\x1b[1;1Hb", pane=True),
        named("0x9b", "a\u009b2Jb", r"a\x9b2Jb", pane=True),
        named("DEL", "a\x7f\x08b", r"a\x7f\x08b", pane=True),
        *(
            Case(what, Kind.PROFILE, arguments=("--profile", name), says=said, check=only_to_read, mfa=True, calls=0)
            for what, name, said in (
                ("CR", "a\rb", r"named 'a\\rb'"),
                ("ESC ]", "a\x1b]0;x\x07b", r"named 'a\\x1b\]0;x\\x07b'"),
            )
        ),
        Case(
            "serial",
            Kind.CONFIG,
            before=strange_serial,
            undo=lambda scene: scene.config(),
            says="mfa_serial contains a control character",
            check=only_to_read,
            mfa=True,
            calls=0,
        ),
        by_program("\x1b]0;x\x07", r"\x1b]0;x\x07"),
        by_program("a) S 1 (b", "a) S 1 (b"),
    ),
    row(
        "F085",
        "characters that hide or turn others",
        named("RLO", "a\u202eb", r"a\u202eb"),
        named("LRI", "a\u2066b", r"a\u2066b"),
        named("ZWJ", "a\u200db\u200bc", r"a\u200db\u200bc"),
        named("combining", "a" + "\u0301" * 50, "a" + r"\u0301" * 9 + r"\u..."),
    ),
    row(
        "F086",
        "STS refuses in strange words",
        refusing("C1 and bidi", "no\u009b2J\u202e way\x7f", r"AccessDenied: no\\x9b2J\\u202e way\\x7f"),
        refusing("ESC", "no\x1b[2J way", "cannot be understood"),
        refusing("HTML", "<html><b>no</b>&amp;\n</html>", r"AccessDenied: <html><b>no</b>&amp; </html>"),
        refusing("60 KiB", "no " * 20_000, r"AccessDenied: (no )+n?o?\.\.\."),
        refusing("100 KiB", "no " * 35_000, "longer than 64 KiB"),
    ),
    row(
        "F094",
        "killed while the code is typed",
        *(
            Case(what, Kind.SIGNAL, (signal.SIGKILL,), run=run, mfa=True, calls=0)
            for what, run in (
                ("nothing typed", then(sending(signal.SIGKILL), "", 1)),
                ("digits typed", then(sending(signal.SIGKILL), "123", 1)),
                ("tmux", in_tmux(kill_and_type, wrapper=NOTING_ITSELF)),
            )
        ),
        # For whom /proc is another one, as nobody else may look into a process that fetches credentials
        Case(
            "not root",
            Kind.SIGNAL,
            (signal.SIGKILL,),
            run=then(sending(signal.SIGKILL), "", 1),
            mfa=True,
            nobody=True,
            calls=0,
        ),
    ),
    row(
        "F094a",
        "terminals of any kind and size",
        Case("TERM unset", mfa=True),
        Case("TERM=dumb", environ={"TERM": "dumb"}, mfa=True),
        Case("10 columns", before=lambda scene: scene.terminal.resize(24, 10), environ={"TERM": "xterm"}, mfa=True),
        Case("resized", run=resized, mfa=True),
        Case("20 columns in tmux", run=in_tmux(answer, columns=20), mfa=True),
        Case("resized in tmux", run=in_tmux(resize_and_answer), mfa=True),
    ),
    row(
        "F094b",
        "the SDK goes away while a person is asked",
        Case(
            "reader closed",
            Kind.TIMEOUT,
            run=then(lambda _, job: job.close("stdout"), "123", 1),
            says=GONE,
            mfa=True,
            calls=0,
        ),
    ),
    row(
        "F094c",
        "the shell around it is killed alone",
        *(
            Case(
                number.name,
                Kind.SIGNAL,
                (number,),
                run=then(sending(number), "123", 1),
                wrapper=WRAPPED,
                check=says_gone,
                mfa=True,
                calls=0,
            )
            for number in (signal.SIGKILL, signal.SIGTERM)
        ),
    ),
    row(
        "F094d",
        "the terminal is shared with a full-screen program",
        Case("tmux pane", run=in_tmux(answer), mfa=True),
        Case(
            "vim",
            run=in_program(VIM, "~", ":!sh c; echo $? >status; echo ended", answer_when_asked, "\n:q!\n"),
            mfa=True,
        ),
    ),
)
