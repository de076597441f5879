"""The window of Windows: CredUI, in this process. Tested with a double and tried in Wine, untried on Windows itself.

The call cannot be interrupted, so it runs in a thread, and the window goes with the process: whoever withdraws it has
credproc end.
"""

import importlib
import time
from collections.abc import Callable
from typing import Any, Protocol

from credproc.errors import DeadlineError, PersonNeededError
from credproc.mfa.dialog.question import FIELD, TITLE, Question, cancelled, late
from credproc.process.deadline import BackgroundCall

_POLL_SECONDS = 0.25  # between checks whether the caller still waits
_CANCELLED = 1223  # ERROR_CANCELLED
# wincred.h. GENERIC_CREDENTIALS: what is typed is given back, and not tried on Windows itself
_DO_NOT_PERSIST, _EXCLUDE_CERTIFICATES, _ALWAYS_SHOW_UI = 0x2, 0x8, 0x80
_GENERIC_CREDENTIALS, _KEEP_USERNAME = 0x40000, 0x100000
_FLAGS = _DO_NOT_PERSIST | _EXCLUDE_CERTIFICATES | _ALWAYS_SHOW_UI | _GENERIC_CREDENTIALS | _KEEP_USERNAME
_MAX_NAME, _MAX_PASSWORD, _MAX_MESSAGE = 514, 257, 1023  # characters, with the end of each buffer


class CredUi(Protocol):
    """The function of ``credui.dll``, with what surrounds it."""

    def prompt(self, title: str, message: str, target: str, name: str, flags: int) -> tuple[int, str]:
        """Show the window; return Windows' error code (0 for none) and what was typed."""


class CredUiWindow:
    """Asks in the window in which Windows asks for passwords."""

    def __init__(self, credui: CredUi | None = None) -> None:
        """Take the function; that of Windows if there is none. Raises PersonNeededError."""
        self._credui = WindowsCredUi() if credui is None else credui
        self._remarks: list[str] = []

    def close(self) -> None:
        """Do nothing."""

    def say(self, line: str) -> None:
        """Show the line with the next question."""
        self._remarks.append(line)

    def ask(self, prompt: str, deadline: float, withdrawal: Callable[[], str | None]) -> str:
        """Show the prompt and return what a person types; arguments and errors are those of ``terminal.Terminal``."""
        message = Question.of(self._remarks, prompt).text[:_MAX_MESSAGE]
        self._remarks = []
        call = BackgroundCall(lambda: self._credui.prompt(TITLE, message, TITLE, FIELD.rstrip(":"), _FLAGS)).start()
        error, typed = _result(call, deadline, withdrawal)
        if error == _CANCELLED:
            raise cancelled()
        if error:
            raise PersonNeededError(f"Windows shows no window: error {error}", kind="no window")
        return typed


def _result(
    call: BackgroundCall[tuple[int, str]], deadline: float, withdrawal: Callable[[], str | None]
) -> tuple[int, str]:
    while True:
        try:
            return call.result(min(deadline, time.monotonic() + _POLL_SECONDS))
        except DeadlineError:
            if time.monotonic() >= deadline:
                raise late() from None
            if (reason := withdrawal()) is not None:
                raise PersonNeededError(reason, kind="withdrawn") from None


class WindowsCredUi:
    """``CredUIPromptForCredentialsW`` of ``credui.dll``."""

    def __init__(self) -> None:
        """Load it. Raises PersonNeededError."""
        self._ctypes: Any = importlib.import_module("ctypes")
        try:
            self._call = self._ctypes.WinDLL("credui").CredUIPromptForCredentialsW
        except (OSError, AttributeError):
            raise PersonNeededError("Windows shows no window: there is no credui.dll", kind="no window") from None

    def prompt(self, title: str, message: str, target: str, name: str, flags: int) -> tuple[int, str]:
        """See ``CredUi``."""
        ctypes = self._ctypes
        fields = (
            ("cbSize", ctypes.c_uint32),
            ("hwndParent", ctypes.c_void_p),
            ("pszMessageText", ctypes.c_wchar_p),
            ("pszCaptionText", ctypes.c_wchar_p),
            ("hbmBanner", ctypes.c_void_p),
        )
        info_type = type("CREDUI_INFOW", (ctypes.Structure,), {"_fields_": fields})
        info = info_type(ctypes.sizeof(info_type), None, message, title, None)
        shown = ctypes.create_unicode_buffer(name, _MAX_NAME)
        typed = ctypes.create_unicode_buffer(_MAX_PASSWORD)
        save = ctypes.c_int(0)
        error = self._call(
            ctypes.byref(info), target, None, 0, shown, _MAX_NAME, typed, _MAX_PASSWORD, ctypes.byref(save), flags
        )
        found = typed.value
        ctypes.memset(typed, 0, ctypes.sizeof(typed))
        return int(error), found
