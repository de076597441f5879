"""What programs that credproc starts find in their environment."""

import pytest
from botocore.credentials import (
    AssumeRoleWithWebIdentityProvider,
    ContainerProvider,
    EnvProvider,
    OriginalEC2Provider,
)

from credproc.process.child_environment import environment_for_child, is_identity, is_secret

INSIDE = "/opt/my tools/credproc/_internal"


def test_an_installed_credproc_passes_on_what_it_has() -> None:
    environ = {"LD_LIBRARY_PATH": "/of/a/frozen/caller", "LD_LIBRARY_PATH_ORIG": "/usr/mine", "_PYI_ARCHIVE_FILE": "/x"}
    passed = environment_for_child(environ, with_identity=True)
    assert passed == environ
    assert passed is not environ


@pytest.mark.parametrize(
    ("path", "before", "expected"),
    [
        (INSIDE, None, {}),
        (f"{INSIDE}:/usr/mine:/usr/yours", "/usr/mine:/usr/yours", {"LD_LIBRARY_PATH": "/usr/mine:/usr/yours"}),
        (f"{INSIDE}:/other/_internal", "/other/_internal", {"LD_LIBRARY_PATH": "/other/_internal"}),
        # a variable of that name which was there before, and that the bootloader had no reason to replace
        (INSIDE, "/of/somebody/else", {"LD_LIBRARY_PATH_ORIG": "/of/somebody/else"}),
        # not what the bootloader sets
        (f"{INSIDE}2:/usr/mine", None, {"LD_LIBRARY_PATH": f"{INSIDE}2:/usr/mine"}),
        (None, None, {}),
    ],
)
def test_the_search_path_is_again_the_one_that_the_bootloader_found(
    path: str | None, before: str | None, expected: dict[str, str]
) -> None:
    found = {"LD_LIBRARY_PATH": path, "LD_LIBRARY_PATH_ORIG": before}
    environ = {name: value for name, value in found.items() if value is not None}
    passed = environment_for_child({**environ, "HOME": "/h"}, with_identity=True, program_directory=INSIDE)
    assert passed == {**expected, "HOME": "/h"}


def test_the_variables_of_the_bootloader_stay_inside() -> None:
    ours = {"_PYI_ARCHIVE_FILE": "a", "_PYI_PARENT_PROCESS_LEVEL": "1", "_PYI_LINUX_PROCESS_NAME": "credproc"}
    environ = {**ours, "_MEIPASS2": "b", "_PYTHON": "c", "PATH": "/bin"}
    passed = environment_for_child(environ, with_identity=True, program_directory=INSIDE)
    assert passed == {"_PYTHON": "c", "PATH": "/bin"}


# By which a program of AWS's, or one that was written for them, comes to credentials
IDENTITIES = (
    "AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_SECURITY_TOKEN AWS_DELEGATION_TOKEN"
    " AWS_ACCESS_KEY AWS_SECRET_KEY AMAZON_ACCESS_KEY_ID AMAZON_SECRET_ACCESS_KEY AMAZON_SESSION_TOKEN"
    " EC2_ACCESS_KEY EC2_SECRET_KEY EC2_SECURITY_TOKEN EC2_CERT EC2_PRIVATE_KEY AWS_CREDENTIAL_FILE"
    " AWS_BEARER_TOKEN_BEDROCK AWS_BEARER_TOKEN_OF_A_SERVICE_TO_COME"
    " AWS_ROLE_ARN AWS_ROLE_SESSION_NAME AWS_WEB_IDENTITY_TOKEN_FILE"
    " AWS_CONTAINER_AUTHORIZATION_TOKEN AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
    " AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_CONTAINER_CREDENTIALS_FULL_URI"
).split()
OTHERS = (
    "PATH HOME AWS_REGION AWS_CONFIG_FILE AWS_ENDPOINT_URL_STS AWS_CA_BUNDLE DISPLAY DBUS_SESSION_BUS_ADDRESS".split()
)


def test_a_child_gets_the_variables_of_an_identity_only_if_it_may() -> None:
    environ = dict.fromkeys((*IDENTITIES, *OTHERS), "x")
    assert set(environment_for_child(environ, with_identity=False)) == set(OTHERS)
    assert environment_for_child(environ, with_identity=True) == environ


@pytest.mark.parametrize("variable", IDENTITIES)
def test_every_variable_that_holds_a_key_or_a_token_is_a_secret(variable: str) -> None:
    named = "TOKEN" in variable or "SECRET" in variable
    assert is_secret(variable) == (named and not variable.endswith("_FILE"))
    assert is_identity(variable)


def test_the_variables_of_botocore_are_known() -> None:
    found = {EnvProvider.ACCESS_KEY, EnvProvider.SECRET_KEY, *EnvProvider.TOKENS}
    found |= {ContainerProvider.ENV_VAR, ContainerProvider.ENV_VAR_FULL, ContainerProvider.ENV_VAR_AUTH_TOKEN}
    found |= {ContainerProvider.ENV_VAR_AUTH_TOKEN_FILE, OriginalEC2Provider.CRED_FILE_ENV}
    found |= set(vars(AssumeRoleWithWebIdentityProvider)["_CONFIG_TO_ENV_VAR"].values())
    assert {variable for variable in found if not is_identity(variable)} == set()
