"""MFA: a code, typed or printed by a program, and what it buys."""

from credproc import terminal
from credproc.errors import PersonNeededError
from credproc.mfa.code import CodeProvider, CodeRequest
from credproc.mfa.prompt import TypedCodes
from credproc.mfa.used_codes import UsedCodes


def code_provider(wanted: CodeRequest, used: UsedCodes) -> CodeProvider:
    """Return where codes come from; to be called before any thread is started.

    Raises PersonNeededError, with what to do, where there is neither a program nor a person.
    """
    request = wanted.request
    if wanted.process is not None:
        from credproc.mfa.process import ProgramCodes  # noqa: PLC0415 - subprocess, for those who have one

        return ProgramCodes(wanted, wanted.process, used)
    try:
        terminal.check_interactive(request.environ)
        return TypedCodes(wanted, terminal.Terminal(), used)
    except PersonNeededError as error:
        raise PersonNeededError(f"{wanted.where}: an MFA code is needed, and {error}", wanted.hint) from None
