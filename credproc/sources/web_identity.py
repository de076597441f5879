"""The token file of a web identity, which Kubernetes or another platform renews."""

import os

from credproc.errors import SourceError
from credproc.plan.source import Source

_TOKEN_LIMIT = 64 * 1024  # bytes of a web identity token file


def read_token(source: Source) -> str:
    """Return the token in the source's file, without white space around it. Raises SourceError."""
    path = os.path.expanduser(source.field("token_file"))
    try:
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
        with os.fdopen(fd, "rb") as file:
            data = file.read(_TOKEN_LIMIT + 1) or b""
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise SourceError(
            f"{path}: cannot read the web identity token: {reason}", f"check {_token_setting(source)}"
        ) from None
    token = data.decode("ascii", "replace").strip()
    if not token or len(data) > _TOKEN_LIMIT or not token.isprintable() or not token.isascii():
        raise SourceError(f"{path}: does not hold a web identity token", f"check {_token_setting(source)}")
    return token


def _token_setting(source: Source) -> str:
    return "AWS_WEB_IDENTITY_TOKEN_FILE" if source.profile is None else f"web_identity_token_file ({source.where})"
