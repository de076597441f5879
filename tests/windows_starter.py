"""Runs on the Python of Windows: starts what is ordered on its console, and leaves what came of it.

A Windows process must be the parent of what is tried, and a console on a terminal of Unix reads no key before somebody
has looked for one with PeekConsoleInputW; both is done here. Its argument is a directory: NAME.order, a JSON object, is
what to start, NAME.started has its process id, NAME.outcome what came of it; the file ``end`` ends all.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time

FIRST_KEY = b"\0" * 20  # an INPUT_RECORD


def main() -> None:
    """Follow the orders in the directory until the end."""
    directory = sys.argv[1]
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is for what is tried; SIG_IGN would be inherited
    console = open("CONIN$", "rb", buffering=0)  # noqa: SIM115 - open until the end
    import msvcrt  # noqa: PLC0415 - of Windows

    handle = msvcrt.get_osfhandle(console.fileno())  # type: ignore[attr-defined,unused-ignore]
    ctypes.windll.kernel32.PeekConsoleInputW(  # type: ignore[attr-defined,unused-ignore]
        ctypes.c_void_p(handle), FIRST_KEY, 1, ctypes.byref(ctypes.c_uint())
    )
    seen: set[str] = set()
    while not os.path.exists(os.path.join(directory, "end")):
        for name in os.listdir(directory):
            if name.endswith(".order") and name not in seen:
                seen.add(name)
                threading.Thread(target=_follow, args=[os.path.join(directory, name)], daemon=True).start()
        time.sleep(0.05)
    os._exit(0)


def _follow(path: str) -> None:
    """Start what the order says, and write its process id, and its outcome once it has ended."""
    with open(path, encoding="utf-8") as file:
        order = json.load(file)
    kept = {name: os.environ[name] for name in order["inherited"] if name in os.environ}
    child = subprocess.Popen(
        order["command"],
        env=kept | order["environ"],
        cwd=order["cwd"],
        creationflags=order["flags"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    _leave(path.replace(".order", ".started"), {"pid": child.pid})
    stdout, stderr = child.communicate()
    texts = [stream.decode("utf-8", "replace").replace("\r\n", "\n") for stream in (stdout, stderr)]
    _leave(path.replace(".order", ".outcome"), {"status": child.returncode, "stdout": texts[0], "stderr": texts[1]})


def _leave(path: str, fields: dict[str, object]) -> None:
    """Write the file whole: who waits for it never sees a part."""
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        json.dump(fields, file)
    os.replace(f"{path}.new", path)


if __name__ == "__main__":
    main()
