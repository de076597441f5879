"""What pyproject.toml says of the project: the one place of its description, its authors and its addresses."""

import os
import re
from pathlib import Path
from typing import NamedTuple

from flit_core.config import read_pep621_metadata, tomllib


class Project(NamedTuple):
    """The project, as packages name it."""

    version: str
    summary: str
    homepage: str
    maintainer: str  # "NAME <EMAIL>"


def read(root: str) -> Project:
    """Return what the pyproject.toml in the directory ``root`` says, and the version that the package has.

    The version is read and not imported: what is imported must be the frozen one. Raises SystemExit without a version.
    """
    path = Path(root, "pyproject.toml")
    about = read_pep621_metadata(tomllib.loads(path.read_text(encoding="utf-8"))["project"], path).metadata
    urls = dict(url.split(", ", 1) for url in about["project_urls"])
    with open(os.path.join(root, "credproc", "__init__.py"), encoding="utf-8") as file:
        version = re.search(r'^__version__ = "([^"]+)"$', file.read(), re.MULTILINE)
    if version is None:
        raise SystemExit("freeze: error: credproc/__init__.py: no __version__")
    return Project(version[1], about["summary"], urls["Homepage"], about["author_email"])
