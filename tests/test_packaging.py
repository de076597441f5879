"""What build/freeze writes beside the frozen program, as far as it can be tried without freezing."""

import gzip
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.built import backend, package
from tests.program import PROGRAM

ROOT = Path(__file__).parent.parent
FROZEN = ROOT / "build" / "frozen"
DATA = {backend.MANUAL, *backend.COMPLETIONS.values()}
URL = "https://example.com/v1.2.3"


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, FROZEN / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


manifests, collected = _load("manifests"), _load("collected")
interpreter, project = _load("interpreter"), _load("project")


def _lie(dist: Path, *names: str) -> dict[str, str]:
    """Write archives that are none, and return their checksums."""
    digests = {}
    for name in names:
        (dist / name).write_bytes(name.encode())
        digests[name] = hashlib.sha256(name.encode()).hexdigest()
    return digests


def test_the_manifests_hold_the_checksums_of_the_archives_that_are_there(tmp_path: Path) -> None:
    names = [
        f"credproc-1.2.3-{system}" for system in ("linux-x86_64.tar.gz", "macos-arm64.tar.gz", "windows-amd64.zip")
    ]
    digests = _lie(tmp_path, *names, "credproc-1.2.2-linux-x86_64.tar.gz", "credproc-1.2.3-linux-x86_64.cdx.json")
    written = manifests.write(str(tmp_path), "1.2.3", URL)
    winget = [f"winget/credproc.credproc.{part}yaml" for part in ("", "installer.", "locale.en-US.")]
    assert written == sorted(["credproc.json", "credproc.rb", *winget])
    formula = (tmp_path / "credproc.rb").read_text()
    for name in names[:2]:
        assert f'url "{URL}/{name}"\n      sha256 "{digests[name]}"' in formula
    assert formula.count("sha256") == 2
    assert "{{" not in formula
    scoop = json.loads((tmp_path / "credproc.json").read_text())
    assert scoop["version"] == "1.2.3"
    assert scoop["architecture"]["64bit"] == {"url": f"{URL}/{names[2]}", "hash": digests[names[2]]}
    homepage = project.read(str(ROOT)).homepage
    assert homepage in (ROOT / "pyproject.toml").read_text()
    assert scoop["homepage"] == homepage
    assert f'homepage "{homepage}"\n' in formula
    assert f"PackageUrl: {homepage}\n" in (tmp_path / winget[2]).read_text()
    installer = (tmp_path / winget[1]).read_text()
    assert f"InstallerUrl: {URL}/{names[2]}\n    InstallerSha256: {digests[names[2]]}\n" in installer


def test_a_manifest_without_any_archive_is_not_written(tmp_path: Path) -> None:
    _lie(tmp_path, "credproc-1.2.3-linux-x86_64.tar.gz")
    assert manifests.write(str(tmp_path), "1.2.3", None) == ["credproc.rb"]
    assert f'url "file://{tmp_path}/credproc-1.2.3-linux-x86_64.tar.gz"' in (tmp_path / "credproc.rb").read_text()


def test_a_field_that_nothing_fills_is_an_error() -> None:
    with pytest.raises(SystemExit, match="nothing fills licence"):
        manifests.filled("{{licence}} {{version}}", {"version": "1"}, set())


@pytest.mark.posix("the links of a Debian package")
def test_each_completion_is_linked_to_where_its_shell_looks_and_powershells_lies_beside_them(tmp_path: Path) -> None:
    package.write_completions(str(tmp_path / "completions"))
    package._place_completions(str(tmp_path / "share"))
    written = {path.name for path in (tmp_path / "completions").iterdir()}
    links = [path for path in (tmp_path / "share").rglob("*") if path.is_symlink()]
    assert {str(path.readlink()) for path in links} == {
        f"/opt/credproc/completions/{name}" for name in written - {"credproc.ps1"}
    }
    assert "credproc.ps1" in written


def test_wheel_and_source_distribution_are_the_same_whenever_they_are_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    monkeypatch.chdir(ROOT)  # it changes the directory, which this takes back
    made = [package.write_python_packages(str(tmp_path / where / "python")) for where in ("one", "two")]
    version = project.read(str(ROOT)).version
    assert made[0] == [f"python/credproc-{version}-py3-none-any.whl", f"python/credproc-{version}.tar.gz"]
    for path in made[0]:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()
    with zipfile.ZipFile(tmp_path / "one" / made[0][0]) as wheel:
        names = set(wheel.namelist())
        metadata = wheel.read(f"credproc-{version}.dist-info/METADATA").decode()
    assert {"credproc/cli.py", "credproc/py.typed"} <= names
    assert {name for name in names if ".data/" in name} == {f"credproc-{version}.data/data/{path}" for path in DATA}
    assert f"Homepage, {project.read(str(ROOT)).homepage}\n" in metadata


@pytest.fixture(name="wheels", scope="module")
def _wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return a wheel of this checkout, and one of its source distribution, which was made at another time."""
    directory, environ = tmp_path_factory.mktemp("wheels"), {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
    code = "import backend, sys; getattr(backend, sys.argv[1])(sys.argv[2])"

    def make(hook: str, root: Path, where: Path) -> Path:
        where.mkdir()
        command = [sys.executable, "-c", code, hook, str(where)]
        made_by = {**environ, "PYTHONPATH": str(root / "build" / "backend")}
        subprocess.run(command, cwd=root, env=made_by, check=True, capture_output=True)
        return next(where.iterdir())

    wheel, source = make("build_wheel", ROOT, directory / "one"), make("build_sdist", ROOT, directory / "source")
    with tarfile.open(source) as archive:
        archive.extractall(directory, filter="data")
    del environ["SOURCE_DATE_EPOCH"]
    return [wheel, make("build_wheel", directory / source.name.removesuffix(".tar.gz"), directory / "two")]


@pytest.mark.posix("the link that Wine makes to all of the machine")
def test_a_source_distribution_looks_into_nothing_else_of_the_checkout(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    for name in ("credproc", "build/frozen", "build/backend"):
        shutil.copytree(ROOT / name, checkout / name)
    for name in ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"):
        shutil.copy(ROOT / name, checkout)
    (checkout / "build" / "work").mkdir()
    (checkout / "build" / "work" / "z:").symlink_to("/")
    code = "import backend; backend.build_sdist('..')"
    environ = {**os.environ, "PYTHONPATH": str(checkout / "build" / "backend"), "SOURCE_DATE_EPOCH": "1700000000"}
    subprocess.run([sys.executable, "-c", code], cwd=checkout, env=environ, check=True, timeout=60)
    assert [path.name for path in tmp_path.glob("*.tar.gz")] == [f"credproc-{project.read(str(ROOT)).version}.tar.gz"]


def test_the_wheel_of_the_source_distribution_has_the_same_files(wheels: list[Path]) -> None:
    contents = []
    for path in wheels:
        with zipfile.ZipFile(path) as wheel:
            contents.append({name: wheel.read(name) for name in wheel.namelist()})
    assert contents[0] == contents[1]


@pytest.mark.posix("man and places of shells")
def test_pip_puts_man_page_and_completions_where_man_and_the_shells_look(wheels: list[Path], tmp_path: Path) -> None:
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--ignore-installed",
        "--prefix",
        str(tmp_path),
    ]
    subprocess.run([*pip, str(wheels[1])], check=True, capture_output=True)
    for shell, place in backend.COMPLETIONS.items():
        printed = subprocess.run(
            [PROGRAM, "completion", shell], env={"HOME": str(tmp_path)}, capture_output=True, check=True
        )
        assert (tmp_path / place).read_bytes() == printed.stdout
    environ = {"MANPATH": str(tmp_path / "share" / "man"), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    shown = subprocess.run(["man", "credproc"], env=environ, capture_output=True, text=True, check=True)  # noqa: S607
    assert f"credproc {project.read(str(ROOT)).version} " in shown.stdout
    assert "2023-11-14" in shown.stdout
    assert shown.stderr == ""


@pytest.mark.root("reads a file as its user")
def test_the_debian_package_names_homepage_and_maintainer_of_the_project(tmp_path: Path) -> None:
    files, root = tmp_path / "files", tmp_path / "root"
    for directory in (files, root):
        directory.mkdir()
    (files / "credproc").write_bytes(b"\x7fELF\0GLIBC_2.31\0")
    package._write_control(str(root), str(files), 0)
    fields = dict(line.split(": ", 1) for line in (root / "DEBIAN/control").read_text().splitlines() if ": " in line)
    text = (ROOT / "pyproject.toml").read_text()
    assert f'"{fields["Homepage"]}"' in text
    name, email = fields["Maintainer"].rstrip(">").split(" <")
    assert f'name = "{name}"' in text
    assert f'email = "{email}"' in text


@pytest.mark.posix("what a Debian package runs, a script of a shell")
@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("credential_process = /usr/bin/credproc --profile a", True),
        ('credential_process="/opt/credproc/credproc" --profile a', True),
        ("credential_process = credproc --profile a", True),
        ("credential_process = /usr/bin/other --profile credproc", False),
        ("# credential_process = none", False),
    ],
)
def test_before_the_package_goes_it_says_which_lines_still_start_credproc(
    tmp_path: Path, line: str, *, named: bool
) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text(f"[profile a]\n{line}\n")
    (tmp_path / "prerm").write_text(package.PRERM)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "getent").write_text(f'#!/bin/sh\necho "$2:x:0:0::{tmp_path}:/bin/sh"\n')
    (tmp_path / "bin" / "getent").chmod(0o755)
    environ = {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}
    said = {}
    for action in ("remove", "upgrade"):
        command = ["sh", str(tmp_path / "prerm"), action]
        ran = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
        assert ran.stdout == ""
        said[action] = ran.stderr
    assert said["upgrade"] == ""
    assert (f"{tmp_path}/.aws/config still starts credproc, in these lines: 2\n" in said["remove"]) is named


def _data(tmp_path: Path, content: dict[str, Any]) -> list[tuple[str, str, str]]:
    entries = []
    for name, value in content.items():
        path = tmp_path / name.replace("/", "-")
        text = json.dumps(value).encode()
        path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
        entries.append((name, str(path), "DATA"))
    return entries


SERVICES: dict[str, Any] = {"portal.sso": {"y": 2}, "oidc": {}}


@pytest.mark.parametrize("separator", ["/", "\\"])
def test_of_botocores_data_what_stays_says_what_it_said(tmp_path: Path, separator: str) -> None:
    endpoints = {
        "version": 3,
        "partitions": [
            {"partition": "aws", "defaults": {"x": 1}, "services": {"portal.sso": {"y": 2}, "s3": {}, "oidc": {}}}
        ],
    }
    model = {
        "documentation": "<p>",
        "shapes": {"S": {"members": {"documentation": {"shape": "T"}}, "documentation": "t"}},
    }
    kept = {f"botocore/data/{name}": {"z": name} for name in collected.FILES if name != "endpoints.json"}
    files = kept | {
        "botocore/data/endpoints.json": endpoints,
        "botocore/data/ec2/2016/service-2.json.gz": {},
        "botocore/data/sso/2019/service-2.json.gz": model,
        "botocore/data/sso/2019/examples-1.json": {},
        "botocore/data/sso/2019/paginators-1.json": {},
        "botocore/data/sts/2011/service-2.json.gz": {},
        "botocore/data/sso-oidc/2019/endpoint-rule-set-1.json.gz": {"r": 1},
        "botocore/cacert.pem": {},
        "other/data.json": {},
    }
    entries = [(name.replace("/", separator), path, kind) for name, path, kind in _data(tmp_path, files)]
    found = {name.replace(separator, "/"): path for name, path, _ in collected.data(entries, str(tmp_path / "out"))}
    read = {name: json.loads(Path(path).read_text()) for name, path in found.items()}
    assert read == kept | {
        "botocore/data/endpoints.json": {
            "version": 3,
            "partitions": [
                {"partition": "aws", "defaults": {"x": 1}, "services": {"portal.sso": {"y": 2}, "oidc": {}}}
            ],
        },
        "botocore/data/sso/2019/service-2.json": {"shapes": {"S": {"members": {"documentation": {"shape": "T"}}}}},
        "botocore/data/sso/2019/paginators-1.json": {},
        "botocore/data/sso-oidc/2019/endpoint-rule-set-1.json": {"r": 1},
        "botocore/cacert.pem": {},
        "other/data.json": {},
    }


def test_data_that_has_moved_in_another_botocore_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"there is no .*sso-oidc"):
        collected.data(_data(tmp_path, {"botocore/data/sts/2011/service-2.json": {}}), str(tmp_path / "out"))


def test_modules_of_ours_take_the_place_of_others_and_of_nothing_else(tmp_path: Path) -> None:
    instead = tmp_path / "instead"
    (instead / "a" / "b").mkdir(parents=True)
    (instead / "a" / "b" / "__init__.py").write_text('"""Nothing."""\nx = 1\n')
    files = [("a/b/__init__.pyc", "theirs", "DATA"), ("a/c.pyc", "stays", "DATA")]
    (name, path, _), other = collected.replaced(files, str(instead), str(tmp_path / "out"))
    assert other == files[1]
    assert name == "a/b/__init__.pyc"
    code = Path(path).read_bytes()
    assert code[:8] == importlib.util.MAGIC_NUMBER + b"\x01\0\0\0"
    assert str(tmp_path).encode() not in code
    with pytest.raises(SystemExit, match="nothing that these could replace"):
        collected.replaced(files[1:], str(instead), str(tmp_path / "out"))


def test_what_nothing_reads_is_left_out() -> None:
    kept = [
        "keyring/core.pyc",
        "botocore/docs/utils.pyc",
        "encodings/cp1252.pyc",
        "hz.pyc",
    ]
    left = ["keyring-25.dist-info/RECORD", "dateutil/zoneinfo/rebuild.pyc"]
    left += ["encodings/gb2312.pyc", "encodings/hz.pyc", "encodings/cp949.pyc"]
    for separator in ("/", "\\"):
        entries = [(name.replace("/", separator), "/x", "DATA") for name in [*left, *kept]]
        assert [name.replace(separator, "/") for name, _, _ in collected.needed(entries)] == kept


@pytest.mark.parametrize("version", [(2, 2, 5), (2, 5, 0), (2, 6, 4)])
def test_an_expat_with_a_known_fault_is_said_and_is_an_error_of_a_release(
    version: tuple[int, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert interpreter.main([], version) == 0
    assert capsys.readouterr().err.startswith("freeze: warning: Python ")
    assert interpreter.main(["--release"], version) == 1
    assert f"has expat {'.'.join(map(str, version))}, which is older than 2.7" in capsys.readouterr().err


def test_an_expat_without_it_is_no_word_worth(capsys: pytest.CaptureFixture[str]) -> None:
    for version in ((2, 7, 0), (2, 7, 3), (3, 0, 0)):
        assert interpreter.main(["--release"], version) == 0
    assert capsys.readouterr().err == ""


WORKFLOWS = Path(__file__).parent.parent / ".github" / "workflows"


def test_all_that_a_release_gives_away_has_an_attestation() -> None:
    text = (WORKFLOWS / "release.yml").read_text()
    given = {word for word in text.partition("gh release create")[2].split() if word.startswith("build/dist/")}
    attested = [step for step in text.split("\n      - ") if "actions/attest-build-provenance@" in step]
    assert {"build/dist/*.tar.gz", "build/dist/*.deb", "build/dist/*.cdx.json", "build/dist/SHA256SUMS"} <= given
    assert given <= {word for step in attested for word in step.split()}


@pytest.mark.parametrize("name", ["ci.yml", "release.yml"])
def test_actions_are_pinned_to_commits_and_no_token_is_left_in_the_tree(name: str) -> None:
    uses = re.findall(r"uses: (\S+)(.*)\n(.*\n.*)", (WORKFLOWS / name).read_text())
    assert uses
    for action, comment, following in uses:
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action)
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment)
        assert "checkout@" not in action or "persist-credentials: false" in following
