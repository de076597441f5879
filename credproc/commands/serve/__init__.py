"""``exec --serve``: a container credentials endpoint for one command, for SDKs that know no ``credential_process``.

The endpoint (``http``) answers from memory. A thread (``renewal``) renews the credentials before their end, and never
asks a person. Both end with this process, which ends with the command (``child``).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from credproc.commands.serve.default_profile import check_default_profile
from credproc.commands.serve.http import Endpoint
from credproc.commands.serve.renewal import RenewedCredentials
from credproc.commands.variables import KEY_VARIABLES, resolve, with_variables
from credproc.config.parser import read
from credproc.request import Request


@contextmanager
def served(request: Request, environ: Mapping[str, str], region: str | None) -> Iterator[dict[str, str]]:
    """Serve the credentials of the request's profile; give ``environ`` with the variables by which SDKs find them.

    The variables that SDKs ask before it are taken away, and ``region`` is set, or else the profile's. May prompt
    before the endpoint is there, and never later. Raises CredprocError, also where ``[default]`` would win over it.
    """
    config = read(request.environ, request.clock())
    check_default_profile(config)
    found = resolve(request, config).in_region(region)
    credentials = RenewedCredentials(found.document, request)
    variables = found.variables(environ) | dict.fromkeys(KEY_VARIABLES)
    with Endpoint(credentials) as endpoint:
        credentials.renew_in_background()
        yield with_variables(environ, variables | endpoint.variables)
