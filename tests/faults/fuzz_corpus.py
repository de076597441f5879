"""What the fuzz targets start from: the SDKs' own test data, and two files in one row of bytes."""

import json
from pathlib import Path
from typing import Any

from credproc.config.settings import NAMES

BOTH = ("config", "credentials")
# What a mutation would hardly hit upon by itself, besides the names of settings
_WORDS = (
    *(
        "\n%%\n",
        "[default]",
        "[profile ",
        "[sso-session ",
        "[services ",
        "\n ",
        "\r",
        "\r\n",
        " = ",
        " #",
        "\\",
        "'",
        '"',
    ),
    *(
        "\ufeff",
        "\x85",
        "\u2028",
        "arn:aws:iam::123456789012:role/x",
        ":u2f/",
        "http://",
        "https://",
        "[::1]",
        "127.0.0.1",
    ),
    *("true", "regional", "legacy", "900", "43201", "Environment", "EcsContainer", "Ec2InstanceMetadata", "{}", "[["),
    *("credproc --profile ", "credproc_", "credproc-2", "0123456789abcdef.entry", "-,-", '"plan":', '"expiration":'),
)
_BETWEEN = b"\n%%\n"  # between the two files
_CASES = Path(__file__).parent.parent / "cases"


def cases(name: str) -> Any:
    """Return the SDKs' test data in a file of tests/cases."""
    return json.loads((_CASES / name).read_text())


def joined(config: str, credentials: str) -> bytes:
    """Return the two files as one row of bytes."""
    return config.encode() + _BETWEEN + credentials.encode()


def split(data: bytes) -> tuple[bytes, bytes]:
    """Return the config file and the credentials file in a row of bytes."""
    config, _, credentials = data.partition(_BETWEEN)
    return config, credentials


def dictionary() -> str:
    """Return the words in libFuzzer's form."""
    words = [*_WORDS, *(f"{key} = " for key in sorted(NAMES))]
    return "".join('"' + "".join(f"\\x{byte:02x}" for byte in word.encode()) + '"\n' for word in words)
