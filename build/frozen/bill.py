"""The bill of materials: which distributions and libraries the files of the frozen directory come from.

It is read from the directory, not from the list of what was installed: a distribution is in it because files of it are,
and a file that comes from nowhere is an error.
"""

import hashlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import ssl
import subprocess
import sys
import sysconfig
import time
import uuid
from collections.abc import Iterator
from importlib.metadata import Distribution
from typing import Any
from urllib.parse import quote
from xml.parsers import expat

import authorities
from botocore.httpsession import get_cert_path

_NAMESPACE = uuid.UUID("3d1c1f0e-6f0b-5a0c-9d0b-6a5f3f1d6c11")  # of this project's bills
_LIBRARY = re.compile(r"(?:lib)?([A-Za-z0-9_+-]+?)[-0-9.]*\.(?:so|dylib|dll)\b.*")
_PYTHON_LIBRARY = re.compile(r"(?:lib)?python3.*|Python|api-ms-win-.*|ucrtbase.*|vcruntime.*")


def distributions(directory: str) -> tuple[list[Distribution], list[str]]:
    """Return the distributions that the files come from, by name, and the shared libraries that belong to none.

    Raises SystemExit for a file of unknown origin.
    """
    found: dict[str, Distribution] = {}
    libraries, strangers = [], []
    owners = _owners()
    for path in _inside(directory):
        owner = owners.get(_source(path))
        if owner is not None:
            found[owner.metadata["Name"].lower()] = owner
        elif _of_python(path) or path.startswith("credproc/"):
            continue
        elif _LIBRARY.fullmatch(os.path.basename(path)):
            libraries.append(path)
        else:
            strangers.append(path)
    if strangers:
        sys.exit(f"freeze: error: files that no distribution owns: {', '.join(strangers)}")
    return [found[name] for name in sorted(found)], sorted(libraries)


def licences(directory: str, root: str) -> Iterator[tuple[str, str]]:
    """Yield name of the distribution and path of each licence file that must lie in the archive, ours first."""
    yield "credproc", os.path.join(root, "LICENSE")
    for distribution in [*distributions(directory)[0], importlib.metadata.distribution("pyinstaller")]:
        for file in distribution.files or ():
            name = file.name.upper()
            in_metadata = ".dist-info" in str(file)
            if in_metadata and name.startswith(("LICENSE", "LICENCE", "COPYING", "NOTICE", "AUTHORS")):
                yield distribution.metadata["Name"].lower(), str(distribution.locate_file(file))
    for place in (sysconfig.get_path("stdlib"), sys.base_prefix, os.path.join(sys.base_prefix, "share", "doc")):
        if os.path.exists(os.path.join(place, "LICENSE.txt")):
            yield "python", os.path.join(place, "LICENSE.txt")
            break

    for library in distributions(directory)[1]:
        package = _package_of(library)
        if package and os.path.exists(f"/usr/share/doc/{package[0]}/copyright"):
            yield package[0], f"/usr/share/doc/{package[0]}/copyright"


def write(directory: str, path: str, version: str, epoch: int) -> None:
    """Write the bill as CycloneDX 1.6 JSON."""
    found, libraries = distributions(directory)
    components = [_component(distribution) for distribution in found]
    components.append(_python())
    components.append(_component(importlib.metadata.distribution("pyinstaller"), "the program that starts Python"))
    components += [_library(directory, library) for library in libraries]
    if not any(component["name"] == "expat" for component in components):
        components.append(_expat())
    components.sort(key=lambda component: (component["name"], component["bom-ref"]))
    content = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch)),
            "component": {
                "type": "application",
                "bom-ref": "credproc",
                "name": "credproc",
                "version": version,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            },
        },
        "components": components,
        "dependencies": [{"ref": "credproc", "dependsOn": [component["bom-ref"] for component in components]}],
    }
    content["serialNumber"] = f"urn:uuid:{uuid.uuid5(_NAMESPACE, json.dumps(content, sort_keys=True))}"
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        json.dump(content, file, indent=2, sort_keys=True)
        file.write("\n")


def _component(distribution: Distribution, description: str | None = None) -> dict[str, Any]:
    metadata = distribution.metadata.json
    name = re.sub(r"[-_.]+", "-", distribution.metadata["Name"]).lower()
    reference = f"pkg:pypi/{name}@{distribution.version}"
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": reference,
        "name": name,
        "version": distribution.version,
        "purl": reference,
    }
    said = str(metadata.get("license_expression") or metadata.get("license") or "")
    if said and "\n" not in said:
        kind = "expression" if metadata.get("license_expression") else "license"
        component["licenses"] = [{"expression": said} if kind == "expression" else {"license": {"name": said}}]
    if description:
        component["description"] = description
    return component


def _python() -> dict[str, Any]:
    version = platform.python_version()
    return {
        "type": "framework",
        "bom-ref": f"pkg:generic/cpython@{version}",
        "name": "cpython",
        "version": version,
        "purl": f"pkg:generic/cpython@{version}",
        "licenses": [{"license": {"id": "Python-2.0"}}],
    }


def _expat() -> dict[str, Any]:
    """Return the parser of XML that is built into the interpreter, where it is no library of the system."""
    version = expat.EXPAT_VERSION.removeprefix("expat_")
    return {
        "type": "library",
        "bom-ref": f"pkg:generic/expat@{version}",
        "name": "expat",
        "version": version,
        "purl": f"pkg:generic/expat@{version}",
        "description": "built into cpython",
        "licenses": [{"license": {"id": "MIT"}}],
    }


def _library(directory: str, path: str) -> dict[str, Any]:
    """Return what is known of a shared library of the system: its hash, and the package that it is from."""
    with open(os.path.join(directory, "_internal", path), "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    matched = _LIBRARY.fullmatch(os.path.basename(path))
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": f"file:{path}",
        "name": matched[1] if matched else path,
        "description": path,
        "hashes": [{"alg": "SHA-256", "content": digest}],
    }
    package = _package_of(path)
    if package:
        component["version"] = package[1]
        component["purl"] = f"pkg:{package[2]}/{package[0]}@{quote(package[1], safe='')}"
    elif component["name"] in ("ssl", "crypto"):
        component["version"] = ssl.OPENSSL_VERSION.split()[1]
    return component


def _package_of(path: str) -> tuple[str, str, str] | None:
    """Return name, version and kind of the system's package with a library of this name; None where none is known."""
    name = os.path.basename(path)
    if shutil.which("dpkg-query"):
        owner = _said(["dpkg-query", "--search", f"*/{name}"]).split(":")[0]
        version = _said(["dpkg-query", "--show", "--showformat", "${Version}\n", owner]) if owner else ""
        return (owner, version.split("\n")[0], "deb/debian") if version else None
    if shutil.which("rpm"):
        said = _said(["rpm", "-q", "--qf", "%{NAME} %{VERSION}-%{RELEASE}\n", "--whatprovides", f"{name}()(64bit)"])
        fields = said.split("\n")[0].split(" ")
        return (fields[0], fields[1], "rpm") if len(fields) == 2 else None
    return None


def _said(command: list[str]) -> str:
    ran = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    return ran.stdout if ran.returncode == 0 else ""


def _owners() -> dict[str, Distribution]:
    """Return the distribution of each installed file, by its path below site-packages."""
    owners = {}
    for distribution in importlib.metadata.distributions():
        for file in distribution.files or ():
            owners[file.as_posix()] = distribution
    return owners


def _inside(directory: str) -> Iterator[str]:
    internal = os.path.join(directory, "_internal")
    for above, _, names in os.walk(internal):
        for name in names:
            yield os.path.relpath(os.path.join(above, name), internal).replace(os.sep, "/")


def _source(path: str) -> str:
    """Return the file that an installed distribution has in the place of the one in the directory."""
    if path.endswith(".pyc"):
        return path[:-1]
    if path.startswith(f"{authorities.DIRECTORY}/"):
        bundle = get_cert_path(verify=True) or ""
        return "/".join(bundle.replace(os.sep, "/").split("/")[-2:])
    if path.startswith("botocore/data/") and path.count("/") == 4 and not path.endswith(("examples-1.json",)):
        packed = path.endswith(("service-2.json", "endpoint-rule-set-1.json"))
        return f"{path}.gz" if packed else path
    return path


def _of_python(path: str) -> bool:
    """Whether it is a module of the standard library, or the interpreter itself."""
    name = os.path.basename(path)
    if _PYTHON_LIBRARY.fullmatch(name) or "/lib-dynload/" in path:
        return True
    module = path.partition("/")[0].partition(".")[0]
    return module in sys.stdlib_module_names
