"""`python -m tests.sts [--delay MS] [--permissive] [--tls DIRECTORY]`: a strict STS for benchmarks, until it is ended.

The first line on stdout is a JSON object: url, access_key_id, secret_access_key, mfa_serial, totp_secret (base32) of
`user1`; role_arn, which user1 may assume for up to 12 hours; mfa_role_arn, which in addition asks for MFA. With `--tls`
also tls_url, the same STS behind TLS; authority, a file in the directory with the certificate that vouches for it; and
proxy_url, a proxy that connects whoever asks for sts.us-west-2.amazonaws.com to it, for programs that know no endpoint.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

from tests.sts import Sts, Trust, delay

ROLE_ARN = "arn:aws:iam::123456789012:role/marketingadminrole"
MFA_ROLE_ARN = "arn:aws:iam::123456789012:role/mfarole"


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m tests.sts", description=__doc__)
    parser.add_argument("--delay", type=float, default=0, metavar="MS", help="milliseconds before each answer")
    parser.add_argument("--permissive", action="store_true", help="accept any signer and role")
    parser.add_argument("--tls", type=Path, metavar="DIRECTORY", help="serve TLS as well, with a new authority")
    options = parser.parse_args()
    # Masked before the server's thread starts, so that the signal waits for sigwait() in this thread.
    signals = {signal.SIGTERM, signal.SIGINT}
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    with ExitStack() as stack:
        sts = stack.enter_context(Sts(permissive=options.permissive))
        user = sts.user("user1", mfa=True)
        sts.role(ROLE_ARN, Trust((user.arn,)), max_session_duration=43200)
        sts.role(MFA_ROLE_ARN, Trust((user.arn,), mfa_required=True), max_session_duration=43200)
        if options.delay:
            sts.always(delay(options.delay / 1000))
        about = {
            "url": sts.url,
            "access_key_id": user.access_key_id,
            "secret_access_key": user.secret_access_key,
            "mfa_serial": user.mfa_serial,
            "totp_secret": user.totp_secret,
            "role_arn": ROLE_ARN,
            "mfa_role_arn": MFA_ROLE_ARN,
        }
        if options.tls is not None:
            from tests.loopback import Ca, Proxy, Server, passing_on, tls  # noqa: PLC0415 - cryptography, which Wine lacks

            ca = Ca(options.tls)
            files = ca.issue("sts", "127.0.0.1", "sts.us-west-2.amazonaws.com")
            door = stack.enter_context(Server(passing_on(sts.port), tls(files)))
            proxy = stack.enter_context(Proxy(door.port))
            about |= {"tls_url": f"https://127.0.0.1:{door.port}", "authority": str(ca.path), "proxy_url": proxy.url}
        sys.stdout.write(json.dumps(about) + "\n")
        sys.stdout.flush()
        if sys.platform == "win32":
            threading.Event().wait()  # until the process is ended
        else:
            signal.sigwait(signals)


if __name__ == "__main__":
    main()
