"""The profile chain: which profiles are being resolved by whom, through programs that start programs.

It ends circles that no single process can see. Ours travels in one variable, the AWS CLI's in another; both are lists
in the form of CSV (aws-cli, ``awscli/customizations/configure/exportcreds.py``).
"""

import csv
import io
from collections.abc import Mapping

from credproc.errors import ConfigError
from credproc.process.child_environment import environment_for_child

OURS = "CREDPROC_PROFILE_CHAIN"
_VARIABLES = (OURS, "_AWS_CLI_PROFILE_CHAIN")


def check(profile: str | None, environ: Mapping[str, str]) -> None:
    """Raise ConfigError if resolving this very profile has led here."""
    if profile is None:
        return
    chain = _profiles(environ, OURS)
    if profile in chain:
        circle = " -> ".join([*chain[chain.index(profile) :], profile])
        raise ConfigError(
            f"{OURS}: the profiles form a circle: {circle}",
            "a credential_process line leads back to the profile that it belongs to",
        )


def extended(environ: Mapping[str, str], profile: str | None) -> dict[str, str]:
    """Return the environment for a program that is started for the profile: the user's, with it in both chains."""
    passed = environment_for_child(environ)
    for variable in _VARIABLES:
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow([*_profiles(environ, variable), profile or ""])
        passed[variable] = line.getvalue()
    return passed


def _profiles(environ: Mapping[str, str], variable: str) -> list[str]:
    return next(csv.reader([environ[variable]]), []) if environ.get(variable) else []
