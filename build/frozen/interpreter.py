"""Look at the interpreter that is about to be frozen; build/freeze runs this with it.

Expat, which reads what STS and IAM answer, comes with it. Before 2.7 a document type can end it in a segmentation fault
(CVE-2024-8176). credproc gives it none to read; what is released is made of one without the fault all the same.
"""

import argparse
import platform
import sys
from xml.parsers import expat

SOUND = (2, 7)


def fault(version: tuple[int, ...]) -> str | None:
    """Return what is wrong with this version of expat, or None."""
    if version >= SOUND:
        return None
    found, wanted = (".".join(map(str, each)) for each in (version, SOUND))
    return f"Python {platform.python_version()} has expat {found}, which is older than {wanted} (CVE-2024-8176)"


def main(arguments: list[str] | None = None, version: tuple[int, ...] = expat.version_info) -> int:
    """Say what is wrong; return the exit status, 1 if it must not be released."""
    parser = argparse.ArgumentParser(prog="interpreter.py", description=__doc__)
    parser.add_argument("--release", action="store_true", help="what is wrong is an error")
    options = parser.parse_args(arguments)
    what = fault(version)
    if what is None:
        return 0
    print(f"freeze: {'error' if options.release else 'warning'}: {what}", file=sys.stderr)
    print("freeze: hint: install a newer patch release of Python, or of the system's expat", file=sys.stderr)
    return 1 if options.release else 0


if __name__ == "__main__":
    sys.exit(main())
