"""MFA: codes, which the user types or a program prints, and the sign-in with them."""

from collections.abc import Mapping
from typing import Literal

from credproc import terminal
from credproc.config.settings import PromptPlace
from credproc.errors import PersonNeededError
from credproc.mfa.code import CodeProvider, CodeRequest
from credproc.mfa.prompt import PromptCodeProvider
from credproc.mfa.used_codes import UsedCodes

IN_A_WINDOW = "or set credproc_prompt = dialog to be asked in a window"


def code_provider(code_request: CodeRequest, used: UsedCodes) -> CodeProvider:
    """Return the provider of codes: the profile's ``mfa_process``, or the user, at the terminal or in a window.

    Call it before any thread is started: the terminal's watchdog and the keeper of windows are forks. Raises
    PersonNeededError, with a hint, if there is no ``mfa_process`` and this process must not prompt.
    """
    if code_request.process is not None:
        from credproc.mfa.process import ProcessCodeProvider  # noqa: PLC0415 - it imports subprocess

        return ProcessCodeProvider(code_request, code_request.process, used)
    environ = code_request.request.environ
    try:
        if asked_in(code_request.prompt, environ) == "window":
            from credproc.mfa.dialog import WindowCodeProvider, open_window  # noqa: PLC0415 - only where one is wanted

            return WindowCodeProvider(code_request, open_window(environ), used)
        return PromptCodeProvider(code_request, terminal.Terminal(), used)
    except PersonNeededError as error:
        hint = f"{code_request.hint}, {error.hint}" if error.hint else code_request.hint
        if code_request.is_inherited:  # the AWS CLI asks for no code there
            hint += "; if the role needs no MFA, write credproc_mfa_serial = none into its profile"
        raise PersonNeededError(f"{code_request.where}: an MFA code is needed, and {error}", hint, error.kind) from None


def asked_in(prompt: PromptPlace, environ: Mapping[str, str]) -> Literal["terminal", "window"]:
    """Return where this process asks for a code, by the setting.

    Raises PersonNeededError, with the reason and what else could be done, if it can or must not ask anywhere.
    """
    terminal.check_allowed(environ)
    reason = terminal.unavailable_reason()
    if prompt == "terminal" or (prompt == "dialog" and reason is None):
        if reason is not None:
            raise PersonNeededError(reason, IN_A_WINDOW)
        return "terminal"
    from credproc.mfa.dialog.programs import find  # noqa: PLC0415 - only where a window is wanted

    found = find(environ)
    if found.is_available:
        return "window"
    if reason is None:  # a window is wanted in the terminal's place, and there is none: over ssh, for example
        return "terminal"
    raise PersonNeededError(f"{reason}, and {found.unavailable_reason}", found.hint and f"or {found.hint}", "no window")
