"""The profile chain: the profiles that this process and the programs above it are resolving.

It stops an endless recursion of programs, which no single process can see. credproc's chain is in one variable, the
AWS CLI's in another; both are CSV lines (aws-cli, ``awscli/customizations/configure/exportcreds.py``).
"""

import csv
import io
from collections.abc import Mapping

from credproc.errors import ConfigError
from credproc.process.child_environment import environment_for_child

CHAIN_VARIABLE = "CREDPROC_PROFILE_CHAIN"
_CHAIN_VARIABLES = (CHAIN_VARIABLE, "_AWS_CLI_PROFILE_CHAIN")


def check(profile: str | None, environ: Mapping[str, str]) -> None:
    """Raise ConfigError if a program above this one is resolving the same profile."""
    if profile is None:
        return
    chain = _profiles(environ, CHAIN_VARIABLE)
    if profile in chain:
        cycle = " -> ".join([*chain[chain.index(profile) :], profile])
        raise ConfigError(
            f"{CHAIN_VARIABLE}: the profiles refer to each other in a cycle: {cycle}",
            "the credential_process line of a profile runs a program that asks for the same profile; remove that line",
        )


def extend_chain(
    environ: Mapping[str, str], profile: str | None, *, with_identity: bool, with_aws_cli: bool = True
) -> dict[str, str]:
    """Return the environment for a program that is started for the profile, which is added to both chains.

    ``with_identity`` is as for ``environment_for_child``. ``with_aws_cli`` is False where the program is the AWS CLI
    and is asked for this very profile, which it would refuse.
    """
    passed = environment_for_child(environ, with_identity=with_identity)
    for variable in _CHAIN_VARIABLES if with_aws_cli else (CHAIN_VARIABLE,):
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow([*_profiles(environ, variable), profile or ""])
        passed[variable] = line.getvalue()
    return passed


def _profiles(environ: Mapping[str, str], variable: str) -> list[str]:
    """Return the profiles in the variable's CSV line; none if it is no such line, which no chain of ours can be."""
    try:
        return next(csv.reader([environ.get(variable, "")]), [])
    except csv.Error:
        return []
