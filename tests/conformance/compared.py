"""credproc and the AWS CLI through the kit, side by side: the table in docs/quality.md.

    .venv/bin/python -m tests.conformance.compared               # Markdown
    .venv/bin/python -m tests.conformance.compared --different   # only the rules that not both keep
    .venv/bin/python -m tests.conformance.compared --text        # a table each, and what each broken rule protects
    .venv/bin/python -m tests.conformance.compared --aws build/work/sdk/awscli2/dist/aws    # another AWS CLI 2

Each helper has a home of its own in which profile ``admin`` is a role behind a user's keys, and ``person`` one that
asks for MFA; the strict STS stands behind both. Their caches are emptied before each run. It takes three minutes,
as prompts are waited for to the end.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.conformance.report import as_markdown, as_text, examined
from tests.conformance.subject import Subject
from tests.program import PROGRAM, ROLE, Home
from tests.sts import Sts, Trust

AWS = "/usr/bin/aws"  # Debian's awscli is version 2; version 1 has no export-credentials


def home_with_roles(path: Path, sts: Sts) -> Home:
    """Return a home with the profiles ``admin`` and ``person``, whose STS is found by botocore of any age."""
    user = sts.user(path.name, mfa=True)
    sts.role(ROLE, Trust((user.arn,)))
    person = f"{ROLE}-person"
    sts.role(person, Trust((user.arn,), mfa_required=True))
    home = Home(path, AWS_ENDPOINT_URL_STS=sts.url, CREDPROC_SESSION_STORE="none")
    common = "source_profile = user1\nregion = us-west-2\n"
    home.config(
        f"[profile admin]\nrole_arn = {ROLE}\n{common}"
        f"[profile person]\nrole_arn = {person}\nmfa_serial = {user.mfa_serial}\n{common}"
    )
    home.keys("user1", user)
    # Releases of before July 2023 know no AWS_ENDPOINT_URL_STS; they read models here first
    rules = path / ".aws" / "models" / "sts" / "2011-06-15" / "endpoint-rule-set-1.json"
    rules.parent.mkdir(parents=True)
    rules.write_text(json.dumps(_endpoint_rules(sts.url)))
    return home


def _endpoint_rules(url: str) -> dict[str, object]:
    """Return an endpoint rule set that knows one endpoint."""
    parameters = {
        name: {"builtIn": builtin, "required": False, "documentation": "", "type": kind}
        for name, builtin, kind in (
            ("Region", "AWS::Region", "String"),
            ("UseDualStack", "AWS::UseDualStack", "Boolean"),
            ("UseFIPS", "AWS::UseFIPS", "Boolean"),
            ("Endpoint", "SDK::Endpoint", "String"),
            ("UseGlobalEndpoint", "AWS::STS::UseGlobalEndpoint", "Boolean"),
        )
    }
    endpoint = {"url": url, "properties": {}, "headers": {}}
    return {
        "version": "1.0",
        "parameters": parameters,
        "rules": [{"conditions": [], "endpoint": endpoint, "type": "endpoint"}],
    }


def subjects(directory: Path, stack: ExitStack, aws: str = AWS) -> dict[str, Subject]:
    """Return both helpers, with the AWS CLI at this path; the stack ends their services."""
    ours = home_with_roles(directory / "credproc", stack.enter_context(Sts()))
    theirs = home_with_roles(directory / "aws", stack.enter_context(Sts()))
    export = f"{aws} configure export-credentials --format process --profile"
    return {
        "credproc": Subject(
            f"{PROGRAM} --profile admin",
            ours.environ,
            failing=f"{PROGRAM} --profile nobody",
            asking=f"{PROGRAM} --profile person",
            reset=f"{PROGRAM} clear --all",
            patient=True,
        ),
        "`aws configure export-credentials`": Subject(
            f"{export} admin",
            theirs.environ,
            failing=f"{export} nobody",
            asking=f"{export} person",
            reset=f"rm -rf {theirs.path}/.aws/cli/cache",
            patient=True,
        ),
    }


def main(arguments: list[str]) -> int:
    """Print the table."""
    aws = os.path.abspath(arguments[arguments.index("--aws") + 1]) if "--aws" in arguments else AWS
    if shutil.which(aws) is None:
        sys.stderr.write(f"compared: error: no AWS CLI 2 at {aws}\ncompared: hint: apt-get install awscli\n")
        return 2
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        columns = {name: examined(subject) for name, subject in subjects(Path(directory), stack, aws).items()}
    if "--text" in arguments:
        sys.stdout.write("\n".join(f"{name}\n{as_text(rows)}" for name, rows in columns.items()))
    else:
        sys.stdout.write(as_markdown(columns, different="--different" in arguments))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
