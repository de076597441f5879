"""A plan, carried out: the source's credentials, then one STS call after the other, all by their deadline."""

import time

from credproc.errors import ConfigError, DeadlineError, PersonNeededError, SourceError
from credproc.refresh import WORK_ENDS, Request
from credproc.refresh.botosession import botocore_session
from credproc.refresh.credentials import Credentials
from credproc.refresh.deadline import within
from credproc.refresh.keep import Obtained
from credproc.refresh.plan import Plan
from credproc.refresh.sharedconfig import SharedConfig
from credproc.refresh.sources import Started, fetch, read_token
from credproc.refresh.sts import Sts

NETWORK_SECONDS = 9  # for source and STS together: a dead network must be noticed within ten
PROCESS_SECONDS = 40  # for another program, which may ask a person in its turn


def obtain(plan: Plan, config: SharedConfig, request: Request, began: float) -> Obtained:
    """Return the credentials that the plan leads to. Raises CredprocError.

    The deadlines count from ``began`` (seconds of ``time.monotonic()``), when this run's turn came: the import of
    botocore, which can take a second on a busy machine, is part of what must end in time.
    """
    session = botocore_session(config, plan.profile)
    last = request.started + WORK_ENDS
    seconds = PROCESS_SECONDS if plan.source.kind == "Process" else NETWORK_SECONDS
    started = Started()
    sts = Sts(session, plan.endpoint, min(began + NETWORK_SECONDS, last), mfa=plan.mfa is not None)
    if plan.source.role is not None:
        credentials = sts.assume_role_with_web_identity(plan.source.role, read_token(plan.source))
    else:
        try:
            credentials = within(
                min(began + seconds, last), lambda: fetch(plan.source, session, request.environ, started)
            )
        except DeadlineError:
            started.end()
            raise SourceError(
                f"{plan.source.where}: {plan.source.kind}: no answer in time", "check what the source needs to answer"
            ) from None
    if plan.source.kind == "Process":
        sts.deadline = min(time.monotonic() + NETWORK_SECONDS, last)
    renewable = plan.source.role is not None or bool(plan.roles) or not credentials.temporary
    return Obtained(_through_sts(plan, credentials, sts), renewable)


def _through_sts(plan: Plan, credentials: Credentials, sts: Sts) -> Credentials:
    """Return what the source's credentials buy: each role in order, or a session where there is no role."""
    mfa = plan.mfa
    if mfa is not None and credentials.temporary and mfa.on_role:
        raise ConfigError(
            f"{mfa.where}: mfa_serial, but the source's credentials are temporary, and those cannot use an MFA device",
            "remove mfa_serial, or let source_profile name the user whose device it is",
        )
    if mfa is not None and not credentials.temporary:
        raise PersonNeededError(
            f"{mfa.where}: an MFA code is needed, and this version of credproc cannot ask for one",
            "use a profile without mfa_serial",
        )
    if not plan.roles and not credentials.temporary:
        credentials = sts.get_session_token(credentials, plan.session_seconds)
    for role in plan.roles:
        credentials = sts.assume_role(credentials, role)
    if credentials.account_id is None and plan.account_id is not None:
        credentials = credentials._replace(account_id=plan.account_id)
    return credentials
