"""Config files with many profiles, as people have them who work in many accounts."""

from itertools import islice, product

_TEAMS = ("platform", "payments", "data-science", "identity", "web")
_STAGES = ("production", "staging", "sandbox")
_REGIONS = ("eu", "us", "apac")
_ACCESS = ("readonly", "admin", "deploy")
_RESERVED = "aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_{}Access_{:016x}"
KEYS = "".join(
    f"[{user}]\naws_access_key_id = AKIAIOSFODNN7EXAMP{number}\naws_secret_access_key = {'k' * 40}\n"
    for number, user in enumerate(("jane.doe", "ci"))
)


def config(number: int) -> str:
    """Return a config file with so many profiles besides those of two users and a ``[default]`` with a region.

    Of each five, three are behind a user with MFA, one behind another without, one is of IAM Identity Center.
    """
    names = product(range(number), _TEAMS, _STAGES, _REGIONS, _ACCESS)
    found = [
        "[default]\nregion = eu-west-1\n",
        "[profile jane.doe]\nmfa_serial = arn:aws:iam::123456789012:mfa/jane.doe\n",
        "[profile ci]\nregion = eu-west-1\n",
        "[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://d-1234567890.awsapps.com/start\n",
    ]
    for at, (series, *words, access) in enumerate(islice(names, number)):
        name = "-".join((*words, access)) + (f"-{series}" if series else "")
        account = f"{111122223333 + 1_000_003 * (at // 3)}"
        found.append(f"[profile {name}]\nregion = eu-west-1\n")
        if at % 5 == 3:
            found.append(f"sso_session = corp\nsso_account_id = {account}\nsso_role_name = {access}\n")
            continue
        reserved = _RESERVED.format(access.title(), at)
        role = reserved if at % 5 == 4 else f"{words[0]}-{access}"
        found.append(f"role_arn = arn:aws:iam::{account}:role/{role}\n")
        found.append(f"source_profile = {'ci' if at % 5 == 4 else 'jane.doe'}\n")
    return "".join(found)
