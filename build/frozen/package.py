"""From the frozen directory: archive, Debian package, bill of materials, checksums and the package managers' files.

The wheel and the source distribution are made beside them, in python/.

Run by build/freeze with the interpreter and the dependencies that the directory was made of. What is written depends on
the directory's files, the lock file and SOURCE_DATE_EPOCH, on no clock, owner, umask or order of a file system.
"""

import argparse
import gzip
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from time import gmtime

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.append(os.path.join(ROOT, "build", "backend"))
sys.path.append(ROOT)  # behind an installed credproc, which is the one that tests mean

import backend  # noqa: E402 - found by the lines above
import bill  # noqa: E402 - beside this file, as the others
import manifests  # noqa: E402
import manual  # noqa: E402
import project  # noqa: E402
import search_paths  # noqa: E402

from credproc.commands.completion import script  # noqa: E402

DIST = os.path.join(ROOT, "build", "dist")
DEBIAN_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
COMPLETIONS = {"bash": "credproc.bash", "zsh": "_credproc", "fish": "credproc.fish", "powershell": "credproc.ps1"}
_GLIBC = re.compile(rb"\0GLIBC_2\.(\d+)(?=[\0.])")

CONTROL = """\
Package: credproc
Version: {version}
Architecture: {architecture}
Maintainer: {maintainer}
Installed-Size: {size}
Depends: libc6 (>= 2.{glibc})
Section: utils
Priority: optional
Homepage: {homepage}
Description: {summary}
 Resolves role profiles of ~/.aws/config as the AWS CLI does, and answers AWS SDKs
 and tools from a cache in a few milliseconds.
"""

# Before the package goes: which lines still start credproc. dpkg runs it as root; the file is read as its user.
PRERM = """\
#!/bin/sh
[ "$1" = remove ] || exit 0
user=${SUDO_USER:-root}
config=$(getent passwd "$user" | cut -d : -f 6)/.aws/config
starts='^[[:space:]]*credential_process.*[/[:space:]="]credproc"?[[:space:]]'
lines=$(runuser -u "$user" -- grep -nE "$starts" "$config" 2>/dev/null | cut -d : -f 1 | paste -s -d ' ')
if [ -n "$lines" ]; then
  echo "credproc: warning: $config still starts credproc, in these lines: $lines" >&2
  echo "credproc: hint: to take that back, install credproc again and run credproc setup --undo --all" >&2
fi
"""


def system() -> str:
    """Return the platform as it stands in the archive's name: linux-x86_64, macos-arm64, windows-amd64."""
    name = {"darwin": "macos", "win32": "windows"}.get(sys.platform, sys.platform)
    return f"{name}-{platform.machine().lower()}"


def paths_below(directory: str) -> Iterator[str]:
    """Yield what the directory holds, as paths relative to it, each directory before what is in it, sorted."""
    for above, directories, names in os.walk(directory):
        directories.sort()
        for name in sorted([*directories, *names]):
            yield os.path.relpath(os.path.join(above, name), directory)


def settle(directory: str, epoch: int) -> None:
    """Give all in the directory the same time, and a mode that says nothing but whether it can be run."""
    executable = {os.path.join(directory, "credproc"), os.path.join(directory, "credproc.exe")}
    for path in [directory, *(os.path.join(directory, path) for path in paths_below(directory))]:
        if not os.path.islink(path):
            os.chmod(path, 0o755 if os.path.isdir(path) or path in executable else 0o644)
        os.utime(path, (epoch, epoch), follow_symlinks=os.utime not in os.supports_follow_symlinks)


def add_papers(directory: str, version: str, epoch: int) -> None:
    """Put licences, man page and completions into the directory."""
    licences = os.path.join(directory, "licenses")
    shutil.rmtree(licences, ignore_errors=True)
    for name, path in bill.licences(directory, ROOT):
        os.makedirs(os.path.join(licences, name), exist_ok=True)
        shutil.copyfile(path, os.path.join(licences, name, os.path.basename(path)))
    manual.write(os.path.join(directory, "credproc.1"), version, epoch)
    write_completions(os.path.join(directory, "completions"))


def write_completions(directory: str) -> None:
    """Write the completions of all shells into the directory, under the names that these look for."""
    os.makedirs(directory, exist_ok=True)
    for shell, name in COMPLETIONS.items():
        with open(os.path.join(directory, name), "w", encoding="ascii", newline="\n") as file:
            file.write(script(shell))


def write_archive(directory: str, path: str, epoch: int) -> None:
    """Write the directory into a tar.gz, or a zip where the name says so, under its own name."""
    if path.endswith(".zip"):
        _write_zip(directory, path, epoch)
        return
    top = os.path.basename(directory)

    def plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
        info.uid = info.gid = 0
        info.uname = info.gname = "root"
        info.mtime = epoch
        return info

    with (
        open(path, "wb") as file,
        gzip.GzipFile("", "wb", 9, file, mtime=epoch) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archive,
    ):
        archive.add(directory, top, recursive=False, filter=plain)
        for inside in paths_below(directory):
            archive.add(os.path.join(directory, inside), f"{top}/{inside}", recursive=False, filter=plain)


def _write_zip(directory: str, path: str, epoch: int) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for inside in paths_below(directory):
            full = os.path.join(directory, inside)
            if os.path.isfile(full):
                name = f"{os.path.basename(directory)}/{inside}".replace(os.sep, "/")
                with open(full, "rb") as file:
                    archive.writestr(zipfile.ZipInfo(name, gmtime(epoch)[:6]), file.read(), zipfile.ZIP_DEFLATED, 9)


def glibc_wanted(directory: str) -> int:
    """Return the minor version of the oldest glibc 2 that has all that the binaries ask for."""
    wanted = 0
    for inside in paths_below(directory):
        full = os.path.join(directory, inside)
        if os.path.isfile(full) and not inside.endswith((".pyc", ".json", ".pem")):
            with open(full, "rb") as file:
                content = file.read()
            if content.startswith(b"\x7fELF"):
                wanted = max([wanted, *(int(minor) for minor in _GLIBC.findall(content))])
    return wanted


def write_deb(directory: str, path: str, epoch: int) -> None:
    """Write the Debian package: the directory under /opt, a link to it, man page and completions in their places."""
    with tempfile.TemporaryDirectory(dir=os.path.dirname(directory)) as root:
        os.chmod(root, 0o755)  # noqa: S103 - it becomes /
        opt = os.path.join(root, "opt", "credproc")
        shutil.copytree(directory, opt, symlinks=True)
        links = os.path.join(root, "usr", "bin")
        os.makedirs(links)
        os.symlink("/opt/credproc/credproc", os.path.join(links, "credproc"))
        documents = os.path.join(root, "usr", "share", "doc", "credproc")
        os.makedirs(documents)
        shutil.copyfile(os.path.join(ROOT, "LICENSE"), os.path.join(documents, "copyright"))
        manual = os.path.join(root, "usr", "share", "man", "man1")
        os.makedirs(manual)
        with (
            open(os.path.join(opt, "credproc.1"), "rb") as page,
            open(os.path.join(manual, "credproc.1.gz"), "wb") as file,
            gzip.GzipFile("", "wb", 9, file, mtime=0) as packed,
        ):
            shutil.copyfileobj(page, packed)
        _place_completions(os.path.join(root, "usr", "share"))
        settle(root, epoch)
        os.chmod(os.path.join(opt, "credproc"), 0o755)  # noqa: S103 - a program for all
        _write_control(root, directory, epoch)
        # One thread: xz cuts its blocks by their number
        environ = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch), "DPKG_DEB_THREADS_MAX": "1"}
        command = ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", root, path]
        subprocess.run(command, env=environ, check=True, stdout=subprocess.DEVNULL)


def _place_completions(share: str) -> None:
    """Link each shell's completion from where the shell looks for it; PowerShell looks nowhere."""
    for shell, place in backend.COMPLETIONS.items():
        link = os.path.join(os.path.dirname(share), place.replace("site-functions", "vendor-completions"))  # Debian's
        os.makedirs(os.path.dirname(link), exist_ok=True)
        os.symlink(f"/opt/credproc/completions/{COMPLETIONS[shell]}", link)


def _write_control(root: str, directory: str, epoch: int) -> None:
    files = [path for path in paths_below(root) if os.path.isfile(os.path.join(root, path))]
    files = [path for path in files if not os.path.islink(os.path.join(root, path))]
    sums = {path: _digest(os.path.join(root, path), "md5") for path in files}
    size = sum((os.path.getsize(os.path.join(root, path)) + 1023) // 1024 for path in files)
    control = os.path.join(root, "DEBIAN")
    os.mkdir(control)
    about = project.read(ROOT)
    fields = {
        **about._asdict(),
        "architecture": DEBIAN_MACHINES.get(platform.machine(), platform.machine()),
        "size": size,
        "glibc": glibc_wanted(directory),
    }
    with open(os.path.join(control, "control"), "w", encoding="utf-8") as file:
        file.write(CONTROL.format_map(fields))
    with open(os.path.join(control, "prerm"), "w", encoding="utf-8") as file:
        file.write(PRERM)
    with open(os.path.join(control, "md5sums"), "w", encoding="utf-8") as file:
        file.writelines(f"{digest}  {path}\n" for path, digest in sums.items())
    settle(control, epoch)
    os.chmod(os.path.join(control, "prerm"), 0o755)  # noqa: S103 - dpkg runs it


def write_python_packages(directory: str) -> list[str]:
    """Write the wheel and the source distribution into the new directory; return their paths relative to DIST."""
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    os.chdir(ROOT)  # where flit_core looks for pyproject.toml; it takes times from SOURCE_DATE_EPOCH
    names = (backend.build_wheel(directory), backend.build_sdist(directory))
    return [f"{os.path.basename(directory)}/{name}" for name in names]


def _digest(path: str, kind: str = "sha256") -> str:
    digest = hashlib.new(kind, usedforsecurity=False)
    with open(path, "rb") as file:
        digest.update(file.read())
    return digest.hexdigest()


def main() -> None:
    """Write all that belongs beside the frozen directory."""
    parser = argparse.ArgumentParser(prog="package.py", description=__doc__)
    parser.add_argument("--releases", metavar="URL", help="where the archives will lie, for the manifests")
    parser.add_argument("--dist", metavar="DIRECTORY", default=DIST, help="where the frozen directory lies")
    options = parser.parse_args()
    epoch, dist = int(os.environ["SOURCE_DATE_EPOCH"]), options.dist
    directory = os.path.join(dist, "credproc")
    version = project.read(ROOT).version
    name = f"credproc-{version}-{system()}"
    for old in os.listdir(dist):
        if old.startswith((name, "credproc_")) or old == "SHA256SUMS":
            os.unlink(os.path.join(dist, old))
    search_paths.confine(directory)
    add_papers(directory, version, epoch)
    settle(directory, epoch)
    made = [f"{name}.zip" if sys.platform == "win32" else f"{name}.tar.gz"]
    write_archive(directory, os.path.join(dist, made[0]), epoch)
    if shutil.which("dpkg-deb"):
        made.append(f"credproc_{version}_{DEBIAN_MACHINES.get(platform.machine(), platform.machine())}.deb")
        write_deb(directory, os.path.join(dist, made[-1]), epoch)
    made.append(f"{name}.cdx.json")
    bill.write(directory, os.path.join(dist, made[-1]), version, epoch)
    made += write_python_packages(os.path.join(dist, "python"))
    made += manifests.write(dist, version, options.releases)
    with open(os.path.join(dist, "SHA256SUMS"), "w", encoding="ascii", newline="\n") as file:
        file.writelines(f"{_digest(os.path.join(dist, path))}  {path}\n" for path in sorted(made))
    shown = os.path.relpath(dist, ROOT).replace(os.sep, "/")
    for path in sorted(made):
        print(f"{shown}/{path}  {os.path.getsize(os.path.join(dist, path)) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
