"""A display with the programs that show windows on it, and doubles of those programs.

    with Display() as display:
        run = home.start("--profile", "admin", environ=display.environ)
        display.type("123456")
        assert run.wait() == 0

The doubles hold a program's protocol and show nothing: a test says what the person does, and reads what was shown.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typing_extensions import Self

AVAILABLE = all(map(shutil.which, ("Xvfb", "xdotool")))
TIMEOUT = 20.0  # seconds; only a failing test waits so long
NOWHERE = {"DISPLAY": ":987"}  # a display is named, and nobody is there; for doubles

# What each double does: note what it was told, wait for what the person does, say so in the program's own way
_PINENTRY = """
echo 'OK Pleased to meet you'
while read -r line; do
    printf '%s\\n' "$line" >>"$here/said"
    case $line in
    GETPIN)
        read -r did <"$here/person"
        case $did in
        cancel) echo 'ERR 83886179 Operation cancelled <Pinentry>' ;;
        fail) echo 'S ERROR gtk2.isatty 83918950'; echo 'ERR 83918950 Inappropriate ioctl for device <Pinentry>' ;;
        *) echo "D $did"; echo OK ;;
        esac ;;
    BYE) echo 'OK closing connection'; exit 0 ;;
    'OPTION no-grab') echo 'ERR 83886360 Unknown option <Pinentry>' ;;  # as one that does not know it
    *) echo OK ;;
    esac
done
"""
_ZENITY = """
read -r did <"$here/person"
case $did in
cancel) exit "${ZENITY_ESC:-1}" ;;
fail) echo 'Gtk-WARNING **: cannot open display' >&2; exit 1 ;;
*) echo "$did"; exit "${ZENITY_OK:-0}" ;;
esac
"""
_KDIALOG = """
read -r did <"$here/person"
case $did in
cancel) exit 1 ;;
fail) kill -ABRT $$ ;;
*) echo "$did" ;;
esac
"""
# Its script says what is printed, so the double reads that out of the script
_OSASCRIPT = """
while read -r line; do
    printf '%s\\n' "$line" >>"$here/said"
    case $line in
    'return "'*'" & (text returned of answer)') typed=${line#return ?}; typed=${typed%%\\"*} ;;
    'return "'*) closed=${line#return ?}; closed=${closed%%\\"*} ;;
    esac
done
read -r did <"$here/person"
case $did in
cancel) echo "$closed" ;;
fail) echo 'execution error: No user interaction allowed. (-1713)' >&2; exit 1 ;;
*) echo "$typed$did" ;;
esac
"""
_DOUBLES = {"pinentry": _PINENTRY, "zenity": _ZENITY, "kdialog": _KDIALOG, "osascript": _OSASCRIPT}


class Display:
    """An X server that shows nothing to anybody."""

    def __init__(self) -> None:
        reader, writer = os.pipe()
        command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1000x700x24", "-nolisten", "tcp"]
        self._server = subprocess.Popen(
            command, pass_fds=[writer], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        os.close(writer)
        with os.fdopen(reader) as told:
            self.environ = {"DISPLAY": f":{told.readline().strip()}"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.terminate()
        self._server.wait()

    def windows(self, *arguments: str) -> list[str]:
        """Return the windows of credproc that can be seen; ``--sync`` waits for the first."""
        name = ["search", *arguments, "--onlyvisible", "--name", "^credproc$"]
        return self._xdotool(*name, check="--sync" in arguments).split()

    def type(self, text: str) -> None:
        """Wait for a window, type the text into it, and press Enter."""
        window = self.windows("--sync")[-1]
        self._xdotool("windowfocus", "--sync", window, "type", "--delay", "20", text)
        self._xdotool("key", "Return")

    def press(self, key: str) -> None:
        """Wait for a window, and press a key in it."""
        window = self.windows("--sync")[-1]
        self._xdotool("windowfocus", "--sync", window, "key", key)

    def picture(self, path: Path) -> None:
        """Write a picture of all that is shown, for a person to look at."""
        subprocess.run(["import", "-window", "root", str(path)], env=self._environ, check=True)  # noqa: S607 - by PATH

    @property
    def _environ(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], **self.environ}

    def _xdotool(self, *arguments: str, check: bool = True) -> str:
        command = ["xdotool", *arguments]
        ran = subprocess.run(command, env=self._environ, check=check, capture_output=True, text=True, timeout=TIMEOUT)
        return ran.stdout


class Double:
    """A double of the program ``name``, in a directory of its own, which is for PATH."""

    def __init__(self, path: Path, name: str) -> None:
        self.directory = path
        self._person: int | None = None  # what the open window reads from
        self._past = 0  # how many windows have been answered
        path.mkdir(parents=True)
        os.mkfifo(path / "person")
        kind = name.partition("-")[0]
        text = f"""#!/bin/sh
here={path}
echo $$ >>"$here/processes"
/usr/bin/env >"$here/environ"
printf '%s\\n' "$@" >"$here/arguments"
{_DOUBLES[kind]}"""
        (path / name).write_text(text)
        (path / name).chmod(0o755)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._person is not None:
            os.close(self._person)

    @property
    def environ(self) -> dict[str, str]:
        """The environment in which it alone is found."""
        return {**NOWHERE, "PATH": str(self.directory)}

    @property
    def processes(self) -> list[int]:
        """The processes that have been started, one a window."""
        path = self.directory / "processes"
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def told(self, what: str) -> str:
        """Return what the last process was told: its ``arguments``, its ``environ``, or what was ``said`` to all."""
        return (self.directory / what).read_text()

    @property
    def descriptions(self) -> list[str]:
        """What each window of a pinentry has said."""
        lines = self.told("said").splitlines()
        return [unquote(line.removeprefix("SETDESC ")) for line in lines if line.startswith("SETDESC ")]

    def wait_for_window(self) -> int:
        """Wait until the next window waits for a person; return its process."""
        if self._person is not None and is_gone(self.processes[-1]):
            self._forget()
        if self._person is None:
            until(lambda: len(self.processes) > self._past and self._opened())
        return self.processes[-1]

    def do(self, what: str) -> None:
        """Wait for a window, and have the person do this: type a code, ``cancel``, or ``fail`` for no window."""
        self.wait_for_window()
        assert self._person is not None
        os.write(self._person, f"{what}\n".encode())
        self._forget()

    def _forget(self) -> None:
        """Have the next window be another one."""
        assert self._person is not None
        os.close(self._person)
        self._person, self._past = None, len(self.processes)

    def _opened(self) -> bool:
        try:
            self._person = os.open(self.directory / "person", os.O_WRONLY | os.O_NONBLOCK)
        except OSError:  # nobody reads from it yet
            return False
        return True


def is_gone(process: int) -> bool:
    """Return whether the process has ended."""
    try:
        with open(f"/proc/{process}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def until(condition: Callable[[], bool]) -> None:
    """Wait until it is so."""
    end = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def only(path: Path, program: str) -> dict[str, str]:
    """Return an environment in which credproc finds this program of the system and none else that shows a window."""
    found = shutil.which(program)
    assert found is not None
    path.mkdir()
    (path / program).symlink_to(found)
    return {"PATH": str(path)}
