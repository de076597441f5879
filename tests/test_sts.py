"""The strict STS holds AWS's rules and refuses what AWS refuses, seen through botocore."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
    ResponseParserError,
)
from botocore.parsers import ResponseParserError as ParserError
from botocore.session import Session

from tests.sts import (
    HTML,
    Credentials,
    Role,
    Sts,
    Trust,
    User,
    changed,
    cut_off,
    delay,
    drip,
    expired,
    fail,
    hang,
    hang_up,
    hold,
    redirect,
    say,
    throttle,
    totp,
    truncated,
    with_text,
    without,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROLE = "arn:aws:iam::123456789012:role/path/admin"
OTHER = "arn:aws:iam::210987654321:role/other"
ISSUER = "https://oidc.example.com/id/1"
WRONG_MFA = (
    "MultiFactorAuthentication failed, unable to validate MFA code.  "
    "Please verify your MFA serial number is valid and associated with this user."
)
NAME = {"RoleSessionName": "session"}
# One session for all clients: loading the service's model is most of what a client costs.
SESSION = Session()

