"""A hit: what it imports, opens, calls and takes."""

import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.program import PROGRAM, ROLE, Home, role_home
from tests.sts import Sts, Trust

MODULES_CEILING = 12  # credproc's own seven, _blake2, _signal and what one of them may need one day
OF_OS = {"os", "stat", "posixpath", *(("_stat", "_winapi") if sys.platform == "win32" else ())}  # imported by it alone
FORBIDDEN = (
    "argparse boto3 botocore collections contextlib dataclasses datetime enum fcntl functools hashlib json keyring"
    " logging pathlib re select signal socket ssl subprocess tempfile threading typing"
).split()

COUNT = """
import sys
before = set(sys.modules)
import os
os._exit = lambda status: None
sys.argv = ["credproc", "--profile", "admin"]
from credproc.__main__ import main
main()
sys.stderr.write(" ".join(sorted(set(sys.modules) - before)))
"""


@pytest.fixture(name="warm", scope="module")
def _warm(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Return a home whose profile ``admin`` is in the cache for good."""
    with Sts() as sts:
        user = sts.user("user1")
        sts.role(ROLE, Trust((user.arn,)))
        home = role_home(tmp_path_factory.mktemp("warm") / "home", sts, user)
        home.settle()
        assert home.run("--profile", "admin").document["Version"] == 1
        assert sts.count() == 1
    return home  # the server is gone: what is served now comes from the cache


def test_a_hit_imports_a_handful_of_modules(warm: Home) -> None:
    ran = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{COUNT}"],
        env=warm.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    modules = ran.stderr.split()
    assert '"Version":1' in ran.stdout
    assert not {module.partition(".")[0] for module in modules} & set(FORBIDDEN)
    assert len([module for module in modules if module not in OF_OS]) <= MODULES_CEILING, modules


@pytest.mark.skipif(sys.platform != "linux", reason="strace is Linux's")
@pytest.mark.parametrize("named", [False, True])
def test_a_hit_opens_the_entry_looks_at_two_files_writes_once_and_does_nothing_else(
    warm: Home,
    tmp_path: Path,
    named: bool,  # noqa: FBT001 - whether CREDPROC_CACHE_DIR names the directory
) -> None:
    strace = shutil.which("strace")
    assert strace is not None, "build/test installs strace"
    trace, directory, environ = tmp_path / "trace", warm.cache, warm.environ
    if named:
        directory = warm.path / "named"
        shutil.copytree(warm.cache, directory)
        environ = {**environ, "CREDPROC_CACHE_DIR": str(directory)}
    subprocess.run(
        [strace, "-f", "-o", str(trace), PROGRAM, "--profile", "admin"],
        env=environ,
        check=True,
        stdout=subprocess.PIPE,
    )
    lines = trace.read_text().splitlines()
    calls = {found[1] for found in (re.match(r"\d+ +(\w+)\(", line) for line in lines) if found}
    assert not calls & {"socket", "connect", "flock", "fcntl64", "fsync", "mkdir", "rename", "renameat", "unlink"}
    assert not calls & {"clone", "clone3", "fork", "vfork"}
    ours = [line for line in lines if str(warm.path) in line or ".entry" in line]
    opened = [line for line in ours if "open" in line.partition("(")[0]]
    assert [re.findall(r'"([^"]*)"', line)[0] for line in opened] == [str(directory), warm.entries[0].name]
    everything = [line for line in lines if "open" in line.partition("(")[0]]
    assert everything[-2:] == opened, "behind the start nothing else is opened, whatever its place"
    assert not any("O_CREAT" in line or "O_RDWR" in line or "O_WRONLY" in line for line in opened)
    looked = [re.findall(r'"([^"]*)"', line)[0] for line in ours if "stat" in line.partition("(")[0]]
    assert looked == [str(warm.path / ".aws" / "config"), str(warm.path / ".aws" / "credentials")]
    assert len([line for line in lines if " write(1," in line]) == 1
    assert not any(" write(2," in line or " read(0," in line for line in lines)


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="needs wait4")
def test_a_hit_takes_at_most_twelve_megabytes_or_two_more_than_the_bare_interpreter(warm: Home) -> None:
    hit = _peak([PROGRAM, "--profile", "admin"], warm)
    bare = _peak([sys.executable, "-c", "pass"], warm)
    assert hit <= max(12 * 1024, bare + 2 * 1024), (hit, bare)


@pytest.mark.measure
def test_a_hit_costs_at_most_one_and_a_fifth_of_a_bare_interpreter(warm: Home) -> None:
    assert _best_ratio([PROGRAM, "--profile", "admin"], [sys.executable, "-c", "pass"], warm, 1.2) <= 1.2


@pytest.mark.measure
def test_ten_thousand_profiles_do_not_slow_a_hit(warm: Home, tmp_path: Path) -> None:
    large = Home(tmp_path / "large")
    keys = (warm.path / ".aws" / "credentials").read_text()
    many = "".join(f"[profile p{number}]\nregion = us-east-1\n" for number in range(10_000))
    with Sts() as sts:
        user = sts.user("user1")
        sts.role(ROLE, Trust((user.arn,)))
        large.environ["AWS_ENDPOINT_URL_STS"] = sts.url
        large.config(f"{many}[profile admin]\nrole_arn = {ROLE}\nsource_profile = user1\n")
        large.keys("user1", user)
        large.settle()
        assert large.run("--profile", "admin").document["Version"] == 1
    assert keys
    command = [PROGRAM, "--profile", "admin"]
    assert _best_ratio(command, command, large, 1.15, other=warm) <= 1.15


def _best_ratio(first: list[str], second: list[str], home: Home, enough: float, other: Home | None = None) -> float:
    """Return the ratio of the median times, the best of three comparisons: noise only ever adds."""
    best = float("inf")
    for _ in range(3):
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(15):
            for mine, command, place in ((times[0], first, home), (times[1], second, other or home)):
                began = time.perf_counter()
                subprocess.run(command, env=place.environ, check=True, stdout=subprocess.DEVNULL)
                mine.append(time.perf_counter() - began)
        best = min(best, statistics.median(times[0]) / statistics.median(times[1]))
        if best <= enough:
            break
    return best


PEAK = """
import os, sys
quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
_, status, usage = os.wait4(os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet), 0)
print(usage.ru_maxrss if status == 0 else 0)
"""


def _peak(command: list[str], home: Home) -> int:
    """Return the peak memory of a process in KiB, started by a small one: a child begins with its parent's peak."""
    starter = [sys.executable, "-I", "-S", "-c", PEAK, *command]
    ran = subprocess.run(starter, env=home.environ, capture_output=True, text=True, check=True)
    assert int(ran.stdout) > 0
    return int(ran.stdout)
