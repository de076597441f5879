"""Whose credentials a document holds: GetCallerIdentity, which needs no permission."""

import json

from credproc.config.parser import SharedConfig
from credproc.credentials import Credentials
from credproc.plan import Plan
from credproc.refresh.botosession import botocore_session
from credproc.refresh.sts import Sts


def caller_arn(document: bytes, plan: Plan, config: SharedConfig, deadline: float) -> str:
    """Return the ARN that STS, as the plan reaches it, knows the document's credentials by. Raises CredprocError.

    ``deadline`` is in seconds of ``time.monotonic()``.
    """
    fields = json.loads(document)
    keys = Credentials(fields["AccessKeyId"], fields["SecretAccessKey"], fields.get("SessionToken"))
    return Sts(botocore_session(config, plan.profile), plan.endpoint, mfa=False).get_caller_identity(keys, deadline)
