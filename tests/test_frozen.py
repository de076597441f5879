"""The frozen program and what it is given away in; build/test --frozen makes them and runs this."""

import contextlib
import gzip
import hashlib
import json
import lzma
import os
import re
import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.built import authorities, package
from tests.loopback import Ca, Server, passing_on, tls
from tests.program import FROZEN, PROGRAM, ROLE, Home, role_home
from tests.sts import Sts, Trust

if not FROZEN:
    pytest.skip("CREDPROC_TEST_PROGRAM names no frozen program: build/test --frozen", allow_module_level=True)

ROOT = Path(__file__).parent.parent
DIST = ROOT / "build" / "dist"
INSIDE = Path(PROGRAM).parent / "_internal"
MADE_WITH = ROOT / "build" / "work" / "freeze" / "bin"  # the interpreter and PyInstaller
MEGABYTE = 1_000_000
NOBODY = 65534


@pytest.fixture(name="sts", scope="module")
def _sts() -> Iterator[Sts]:
    with Sts() as sts:
        user = sts.user("user1")
        sts.role(ROLE, Trust((user.arn,)))
        yield sts


@pytest.fixture(name="home_of_admin")
def _home_of_admin(sts: Sts, tmp_path: Path) -> Home:
    return role_home(tmp_path / "home", sts, sts.user("user1"))


@pytest.fixture(name="warm", scope="module")
def _warm(sts: Sts, tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = role_home(tmp_path_factory.mktemp("warm") / "home", sts, sts.user("user1"))
    home.settle()
    assert home.run("--profile", "admin").document["Version"] == 1
    return home


def _archive() -> Path:
    (found,) = DIST.glob("credproc-*.tar.gz")
    return found


def _run(command: list[str], environ: dict[str, str], **options: Any) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **options
    )


def _opened(home: Home, tmp_path: Path, *arguments: str, status: int = 0) -> list[str]:
    """Return what of the program's own directory a run opens, relative to _internal; it has no terminal."""
    strace = shutil.which("strace")
    assert strace is not None, "build/test installs strace"
    trace = tmp_path / "trace"
    command = [strace, "-f", "-e", "trace=open,openat", "-o", str(trace), PROGRAM, *arguments]
    assert _run(["setsid", "--wait", *command], home.environ).returncode == status
    found = re.findall(rf'"{re.escape(str(INSIDE))}/([^"]+)"[^\n]* = \d+\n', trace.read_text())
    return [path for path in found if path.endswith((".pyc", ".so"))]


# --- where it may lie, and who may run it ------------------------------------------------------------------------


@pytest.fixture(name="unpacked", scope="module")
def _unpacked() -> Iterator[Path]:
    """Yield the program, unpacked from the archive where others may read, in a path that is not plain."""
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)  # noqa: S103 - another user must get there
        place = Path(directory) / "päth with späces ☃"
        place.mkdir(0o755)
        with tarfile.open(_archive()) as archive:
            archive.extractall(place, filter="data")
        for path in [place, *place.rglob("*")]:
            path.chmod(path.stat().st_mode & ~0o222)
        yield place / "credproc" / "credproc"
        for path in [place, *(path for path in place.rglob("*") if path.is_dir())]:
            path.chmod(0o755)


def test_it_runs_from_any_path_through_a_link_and_from_a_directory_that_cannot_be_written(
    unpacked: Path, home_of_admin: Home, sts: Sts, tmp_path: Path
) -> None:
    link = tmp_path / "bin" / "credproc"
    link.parent.mkdir()
    link.symlink_to(unpacked)
    before = sorted(str(path) for path in unpacked.parent.rglob("*"))
    calls = sts.count()
    for program in (unpacked, link):
        home_of_admin.run("clear", "--all")
        ran = _run([str(program), "--profile", "admin"], home_of_admin.environ, cwd="/")
        assert (ran.returncode, ran.stderr) == (0, "")
        assert json.loads(ran.stdout)["Version"] == 1
    ran = _run(["credproc", "--version"], {**home_of_admin.environ, "PATH": str(link.parent)}, cwd=link.parent)
    assert ran.stdout.startswith("credproc ")
    assert sts.count() == calls + 2
    assert sorted(str(path) for path in unpacked.parent.rglob("*")) == before


@pytest.mark.root("becomes somebody else")
def test_another_user_runs_it(unpacked: Path, sts: Sts) -> None:
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)  # noqa: S103 - another user must get there
        home = role_home(Path(directory) / "home", sts, sts.user("user1"))
        for path in [home.path, *home.path.rglob("*")]:
            os.chown(path, NOBODY, NOBODY)
        ran = _run([str(unpacked), "--profile", "admin"], home.environ, cwd="/", user=NOBODY, group=NOBODY)
        assert (ran.returncode, ran.stderr) == (0, "")
        assert json.loads(ran.stdout)["Version"] == 1
        assert home.cache.stat().st_uid == NOBODY


@pytest.mark.root("becomes somebody else, who cannot read everything")
@pytest.mark.parametrize("file", ["credproc/cli.pyc", "credproc/plan/__init__.pyc", "credproc/aws/client.pyc"])
def test_a_file_of_its_own_that_cannot_be_read_is_one_line(unpacked: Path, sts: Sts, file: str) -> None:
    broken = unpacked.parent / "_internal" / file
    mode = broken.stat().st_mode
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)  # noqa: S103 - another user must get there
        home = role_home(Path(directory) / "home", sts, sts.user("user1"))
        for path in [home.path, *home.path.rglob("*")]:
            os.chown(path, NOBODY, NOBODY)
        broken.chmod(0)
        try:
            ran = _run([str(unpacked), "--profile", "admin"], home.environ, cwd="/", user=NOBODY, group=NOBODY)
        finally:
            broken.chmod(mode)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert [line for line in ran.stderr.splitlines() if not line.startswith("credproc: hint: ")] == [
        line for line in ran.stderr.splitlines() if line.startswith("credproc: error: ")
    ]
    assert "Traceback" not in ran.stderr


# --- what must not reach it --------------------------------------------------------------------------------------


@pytest.mark.parametrize("warm_or_not", ["a hit", "a refresh"])
def test_planted_modules_are_not_imported(home_of_admin: Home, warm: Home, tmp_path: Path, warm_or_not: str) -> None:
    planted = tmp_path / "planted"
    canary = tmp_path / "canary"
    names = ["json.py", "socket.py", "os.py", "sitecustomize.py", "usercustomize.py", "encodings.py"]
    names += [f"{package}/__init__.py" for package in ("botocore", "credproc", "keyring", "urllib3", "zlib")]
    # CVE-2025-59042: a directory of this name stood on the module path
    names += [f"{place}/{name}" for place in ("credproc?0", "credproc?94264", "base_library.zip") for name in names]
    for name in names:
        path = planted / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"open({str(canary)!r}, 'a').write(__name__ + ' ')\n")
    home = warm if warm_or_not == "a hit" else home_of_admin
    environ = {"PYTHONPATH": str(planted), "PYTHONHOME": str(planted), "PYTHONUSERBASE": str(planted)}
    assert home.run("--profile", "admin", environ=environ, cwd=planted).document["Version"] == 1
    assert not canary.exists()


def test_a_directory_planted_beside_the_link_is_not_imported(warm: Home, tmp_path: Path) -> None:
    """CVE-2025-59042, where it was found: beside the program's own name."""
    link = tmp_path / "credproc"
    link.symlink_to(PROGRAM)
    for place in ("_internal", "credproc?0", "base_library.zip"):
        (tmp_path / place).mkdir()
        for name in ("os.py", "struct.py", "zlib.py", "credproc.py", "pyimod02_importers.py"):
            (tmp_path / place / name).write_text(f"open({str(tmp_path / 'canary')!r}, 'a')\n")
    assert _run([str(link), "--profile", "admin"], warm.environ, cwd=tmp_path).returncode == 0
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize(
    "variable",
    [
        "PYTHONFAULTHANDLER=1",
        "PYTHONDEVMODE=1",
        "PYTHONINSPECT=1",
        "PYTHONSTARTUP=/dev/zero",
        "PYTHONBREAKPOINT=os.abort",
        "PYTHONHASHSEED=nonsense",
        "PYTHONHOME=/nonexistent",
        "PYTHONPATH=/nonexistent",
        "PYTHONVERBOSE=1",
        "PYTHONUTF8=0",
        "PYTHONUTF8=nonsense",
        "PYTHONIOENCODING=utf-16",
        "PYTHONWARNINGS=error",
        "PYTHONMALLOC=debug",
        "PYTHONPROFILEIMPORTTIME=1",
        "PYTHONOPTIMIZE=0",
        "PYTHONTRACEMALLOC=10",
        "PYTHONPLATLIBDIR=/nonexistent",
        "PYTHONUNBUFFERED=1",
    ],
)
def test_a_variable_of_python_changes_nothing(warm: Home, variable: str) -> None:
    name, _, value = variable.partition("=")
    expected = warm.run("--profile", "admin")
    assert warm.run("--profile", "admin", environ={name: value}) == expected
    assert warm.run("--profile", "none", environ={name: value}) == warm.run("--profile", "none")


CONFIG_IN_UTF_8 = (
    "[profile p]\nrole_arn = ärn☃\nsource_profile = q\n[profile q]\naws_access_key_id = A\naws_secret_access_key = s\n"
)


@pytest.mark.parametrize("locale", ["C", "POSIX", "de_DE.ISO-8859-1", "C.UTF-8", ""])
def test_messages_are_utf_8_or_plain_ascii_whatever_the_locale(tmp_path: Path, locale: str) -> None:
    home = Home(tmp_path / "höme ☃")
    (home.path / ".aws" / "config").write_bytes(CONFIG_IN_UTF_8.encode())
    environ = {"LC_ALL": locale, "LANG": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [PROGRAM, "--profile", "p"]
    ran = subprocess.run(
        command, env=home.environ | environ, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    assert (ran.returncode, ran.stdout) == (1, b"")
    assert ran.stderr.startswith(b"credproc: error: ~/.aws/config:2: role_arn ")
    shown = "ärn☃".encode() if locale == "C.UTF-8" else rb"\xe4rn\u2603"
    assert shown in ran.stderr.splitlines()[0]


def test_no_library_looks_for_others_outside_of_the_program() -> None:
    """A path of the build machine in one of them is searched before /lib, and may be anybody's where this runs."""
    readelf = shutil.which("readelf")
    assert readelf is not None, "build/freeze installs binutils"
    libraries = 0
    for path in Path(PROGRAM).parent.rglob("*"):
        if path.is_symlink() or not path.is_file() or path.read_bytes()[:4] != b"\x7fELF":
            continue
        libraries += 1
        section = _run([readelf, "--dynamic", "--wide", str(path)], {"LC_ALL": "C"}).stdout
        searched = re.findall(r"\((?:RPATH|RUNPATH)\).*\[(.*)\]", section)
        assert all(place.startswith("$ORIGIN") for each in searched for place in each.split(":")), path
        assert not [name for name in re.findall(r"\(NEEDED\).*\[(.*)\]", section) if "/" in name], path
    assert libraries > 30


@pytest.mark.parametrize("warm_or_not", ["a hit", "a refresh", "a source of botocore's"])
def test_a_start_looks_for_no_file_of_the_build_machine(
    home_of_admin: Home, warm: Home, tmp_path: Path, warm_or_not: str
) -> None:
    strace = shutil.which("strace")
    assert strace is not None, "build/test installs strace"
    home = warm if warm_or_not == "a hit" else home_of_admin
    if warm_or_not == "a source of botocore's":
        home.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://127.0.0.1:9/"
        home.config(f"[profile admin]\nrole_arn = {ROLE}\ncredential_source = EcsContainer\n")
    trace = tmp_path / "trace"
    command = [strace, "-f", "-s", "4096", "-e", "trace=%file", "-o", str(trace), PROGRAM, "--profile", "admin"]
    status = _run(command, home.environ, cwd="/").returncode
    assert status == (1 if warm_or_not == "a source of botocore's" else 0)
    looked = set(re.findall(r'"(/[^"]*)"', trace.read_text()))
    assert str(INSIDE / "credproc" / "cli.pyc") in looked
    ask = "import sys, sysconfig as s; print(sys.prefix, sys.base_prefix, *map(s.get_config_var, ('LIBDIR', 'LIBPL')))"
    machines = {place for place in _ask(ask).split() if place != "/usr" and not place.startswith(("/lib", "/usr/lib"))}
    machines |= {str(ROOT / "build" / "work"), str(ROOT / "credproc")}
    found = {path for path in looked for place in machines if path == place or path.startswith(f"{place}/")}
    assert found == set()


# --- its children ------------------------------------------------------------------------------------------------

SHOW = """\
#!/bin/sh
env >{place}
echo '{{"Version":1,"AccessKeyId":"ASIA","SecretAccessKey":"b","SessionToken":"c","Expiration":"2099-01-01T00:00:00Z"}}'
"""


@pytest.mark.parametrize(
    "loaders",
    [
        {},
        {"LD_LIBRARY_PATH": "/usr/mine:/usr/yours"},
        {"LD_LIBRARY_PATH_ORIG": "/of/somebody/else"},
        {"LD_LIBRARY_PATH": "/a", "LD_PRELOAD": "", "PYINSTALLER_RESET_ENVIRONMENT": "1"},
    ],
)
def test_a_source_finds_the_environment_that_credproc_was_started_in(tmp_path: Path, loaders: dict[str, str]) -> None:
    home = Home(tmp_path / "home")
    program = tmp_path / "other"
    program.write_text(SHOW.format(place=tmp_path / "shown"))
    program.chmod(0o755)
    home.config(f"[profile other]\ncredential_process = {program}\n")
    assert home.run("--profile", "other", environ=loaders).document["AccessKeyId"] == "ASIA"
    shown = dict(line.split("=", 1) for line in (tmp_path / "shown").read_text().splitlines())
    chains = {"CREDPROC_PROFILE_CHAIN": "other", "_AWS_CLI_PROFILE_CHAIN": "other"}
    for name in ("PWD", "SHLVL", "_", "OLDPWD"):  # the shell's own
        shown.pop(name, None)
    loaders.pop("PYINSTALLER_RESET_ENVIRONMENT", None)  # is for the first frozen program, which takes it
    shown.pop("PYINSTALLER_RESET_ENVIRONMENT", None)
    assert shown == {**home.environ, **loaders, **chains}


@pytest.mark.parametrize("which", ["itself", "another copy"])
def test_a_frozen_credproc_is_the_source_of_a_frozen_credproc(
    home_of_admin: Home, sts: Sts, tmp_path: Path, which: str
) -> None:
    inner = Path(PROGRAM)
    if which == "another copy":
        shutil.copytree(inner.parent, tmp_path / "copy")
        inner = tmp_path / "copy" / "credproc"
    link = tmp_path / "helper"  # under another name: a line that starts credproc by its name is followed without one
    link.write_text(f'#!/bin/sh\nexec "{inner}" "$@"\n')
    link.chmod(0o755)
    config = home_of_admin.path / ".aws" / "config"
    home_of_admin.config(
        config.read_text() + f"[profile outer]\ncredential_process = {link} --profile middle\n"
        f"[profile middle]\ncredential_process = {link} --profile admin\n"
    )
    calls = sts.count()
    assert home_of_admin.run("--profile", "outer").document["AccountId"] == "123456789012"
    assert sts.count() == calls + 1
    assert len(home_of_admin.entries) == 1  # the role's; what a program prints is not stored


CALLER = """\
import os, subprocess, sys
assert os.environ["LD_LIBRARY_PATH"].startswith(sys._MEIPASS), "a frozen program, with what its loader sets"
sys.exit(subprocess.run(sys.argv[1:]).returncode)
"""


@pytest.fixture(name="caller", scope="module")
def _caller(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a program frozen by PyInstaller that passes its whole environment on, as a careless one does."""
    directory = tmp_path_factory.mktemp("caller")
    (directory / "caller.py").write_text(CALLER)
    command = [str(MADE_WITH / "pyinstaller"), "--onedir", "--log-level", "ERROR", "caller.py"]
    environ = {**os.environ, "PYINSTALLER_CONFIG_DIR": str(directory / "cache")}
    subprocess.run(command, cwd=directory, env=environ, check=True)
    return directory / "dist" / "caller" / "caller"


def test_a_frozen_caller_that_passes_its_loaders_variables_on_is_answered(
    caller: Path, home_of_admin: Home, warm: Home
) -> None:
    for home in (home_of_admin, warm):
        ran = _run([str(caller), PROGRAM, "--profile", "admin"], home.environ, cwd="/")
        assert (ran.returncode, ran.stderr) == (0, "")
        assert json.loads(ran.stdout)["Version"] == 1


def test_the_children_of_a_frozen_callers_credproc_find_what_the_caller_gave(caller: Path, tmp_path: Path) -> None:
    home = Home(tmp_path / "home", LD_LIBRARY_PATH="/usr/mine")
    program = tmp_path / "other"
    program.write_text(SHOW.format(place=tmp_path / "shown"))
    program.chmod(0o755)
    home.config(f"[profile other]\ncredential_process = {program}\n")
    assert _run([str(caller), PROGRAM, "--profile", "other"], home.environ, cwd="/").returncode == 0
    shown = dict(line.split("=", 1) for line in (tmp_path / "shown").read_text().splitlines())
    assert shown["LD_LIBRARY_PATH"] == f"{caller.parent}/_internal:/usr/mine"
    assert not any(name.startswith("_PYI") for name in shown)


# --- what is in it -----------------------------------------------------------------------------------------------

CASES = [
    (case["params"], case["expect"]["endpoint"]["url"].removeprefix("https://").rstrip("/"))
    for case in json.loads((Path(__file__).parent / "cases" / "sts-endpoints.json").read_text())["testCases"]
    if "endpoint" in case["expect"] and "Region" in case["params"] and "Endpoint" not in case["params"]
]


@pytest.fixture(name="proxy")
def _proxy() -> Iterator[tuple[str, list[str]]]:
    """Yield the URL of a proxy that connects nobody, and the list of hosts that it was asked for."""
    asked: list[str] = []

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), connection:
                asked.append(connection.recv(65536).split(b" ")[1].decode())
                connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@pytest.mark.parametrize(("given", "host"), CASES, ids=[f"{host}-{n}" for n, (_, host) in enumerate(CASES)])
def test_sts_is_found_with_the_data_that_is_left(
    tmp_path: Path, proxy: tuple[str, list[str]], given: dict[str, Any], host: str
) -> None:
    url, asked = proxy
    home = Home(tmp_path / "home", HTTPS_PROXY=url, AWS_MAX_ATTEMPTS="1")
    lines = ["[profile admin]", f"role_arn = {ROLE}", "source_profile = keys", f"region = {given['Region']}"]
    lines += ["use_fips_endpoint = true"] if given.get("UseFIPS") else []
    lines += ["use_dualstack_endpoint = true"] if given.get("UseDualStack") else []
    lines += ["sts_regional_endpoints = legacy"] if given.get("UseGlobalEndpoint") else []
    home.config("\n".join([*lines, "[profile keys]", "aws_access_key_id = AKIA", "aws_secret_access_key = s", ""]))
    ran = home.run("--profile", "admin")
    assert (ran.status, ran.stdout) == (1, "")
    assert set(asked) == {f"{host}:443"}, ran.stderr


@pytest.mark.parametrize(
    ("region", "host"), [("eu-west-1", "eu-west-1.amazonaws.com"), ("us-gov-west-1", "us-gov-west-1.amazonaws.com")]
)
def test_identity_center_is_found_with_the_data_that_is_left(
    tmp_path: Path, proxy: tuple[str, list[str]], region: str, host: str
) -> None:
    url, asked = proxy
    home = Home(tmp_path / "home", HTTPS_PROXY=url, AWS_MAX_ATTEMPTS="1")
    home.config(
        "[profile admin]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = admin\n"
        f"[sso-session corp]\nsso_region = {region}\nsso_start_url = https://corp.awsapps.com/start\n"
    )
    cache = home.path / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    for seconds, service in ((60, "oidc"), (8 * 3600, "portal.sso")):  # a token close to its end is renewed first
        token = {"accessToken": "t", "expiresAt": _moment(seconds), "registrationExpiresAt": _moment(86400)}
        token |= {"refreshToken": "r", "clientId": "c", "clientSecret": "s"}
        (cache / f"{hashlib.sha1(b'corp', usedforsecurity=False).hexdigest()}.json").write_text(json.dumps(token))
        assert home.run("--profile", "admin").status == 1
        assert set(asked) == {f"{service}.{host}:443"}
        asked.clear()


def _moment(seconds: float) -> str:
    """Return the time in so many seconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


# On the module path nothing but the program's files
LOADED = """\
import sys
sys.path[:] = [{inside!r}, {inside!r} + "/python{version}/lib-dynload"]
import importlib
for name in sys.argv[1:]:
    importlib.import_module(name)
"""


def _certificates(*paths: Path) -> set[bytes]:
    """Return what OpenSSL reads from these bundles."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for path in paths:
        context.load_verify_locations(path)
    return set(context.get_ca_certs(binary_form=True))


def test_it_trusts_whom_boto3_trusts_one_file_each() -> None:
    single = _certificates(*(INSIDE / "authorities").iterdir())
    assert single == _certificates(INSIDE / "botocore" / "cacert.pem") or (INSIDE / "certifi").exists()
    assert len(single) > 100


def test_it_trusts_by_the_directory_beside_it_and_reads_no_bundle(sts: Sts, tmp_path: Path) -> None:
    shutil.copytree(Path(PROGRAM).parent, tmp_path / "program", symlinks=True)
    inside = tmp_path / "program" / "_internal"
    ca = Ca(tmp_path)
    ((name, path, _),) = authorities.hashed(str(ca.path), str(tmp_path / "hashed"))
    home = role_home(tmp_path / "home", sts, sts.user("user1"))
    with Server(passing_on(sts.port), tls(ca.issue("sts", "127.0.0.1"))) as door:
        home.environ["AWS_ENDPOINT_URL_STS"] = f"https://127.0.0.1:{door.port}"
        command = [str(tmp_path / "program" / "credproc"), "--profile", "admin"]
        before = subprocess.run(command, env=home.environ, capture_output=True, text=True, check=False)
        assert "TLS: the endpoint's certificate is not trusted" in before.stderr
        shutil.copyfile(path, inside / name)
        trace = tmp_path / "trace"
        strace = ["strace", "-f", "-e", "trace=open,openat", "-o", str(trace)]
        done = subprocess.run([*strace, *command], env=home.environ, capture_output=True, text=True, check=False)
    assert '"Version":1' in done.stdout, done.stderr
    assert "cacert.pem" not in trace.read_text()


def test_keyrings_backends_are_inside_with_all_that_they_import() -> None:
    """Imported from the program's files alone, by the interpreter that it was made of."""
    version = "{}.{}".format(*json.loads(_ask("import sys; print(list(sys.version_info[:2]))")))
    backends = ["keyring.core", "keyring.backends.SecretService", "keyring.backends.kwallet"]
    # and what only their calls import
    calls = ["secretstorage", "secretstorage.dhcrypto", "jeepney.io.blocking", "cryptography.hazmat.primitives.ciphers"]
    code = LOADED.format(inside=str(INSIDE), version=version)
    ran = _run([str(MADE_WITH / "python"), "-I", "-S", "-c", code, *backends, *calls], {"PATH": os.defpath})
    assert ran.returncode == 0, ran.stderr


KEPT = """\
import importlib.machinery, importlib.util, re
loader = importlib.machinery.SourcelessFileLoader("re._kept", {path!r})
kept = importlib.util.module_from_spec(importlib.util.spec_from_loader("re._kept", loader))
loader.exec_module(kept)
for expression, flags in kept._COMPILED:
    assert kept.compile(expression, flags) == re.compile(expression, flags), expression
assert kept.compile("(?P<a>x)|y", 2).match("X")["a"] == "X"
print(len(kept._COMPILED))
"""


def test_the_expressions_that_are_kept_compiled_are_what_python_compiles() -> None:
    assert int(_ask(KEPT.format(path=str(INSIDE / "re" / "_compiler.pyc")))) > 20


def _ask(code: str) -> str:
    """Return what the interpreter that the program was made of says."""
    return subprocess.run([str(MADE_WITH / "python"), "-c", code], capture_output=True, text=True, check=True).stdout


def test_the_bill_of_materials_lists_every_distribution_that_is_inside() -> None:
    (path,) = DIST.glob("credproc-*.cdx.json")
    bill = json.loads(path.read_text())
    listed = {component["name"]: component.get("version") for component in bill["components"]}
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    ask = (
        "import importlib.metadata as m, json; print(json.dumps({k: v for k, v in m.packages_distributions().items()}))"
    )
    owners = json.loads(_ask(ask))
    inside = {path.name.split(".")[0] for path in INSIDE.iterdir()}
    expected = {re.sub(r"[-_.]+", "-", owners[name][0]).lower() for name in inside & set(owners)}
    assert {"botocore", "urllib3", "jmespath", "keyring"} <= expected
    assert expected <= set(listed)
    locked = dict(
        re.findall(r"^([a-z0-9-]+)==([^ ]+)", (ROOT / "build" / "requirements.lock").read_text(), re.MULTILINE)
    )
    for name in expected - {"more-itertools", "cffi"}:  # which are locked once for each Python
        assert listed[name] == locked[name]
    libraries = {path.name for path in INSIDE.iterdir() if ".so" in path.name and "cpython" not in path.name}
    libraries = {name for name in libraries if not name.startswith("libpython")}
    assert libraries <= {component.get("description") for component in bill["components"]}
    assert listed["cpython"] == _ask("import platform; print(platform.python_version())").strip()
    expat = _ask("from xml.parsers import expat; print(expat.EXPAT_VERSION)").strip().removeprefix("expat_")
    assert (listed["expat"] or "").startswith(expat)  # a distribution's own version has more behind it


def test_the_checksums_are_those_of_the_files() -> None:
    lines = (DIST / "SHA256SUMS").read_text().splitlines()
    assert {_archive().name, f"{_archive().name.removesuffix('.tar.gz')}.cdx.json"} <= {line[66:] for line in lines}
    for line in lines:
        digest, name = line.split("  ")
        assert hashlib.sha256((DIST / name).read_bytes()).hexdigest() == digest, name


def test_it_is_small_enough() -> None:
    files = [path for path in Path(PROGRAM).parent.rglob("*") if path.is_file() and not path.is_symlink()]
    # half a megabyte of it are the certificate authorities, each in a file of its own so that a refresh parses one
    assert sum(path.stat().st_blocks * 512 for path in files) <= 37 * MEGABYTE
    assert _archive().stat().st_size <= 15 * MEGABYTE


def test_the_archive_has_the_man_page_of_its_version_and_completions_for_four_shells(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    version = _archive().name.split("-")[1]
    with tarfile.open(_archive()) as archive:
        for shell, name in package.COMPLETIONS.items():
            completion = archive.extractfile(f"credproc/completions/{name}")
            assert completion is not None
            printed = subprocess.run([PROGRAM, "completion", shell], env=environ, capture_output=True, check=True)
            assert completion.read() == printed.stdout, shell
        names = {name.removeprefix("credproc/completions/") for name in archive.getnames() if "/completions/" in name}
        page = archive.extractfile("credproc/credproc.1")
        assert page is not None
        first = page.readline().decode()
        epoch = archive.getmember("credproc/credproc.1").mtime
    assert names == {"credproc.bash", "_credproc", "credproc.fish", "credproc.ps1"}
    assert (
        first
        == f'.TH CREDPROC 1 {time.strftime("%Y-%m-%d", time.gmtime(epoch))} "credproc {version}" "User Commands"\n'
    )


# --- Debian ------------------------------------------------------------------------------------------------------


@pytest.mark.root("installs a package")
@pytest.mark.skipif(shutil.which("dpkg") is None, reason="Debian's business")
def test_the_package_installs_and_leaves_nothing_behind(tmp_path: Path, warm: Home) -> None:
    (deb,) = DIST.glob("credproc_*.deb")
    root = tmp_path / "root"
    (root / "var/lib/dpkg/info").mkdir(parents=True)
    (root / "var/lib/dpkg/updates").mkdir()
    (root / "var/lib/dpkg/status").touch()
    dpkg = [
        "dpkg",
        f"--root={root}",
        "--force-depends",
        "--force-not-root",
        "--force-script-chrootless",
        "--log=/dev/null",
    ]
    subprocess.run([*dpkg, "--install", str(deb)], check=True, capture_output=True)
    assert os.readlink(root / "usr/bin/credproc") == "/opt/credproc/credproc"
    page = gzip.decompress((root / "usr/share/man/man1/credproc.1.gz").read_bytes())
    assert page == (root / "opt/credproc/credproc.1").read_bytes()
    for place in ("bash-completion/completions/credproc", "zsh/vendor-completions/_credproc"):
        assert (root / os.readlink(root / "usr/share" / place).lstrip("/")).is_file()
    assert (root / os.readlink(root / "usr/share/fish/vendor_completions.d/credproc.fish").lstrip("/")).is_file()
    assert (root / "opt/credproc/completions/credproc.ps1").is_file()
    assert (root / "usr/share/doc/credproc/copyright").exists()
    ran = _run([str(root / "opt/credproc/credproc"), "--profile", "admin"], warm.environ, cwd="/")
    assert json.loads(ran.stdout)["Version"] == 1
    subprocess.run([*dpkg, "--verify", "credproc"], check=True)
    for path in root.rglob("*"):
        if not path.is_symlink() and "dpkg" not in path.parts:
            assert path.stat().st_uid == 0
            assert not path.stat().st_mode & 0o022, path
    subprocess.run([*dpkg, "--remove", "credproc"], check=True, capture_output=True)
    assert [path for path in root.rglob("*") if "credproc" in path.name] == []


# --- the same again ----------------------------------------------------------------------------------------------


# The second build packs its .deb without xz, which takes 18 seconds of a processor: equal bytes, packed alike by one
# thread, are equal packages
_WITHOUT_XZ = '#!/bin/bash\nexec "$DPKG_DEB" "${@/#-Zxz/-Znone}"\n'


def _members(path: Path) -> dict[str, bytes]:
    """Return what is in a .deb, unpacked, by name."""
    data = path.read_bytes()
    found = {}
    at = len(b"!<arch>\n")
    while at < len(data):
        name, size = data[at : at + 16].decode().strip(), int(data[at + 48 : at + 58])
        content = data[at + 60 : at + 60 + size]
        if name.endswith(".xz"):
            name, content = name.removesuffix(".xz"), lzma.decompress(content)
        found[name] = content
        at += 60 + size + size % 2
    return found


def test_another_build_in_another_place_gives_the_same_bytes(tmp_path: Path) -> None:
    there = tmp_path / "somewhere else entirely"
    for name in ("credproc", "build", "credproc.spec", "pyproject.toml", "LICENSE", "README.md", "tests"):
        source = ROOT / name
        ignore = shutil.ignore_patterns("work", "dist", "__pycache__")
        shutil.copytree(source, there / name, ignore=ignore) if source.is_dir() else shutil.copy(source, there / name)
    epoch = _ask(f"import tarfile; print(int(tarfile.open({str(_archive())!r}).next().mtime))").strip()
    environ = {**os.environ, "TZ": "Pacific/Kiritimati", "LC_ALL": "C", "SOURCE_DATE_EPOCH": epoch}
    environ.pop("CREDPROC_TEST_PROGRAM", None)
    if dpkg_deb := shutil.which("dpkg-deb"):
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin" / "dpkg-deb").write_text(_WITHOUT_XZ)
        (tmp_path / "bin" / "dpkg-deb").chmod(0o755)
        environ |= {"PATH": f"{tmp_path}/bin:{environ['PATH']}", "DPKG_DEB": dpkg_deb}
    command = ["bash", "-c", "umask 077 && exec build/freeze --untested"]
    subprocess.run(command, cwd=there, env=environ, check=True, capture_output=True)
    made = there / "build" / "dist"
    for path in [_archive(), *DIST.glob("credproc-*.cdx.json"), *DIST.glob("python/*")]:
        assert (made / path.relative_to(DIST)).read_bytes() == path.read_bytes(), path.name
    packages = list(DIST.glob("credproc_*.deb"))
    assert len(packages) == (dpkg_deb is not None)
    for path in packages:
        assert _members(made / path.name) == _members(path), path.name


# --- what a start costs ------------------------------------------------------------------------------------------

# In the place of the program's own module: says at a hit's end what has been loaded
COUNTED = """
import sys
_write_document = _write
def _write(data):
    _write_document(data)
    os.write(2, " ".join(sorted(sys.modules)).encode())
"""


def test_a_hit_loads_at_most_forty_five_modules(warm: Home, tmp_path: Path) -> None:
    shutil.copytree(Path(PROGRAM).parent, tmp_path / "counted")
    module = tmp_path / "counted" / "_internal" / "credproc" / "cli.pyc"
    source = tmp_path / "cli.py"
    source.write_text((ROOT / "credproc" / "cli.py").read_text() + COUNTED)
    _ask(f"import py_compile; py_compile.compile({str(source)!r}, {str(module)!r}, doraise=True)")
    ran = _run([str(tmp_path / "counted" / "credproc"), "--profile", "admin"], warm.environ, cwd="/")
    modules = ran.stderr.split()
    assert json.loads(ran.stdout)["Version"] == 1
    assert {"credproc.cache", "encodings.utf_8", "os"} <= set(modules)
    assert len(modules) <= 45, modules


def test_a_hit_opens_a_handful_of_files(warm: Home, tmp_path: Path) -> None:
    opened = _opened(warm, tmp_path, "--profile", "admin")
    ours = {path for path in opened if path.startswith("credproc/")}
    assert ours == {f"credproc/{name}.pyc" for name in ("__init__", "cli", "cache", "paths", "files")}
    assert not [path for path in opened if path.startswith(("botocore", "ctypes", "keyring", "re/", "json"))]
    assert len(opened) <= 16, opened


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_version_and_help_open_nothing_slow(tmp_path: Path, argument: str) -> None:
    opened = {path.partition("/")[0].partition(".")[0] for path in _opened(Home(tmp_path / "home"), tmp_path, argument)}
    assert not opened & {"botocore", "boto3", "keyring", "ssl", "urllib3", "asyncio", "ctypes"}
    assert ("argparse" in opened) is (argument == "--help")


@pytest.mark.parametrize("command", [["status"], ["export", "--help"], ["login", "--help"]])
def test_commands_that_look_open_nothing_slow(warm: Home, tmp_path: Path, command: list[str]) -> None:
    opened = {path.partition("/")[0].partition(".")[0] for path in _opened(warm, tmp_path, *command)}
    assert "argparse" in opened
    assert not opened & {"botocore", "boto3", "keyring", "ssl", "urllib3", "asyncio", "ctypes"}


def test_logout_asks_the_keyring_and_opens_no_botocore(warm: Home, tmp_path: Path) -> None:
    warm.environ["CREDPROC_SESSION_STORE"] = "keyring"  # not the kernel's, where whoever runs the tests has theirs
    opened = {path.partition("/")[0].partition(".")[0] for path in _opened(warm, tmp_path, "logout", "--all")}
    assert "keyring" in opened
    assert not opened & {"botocore", "boto3", "urllib3"}


def test_to_fail_without_a_terminal_opens_neither_botocore_nor_keyring(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.config(f"[profile admin]\nrole_arn = {ROLE}\nsource_profile = user1\nmfa_serial = 123456789\n")
    home.credentials("[user1]\naws_access_key_id = AKIA\naws_secret_access_key = secret\n")
    opened = {
        path.partition("/")[0].partition(".")[0] for path in _opened(home, tmp_path, "--profile", "admin", status=3)
    }
    assert "credproc" in opened
    assert not opened & {"botocore", "boto3", "keyring", "ssl", "urllib3", "subprocess", "ctypes"}


@pytest.mark.measure
def test_a_hit_costs_at_most_one_and_four_fifths_of_the_bare_interpreter(warm: Home) -> None:
    executable = _ask("import os, sys; print(os.path.realpath(sys.executable))").strip()
    bare, hit = [executable, "-I", "-S", "-c", "pass"], [PROGRAM, "--profile", "admin"]
    assert _best_ratio(hit, bare, warm, 1.8) <= 1.8


@pytest.mark.measure
def test_a_refresh_is_no_slower_than_the_installed_one(home_of_admin: Home) -> None:
    installed = [str(Path(sys.executable).parent / "credproc"), "--profile", "admin"]
    assert _best_ratio([PROGRAM, "--profile", "admin"], installed, home_of_admin, 1.0, empty=True) <= 1.0


@pytest.mark.measure
def test_twenty_hits_at_once_take_no_longer_than_twenty_hits(warm: Home) -> None:
    command = [PROGRAM, "--profile", "admin"]
    best, tries = float("inf"), 0
    while best > 1 and tries < 6:  # noise only ever adds, and here it adds to one side
        tries += 1
        began = time.perf_counter()
        for _ in range(20):
            subprocess.run(command, env=warm.environ, check=True, stdout=subprocess.DEVNULL)
        one_by_one, began = time.perf_counter() - began, time.perf_counter()
        children = [subprocess.Popen(command, env=warm.environ, stdout=subprocess.DEVNULL) for _ in range(20)]
        assert [child.wait() for child in children] == [0] * 20
        best = min(best, (time.perf_counter() - began) / one_by_one)
    assert best <= 1


def _best_ratio(first: list[str], second: list[str], home: Home, enough: float, *, empty: bool = False) -> float:
    """Return the ratio of the median times, the best of three comparisons: noise only ever adds."""
    best = float("inf")
    for _ in range(3):
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(15):
            for mine, command in ((times[0], first), (times[1], second)):
                for entry in home.entries if empty else ():
                    entry.unlink()
                began = time.perf_counter()
                subprocess.run(command, env=home.environ, check=True, stdout=subprocess.DEVNULL)
                mine.append(time.perf_counter() - began)
        best = min(best, statistics.median(times[0]) / statistics.median(times[1]))
        if best <= enough:
            break
    return best
