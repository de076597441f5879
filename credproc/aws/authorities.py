"""Whose certificates are trusted: those that boto3 would trust, found without importing it.

In this order, as botocore looks (``Session.create_client``, ``EndpointCreator``): AWS_CA_BUNDLE, ``ca_bundle`` of the
profile, REQUESTS_CA_BUNDLE, and else certifi's bundle, or botocore's own where there is no certifi. SSL_CERT_FILE is
ignored, as it is by boto3. The frozen program holds the same certificates in a directory by the hashes of their
names: OpenSSL then parses the one that it needs and not 126, which takes 20 ms of processor time.
"""

import os
import ssl
import sys
from collections.abc import Mapping
from importlib.machinery import PathFinder
from typing import NamedTuple

from credproc.config.shared_config import Section
from credproc.errors import ConfigError

HASHED = "authorities"  # the frozen program's directory; build/frozen/authorities.py makes it
_HINT = "name a file of certificates in PEM form, or remove the setting: AWS's own certificates need none"


class Authorities(NamedTuple):
    """The certificate authorities that are trusted."""

    path: str  # of a file in PEM form, or of a directory by hashes
    where: str | None = None  # the variable, or file and line, that names it; None: nobody does

    def check(self) -> None:
        """Raise ConfigError if a setting names some that cannot be loaded: what urllib3 raises does not say which."""
        if self.where is not None:
            self.load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))

    def load(self, context: ssl.SSLContext) -> None:
        """Have the context trust these. Raises ConfigError if there are none."""
        where = "certificate authorities" if self.where is None else self.where
        if self.where is not None and os.path.exists(self.path) and not os.path.isfile(self.path):
            raise ConfigError(f"{where}: {self.path}: is not a regular file", _HINT)  # OpenSSL would wait at a FIFO
        try:
            if self.where is None and os.path.isdir(self.path):
                context.load_verify_locations(capath=self.path)
            else:
                context.load_verify_locations(cafile=self.path)
        except ssl.SSLError:
            raise ConfigError(f"{where}: {self.path}: holds no certificates in PEM form", _HINT) from None
        except (OSError, ValueError) as error:  # ValueError: a path that cannot be one
            reason = (getattr(error, "strerror", None) or "cannot be read").lower()
            raise ConfigError(f"{where}: {self.path}: {reason}", _HINT) from None


def authorities_for(section: Section | None, environ: Mapping[str, str]) -> Authorities:
    """Return what the environment, the profile or else the installation names.

    Raises ConfigError if it is empty, or refused in the profile's file.
    """
    if "AWS_CA_BUNDLE" in environ:
        found = Authorities(environ["AWS_CA_BUNDLE"], "AWS_CA_BUNDLE")
    elif section is not None and (setting := section.setting("ca_bundle")) is not None:
        found = Authorities(setting.value, setting.where)
    elif "REQUESTS_CA_BUNDLE" in environ:
        found = Authorities(environ["REQUESTS_CA_BUNDLE"], "REQUESTS_CA_BUNDLE")
    else:
        return Authorities(default_path())
    if not found.path.strip():
        raise ConfigError(f"{found.where}: names no CA bundle: it is empty", _HINT)
    return found


def default_path() -> str:
    """Return the path of those that count where none are named."""
    inside = getattr(sys, "_MEIPASS", None)
    if inside is not None and os.path.isdir(os.path.join(inside, HASHED)):
        return os.path.join(inside, HASHED)
    # Not by import: certifi's takes 10 ms, botocore's 100
    certifi = _beside("certifi")
    if certifi is not None and os.path.exists(certifi):
        return certifi
    if certifi is not None:  # a system's own, which leads to the system's certificates
        import certifi as system  # noqa: PLC0415

        return system.where()
    return _beside("botocore") or ""


def _beside(package: str) -> str | None:
    """Return where an installed package has its bundle, if it has one; None: the package is not installed."""
    spec = PathFinder.find_spec(package)
    places = None if spec is None else spec.submodule_search_locations
    return os.path.join(next(iter(places)), "cacert.pem") if places else None
