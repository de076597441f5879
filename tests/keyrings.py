"""The Secret Service as desktops have it, for keyring's own backend to talk to: well, locked, silent and absent.

    with SecretService(home.path) as service:
        home.run("get", environ=service.environ)
        assert [item.label for item in service.items()] == [...]

Each has a D-Bus session bus of its own, on which nothing but gnome-keyring can be activated: no prompter, so that an
unlock that would ask a person is refused.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import secretstorage
from jeepney import (  # type: ignore[import-untyped]  # it has none
    DBusAddress,
    MessageType,
    message_bus,
    new_method_call,
)
from jeepney.io.blocking import Proxy, open_dbus_connection  # type: ignore[import-untyped]  # it has none
from secretstorage.util import add_match_rules, format_secret, open_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from jeepney.io.blocking import DBusConnection
    from secretstorage import Collection
    from typing_extensions import Self

AVAILABLE = all(map(shutil.which, ("dbus-daemon", "gnome-keyring-daemon")))
TIMEOUT = 10.0  # seconds; only a failing test waits so long
NAME = "org.freedesktop.secrets"

# No session bus at all: secretstorage says so, and load_keyring raises RuntimeError.
NO_BUS: Mapping[str, str] = {}
# A bus that has gone with its socket (a tmux of yesterday): load_keyring raises FileNotFoundError, untranslated.
STALE_BUS: Mapping[str, str] = {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/proc/none/bus"}

# Unlike the usual session.conf without the directories of the system's services.
_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={path}</listen>
  <auth>EXTERNAL</auth>
  <servicedir>{services}</servicedir>
  <policy context="default">
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
    <allow own="*"/>
    {denied}
  </policy>
  {limits}
</busconfig>
"""

_SERVICE = """[D-BUS Service]
Name={name}
Exec={command}
"""

_SILENT = """
import sys
from jeepney import HeaderFields, MessageType, message_bus
from jeepney.io.blocking import Proxy, open_dbus_connection

connection = open_dbus_connection(sys.argv[1])
Proxy(message_bus, connection).RequestName(sys.argv[2])
while True:
    message = connection.receive()
    if message.header.message_type is MessageType.method_call:
        print(message.header.fields[HeaderFields.member], flush=True)
"""


class NoSecretService:
    """A session bus and nobody on it: load_keyring raises RuntimeError at once.

    ``denied`` and ``limits`` are XML of the bus: what it lets nobody do, and how much.
    """

    def __init__(self, *, denied: str = "", limits: str = "") -> None:
        self._stack = ExitStack()
        self._rules = {"denied": denied, "limits": limits}
        self.environ: dict[str, str] = {}  # for a child's environment

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._directory = stack.enter_context(tempfile.TemporaryDirectory())
            path = os.path.join(self._directory, "bus")
            self._services = os.path.join(self._directory, "services")
            os.mkdir(self._services)
            configuration = os.path.join(self._directory, "bus.conf")
            with open(configuration, "w", encoding="utf-8") as file:
                file.write(_BUS.format(path=path, services=self._services, **self._rules))
            self._bus = f"unix:path={path}"
            self.environ["DBUS_SESSION_BUS_ADDRESS"] = self._bus
            bus = ["dbus-daemon", f"--config-file={configuration}", "--nofork", "--nopidfile", "--print-address"]
            self._bus_process = self._run(stack, bus)
            output = self._bus_process.stdout
            assert output
            assert output.readline().startswith(self._bus.encode())  # printed when it listens
            self._start(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Let the bus do nothing meanwhile, as on a machine that has no time for it."""
        self._bus_process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._bus_process.send_signal(signal.SIGCONT)

    def _start(self, stack: ExitStack) -> None:
        """Bring on whom the bus is for."""

    def _run(self, stack: ExitStack, argv: list[str]) -> subprocess.Popen[bytes]:
        """Start a process that lives as long as the stack."""
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"]},
            cwd="/",
            start_new_session=True,
        )
        stack.enter_context(process)
        stack.callback(process.kill)
        return process

    def _owned(self) -> bool:
        """Return whether somebody has the service's name on the bus."""
        with closing(open_dbus_connection(self._bus)) as connection:
            return bool(Proxy(message_bus, connection).NameHasOwner(NAME)[0])


@dataclass(frozen=True)
class Item:
    """What the keyring holds."""

    label: str
    attributes: Mapping[str, str]
    secret: bytes = field(repr=False)


class SecretService(NoSecretService):
    """gnome-keyring with the collection `Login`, its default, unlocked by a password; kept in the home.

    A write takes some 20 ms, and more where fsync is slow. To replace an item makes gnome-keyring warn on its stderr
    that it "is already registered"; there is no harm in it. One call of some two thousand ends it, where others connect
    and leave meanwhile: the next call starts it again, as on a desktop.
    """

    _password = b"a password"

    def __init__(self, home: Path, *, denied: str = "", limits: str = "") -> None:
        super().__init__(denied=denied, limits=limits)
        self._home = home

    def _start(self, stack: ExitStack) -> None:
        """Start gnome-keyring, and wait for its collection."""
        runtime = os.path.join(self._directory, "runtime")
        os.mkdir(runtime, 0o700)
        self.environ |= {"XDG_RUNTIME_DIR": runtime, "XDG_DATA_HOME": str(self._home / ".local" / "share")}
        command, password = os.path.join(self._directory, "keyring"), os.path.join(self._directory, "password")
        with open(password, "wb") as file:
            file.write(self._password)
        environ = [f"{name}={value}" for name, value in {"HOME": str(self._home), **self.environ}.items()]
        daemon = ["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"]
        argv = ["env", *environ, *daemon, f"--control-directory={runtime}/keyring"]
        with open(command, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\nexec {shlex.join(argv)} <{shlex.quote(password)}\n")
        os.chmod(command, 0o700)
        self._process = self._run(stack, [command])
        _until(self._owned, self._process)
        _until(self._ready, self._process)
        with open(os.path.join(self._services, "keyring.service"), "w", encoding="utf-8") as file:
            file.write(_SERVICE.format(name=NAME, command=command))

    def _ready(self) -> bool:
        try:
            with self._collection() as collection:
                return not collection.is_locked()
        except secretstorage.ItemNotFoundException:
            return False

    @contextmanager
    def _collection(self) -> Iterator[Collection]:
        """Give the default collection over a connection of its own."""
        with closing(open_dbus_connection(self._bus)) as connection:
            add_match_rules(connection)
            yield secretstorage.Collection(connection)

    @contextmanager
    def ending(self) -> Iterator[None]:
        """Take calls meanwhile, and end without an answer to any."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.kill()

    def lock(self) -> None:
        """Lock the collection, as a screen lock may.

        An unlock then asks a person through org.gnome.keyring.SystemPrompter, which nobody is: gnome-keyring answers
        that the prompt was dismissed, and keyring raises KeyringLocked, for a read and for a write, after some 5 ms.
        With a usual session.conf and no display gcr-prompter is started, fails, and it is 50 ms.
        """
        with self._collection() as collection:
            collection.lock()

    def unlock(self) -> None:
        """Unlock the collection, without a prompt: by a call that gnome-keyring has for the login."""
        with self._collection() as collection:
            _unlock(collection.connection, self._password)
            assert not collection.is_locked()

    def items(self) -> list[Item]:
        """Return all that is in the collection, which must be unlocked."""
        with self._collection() as collection:
            return [
                Item(item.get_label(), item.get_attributes(), item.get_secret()) for item in collection.get_all_items()
            ]

    def replace(self, secret: bytes) -> None:
        """Put this in the place of every secret in the collection, which must be unlocked."""
        with self._collection() as collection:
            for item in list(collection.get_all_items()):
                item.set_secret(secret)

    def delete_all(self) -> None:
        """Empty the collection, which must be unlocked."""
        with self._collection() as collection:
            for item in list(collection.get_all_items()):
                item.delete()


def _unlock(connection: DBusConnection, password: bytes) -> None:
    service = DBusAddress("/org/freedesktop/secrets", NAME, "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface")
    collection = "/org/freedesktop/secrets/collection/login"
    body = (collection, format_secret(open_session(connection), password, "text/plain"))
    answer = connection.send_and_get_reply(
        new_method_call(service, "UnlockWithMasterPassword", "o(oayays)", body), timeout=TIMEOUT
    )
    assert answer.header.message_type is MessageType.method_return, answer.body


class SilentSecretService(NoSecretService):
    """A service that takes calls and never answers.

    The bus itself knows its name, so load_keyring succeeds; keyring's first call to it then hangs for ever, be it to
    read, write or delete: org.freedesktop.DBus.Properties.Get of the default collection's label.
    """

    def _start(self, stack: ExitStack) -> None:
        """Start who takes the name."""
        self._process = self._run(stack, [sys.executable, "-c", _SILENT, self._bus, NAME])
        _until(self._owned, self._process)
        assert self._process.stdout
        os.set_blocking(self._process.stdout.fileno(), False)

    def wait_for_call(self, timeout: float = TIMEOUT) -> list[str]:
        """Wait until somebody calls; return the members that were called since this was asked last."""
        stdout = self._process.stdout
        assert stdout
        calls: list[str] = []

        def called() -> bool:
            calls.extend((stdout.read() or b"").decode().split())
            return bool(calls)

        _until(called, self._process, timeout)
        return calls


class SilentBus:
    """A bus that takes connections and says nothing: load_keyring raises TimeoutError after jeepney's one second.

    One that `admits` its clients believes who they are, and says no more: load_keyring itself hangs for ever.
    """

    def __init__(self, *, admits: bool) -> None:
        self._admits = admits
        self._connected = threading.Semaphore(0)
        self._connections: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, name="silent bus", daemon=True)

    def __enter__(self) -> Self:
        self._directory = tempfile.TemporaryDirectory()
        path = os.path.join(self._directory.name, "bus")
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(path)
        self._socket.listen()
        self.environ = {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={path}"}
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)  # ends the accept
        self._thread.join()
        self._socket.close()
        for connection in self._connections:
            connection.close()
        self._directory.cleanup()

    def wait_for_connection(self, timeout: float = TIMEOUT) -> None:
        """Wait until the next client is here, and admitted if it will be."""
        assert self._connected.acquire(timeout=timeout), "no client has come"

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._connections.append(connection)
            if self._admits:
                connection.settimeout(TIMEOUT)
                while not connection.recv(1024).endswith(b"\r\n"):  # AUTH EXTERNAL …
                    pass
                connection.sendall(b"OK 0123456789abcdef0123456789abcdef\r\n")
            self._connected.release()


def _until(condition: Callable[[], bool], process: subprocess.Popen[bytes], timeout: float = TIMEOUT) -> None:
    """Wait until the process has come so far."""
    end = time.monotonic() + timeout
    while not condition():
        assert process.poll() is None, f"{process.args!r} has ended"
        assert time.monotonic() < end, f"{process.args!r} does not get so far"
        time.sleep(0.01)
