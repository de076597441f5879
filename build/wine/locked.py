"""Print the lines of build/requirements.lock that are for the CPython which build/windows installs.

`pip download` compares the markers of a file with the system that it runs on, whatever --platform says.
"""

import re
import sys

from pip._vendor.packaging.markers import Marker

WINDOWS = {
    "os_name": "nt",
    "platform_machine": "AMD64",
    "platform_python_implementation": "CPython",
    "platform_system": "Windows",
    "python_full_version": "3.13.5",
    "python_version": "3.13",
    "sys_platform": "win32",
}


def main() -> None:
    """Read the lock file on stdin."""
    lines = re.sub(r"\\\n\s*", "", re.sub(r"(?m)^\s*#.*\n", "", sys.stdin.read())).splitlines()
    for line in lines:
        requirement, *hashes = line.split("--hash=")
        _, _, marker = requirement.partition(" ; ")
        if not marker or Marker(marker.strip()).evaluate(WINDOWS):
            print(requirement.partition(" ; ")[0].strip(), *(f"--hash={each.strip()}" for each in hashes))


if __name__ == "__main__":
    main()
