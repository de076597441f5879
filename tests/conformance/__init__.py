"""Is this a good credential_process helper? The kit runs any command as the SDKs would, and says what they would see.

    python -m tests.conformance -- COMMAND ...
    python -m tests.conformance --failing 'COMMAND' --asking 'COMMAND' --reset 'COMMAND' -- '/path/to/helper argument'

The command has to have credentials to give without a person: sign in before. ``--failing`` is a command line of the
helper that fails (a profile that does not exist), ``--asking`` one for which a person is needed, ``--reset`` empties
its cache before each run, so that the way to a new document is examined and not the way to a kept one. Nothing that
the kit prints holds a secret. The exit status is 1 where a rule is broken. Needs Linux, Python 3.10 and nothing else.

The rules are in rules.py, and for each there is a helper in wrong.py that breaks it; CONTRACT.md says why they are
rules. credproc and the AWS CLI, side by side against the strict STS, as docs/quality.md shows them:

    .venv/bin/python -m tests.conformance.compared
"""
