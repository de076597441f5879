"""MFA: codes, which the user types or a program prints, and the sign-in with them."""

from credproc import terminal
from credproc.errors import PersonNeededError
from credproc.mfa.code import CodeProvider, CodeRequest
from credproc.mfa.prompt import PromptCodeProvider
from credproc.mfa.used_codes import UsedCodes


def code_provider(code_request: CodeRequest, used: UsedCodes) -> CodeProvider:
    """Return the provider of codes: the profile's ``mfa_process``, or the user at the terminal.

    Call it before any thread is started: the terminal's watchdog is a fork. Raises PersonNeededError, with a hint, if
    there is no ``mfa_process`` and this process must not prompt.
    """
    if code_request.process is not None:
        from credproc.mfa.process import ProcessCodeProvider  # noqa: PLC0415 - it imports subprocess

        return ProcessCodeProvider(code_request, code_request.process, used)
    try:
        terminal.check_interactive(code_request.request.environ)
        return PromptCodeProvider(code_request, terminal.Terminal(), used)
    except PersonNeededError as error:
        hint = code_request.hint
        if code_request.is_inherited:  # the AWS CLI asks for no code there
            hint += "; if the role needs no MFA, write credproc_mfa_serial = none into its profile"
        raise PersonNeededError(f"{code_request.where}: an MFA code is needed, and {error}", hint) from None
