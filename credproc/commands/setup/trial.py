"""The trial after an edit: get the profile's credentials as an SDK would, and ask STS whose they are."""

from credproc.commands.ui.progress import Progress
from credproc.commands.ui.wrap import terminal_columns, wrapped
from credproc.config.parser import read
from credproc.errors import CredprocError, for_shell
from credproc.plan import plan_for
from credproc.refresh import FOR_PEOPLE, refresh
from credproc.request import Request

_CALL_SECONDS = 10


def try_profile(request: Request) -> list[str]:
    """Return lines with the ARN that the profile's credentials belong to.

    Raises CredprocError, whose hint says how to undo the edit.
    """
    progress = Progress()
    progress.show("trying the profile ...")
    try:
        config = read(request.environ, request.clock())
        refreshed = refresh(request._replace(deadlines=FOR_PEOPLE), config)
        progress.show("calling GetCallerIdentity ...")
        from credproc.aws.client import Settings  # noqa: PLC0415 - ssl
        from credproc.aws.sts import Sts  # noqa: PLC0415
        from credproc.credentials import credentials_in  # noqa: PLC0415

        plan = refreshed.plan or plan_for(config, request)
        sts = Sts(plan.endpoint, Settings.of(config, plan.profile, request.environ, _CALL_SECONDS), mfa=False)
        arn = sts.get_caller_identity(credentials_in(refreshed.document))
    except CredprocError as error:
        undo = f"credproc setup {for_shell(request.profile or '')} --undo reverts the edit"
        hint = f"{error.hint}; {undo}" if error.hint else undo
        failure = CredprocError(f"setup: the edit was written, but the profile does not work: {error}", hint)
        failure.quotation = error.quotation
        raise failure from None
    finally:
        progress.end()
    return wrapped(f"{request.subject} works: {arn}", terminal_columns(1), 2)
