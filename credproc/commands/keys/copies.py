"""Copies of a secret that was removed from an AWS file: found by its bytes, in the files beside the AWS files."""

import os
import stat
from collections.abc import Iterator, Mapping

from credproc import paths
from credproc.commands.keys.config import both_files
from credproc.config import writer
from credproc.config.files import line_of
from credproc.errors import ConfigError, inert

_SIZE_LIMIT = 8 * 1024 * 1024  # bytes, as for the AWS files


def copies_of(secret: str, environ: Mapping[str, str]) -> list[str]:
    """Return a sentence for each line that contains the secret, and for each file that cannot be searched.

    All files are searched that are directly in a directory of the two AWS files, themselves included: other profiles,
    commented lines, backups, what editors and interrupted runs leave. They are the user's and are not changed. Raises
    ConfigError if there is no home directory.
    """
    found: list[str] = []
    for path in _files(environ):
        shown = inert(paths.shown(path, environ))
        try:
            if os.stat(path).st_size > _SIZE_LIMIT:
                found.append(f"{shown} was not searched for the secret, as it is larger than 8 MiB")
                continue
            data = writer.read(path, shown).data
        except (ConfigError, OSError):
            found.append(f"{shown} could not be searched for the secret")
            continue
        found += [f"{shown}:{line} still contains the secret" for line in _lines_with(secret.encode(), data)]
    return found


def _files(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield each regular file beside the two AWS files, and beside what they link to, once."""
    files = both_files(environ)
    directories = [os.path.dirname(path) for path in (*files, *map(os.path.realpath, files))]
    seen: set[tuple[int, int]] = set()
    for directory in dict.fromkeys(directories):
        try:
            names = sorted(os.listdir(directory))
        except FileNotFoundError:
            continue
        except OSError:
            yield directory  # which cannot be searched
            continue
        for name in names:
            path = os.path.join(directory, name)
            try:
                status = os.stat(path)
            except OSError:  # a link to nothing, or a file that has just gone
                continue
            if stat.S_ISREG(status.st_mode) and (status.st_dev, status.st_ino) not in seen:
                seen.add((status.st_dev, status.st_ino))
                yield path


def _lines_with(secret: bytes, data: bytes) -> Iterator[int]:
    """Yield the number of each line that contains the secret."""
    position = data.find(secret)
    while position >= 0:
        yield line_of(data, position)
        position = data.find(secret, position + 1)
