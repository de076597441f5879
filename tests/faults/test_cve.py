"""Published vulnerabilities and bugs of programs like this one, each tried on credproc.

Where a case of the table of faults shows the lesson, the case is played; where it is a matter of how credproc is built
or written, that is looked at. FAULTS.md, "What happened to other programs" tells what each was.
"""

from __future__ import annotations

import ast
import functools
import os
import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from credproc.config.parser import parse
from credproc.credentials import Credentials
from credproc.locking.directory import make_directory
from credproc.plan import plan_for
from credproc.request import Request
from tests.faults.harness import Evidence, Harness
from tests.faults.rows import Amount, Case, Kind, Row, each
from tests.faults.table import ROWS
from tests.program import PROGRAM
from tests.terminal import unbroken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from credproc.files import PrivateDirectory
    from tests.faults.scene import Result, Scene

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "credproc"
_AMOUNT = Amount()

# Name → rows and cases that show it does not apply here
PLAYED: dict[str, tuple[tuple[str, str | None], ...]] = {
    # Protocols and files of lines
    "CVE-2020-5260 git": (("F025", "ESC"), ("F084", "CR")),
    "CVE-2020-11008 git": (("F004", None), ("F044", "no region")),
    "CVE-2021-40330 git": (("F038", "line ends, variable"),),
    "CVE-2024-52006 git": (("F025", "CR, config"),),
    "CVE-2024-50338 GCM": (("F025", "CR, credentials"),),
    "CVE-2026-82249 gitoxide": (("F025", "CR, config"),),
    "CVE-2025-48384 git": (("F025", "CRLF, config"), ("F025", "CRCRLF, config")),
    "CVE-2020-28472 aws-sdk": (("F031", "[profile __proto__] in config"),),
    "GHSA-rrc9-gqf8-8rwg aws-sdk": (("F031", "[profile __proto__] in config"),),
    # What is shown
    "CVE-2024-50349 git": (("F084", "title"), ("F084", "clear"), ("F085", "RLO"), ("F086", "ESC")),
    "CVE-2024-52005 git": (("F086", "ESC"), ("F086", "C1 and bidi")),
    "CVE-2026 sideband git": (("F086", "100 KiB"), ("F086", "HTML")),
    "CVE-2017-1000367 sudo": (("F084", "program a) S 1 (b"),),
    "CVE-2017-1000368 sudo": (("F084", "program a) S 1 (b"),),
    # Time
    "CVE-2013-1775 sudo": (("F120", "the clock is set to the epoch"), ("F125", "it is 2039")),
    "CVE-2014-9680 sudo": (("F124", "a file that is none"),),
    # The terminal
    "CVE-2013-1776 sudo": (("F072", "at once"), ("F076", "another terminal")),
    "CVE-2013-2776 sudo": (("F072", "at once"), ("F076", "another terminal")),
    "CVE-2013-2777 sudo": (("F072", "at once"), ("F076", "another terminal")),
    "CVE-2019-18634 sudo": (("F080", "4 KiB"),),
    "GHSA-q428-6v73-fc4q sudo-rs, CVE-2025-64170": (("F078", None),),
    "CVE-2023-28339 OpenDoas": (("F111", "world-writable"), ("F094b", None)),
    # What is kept, and where
    "CVE-2005-1119 sudo": (("F059", None), ("F062", "FIFO")),
    "CVE-2025-9810 linenoise": (("F059", None), ("F063", None)),
    "CVE-2023-42456 sudo-rs": (("F006", "'../../../evil'"), ("F006", "'..'")),
    "GHSA-c978-wq47-pvvw sudo-rs, CVE-2025-64517": (("F052", "key rotated, MFA"), ("F066", None)),
    "CVE-2012-5577 keyring": (("F055", "000, MFA"),),
    "CVE-2012-5578 keyring": (("F055", "000"),),
    "CVE-2011-4944 distutils": (("F055", "000"), ("F055", "000, MFA")),
    "CVE-2025-68146 filelock": (("F060", "link"), ("F060", "link to nothing")),
    "CVE-2026-22701 filelock": (("F060", "link"), ("F060", "FIFO")),
    # Programs and modules
    "CVE-2026-12003 CPython": (("F154", "installed, directory"),),
    "GHSA-32gq-x56h-299c age": (("F111", "./"), ("F006", "'../../../evil'")),
    "GHSA-4fg7-vxc8-qx5w rage": (("F111", "./"), ("F006", "'/etc/passwd'")),
    "CVE-2024-56327 pyrage": (("F111", "'.' in PATH"), ("F006", "'a/b:c'")),
    # The network
    "CVE-2023-32681 requests": (("F137", "a role"), ("F137", "web identity")),
    "CVE-2024-35195 requests": (("F039", "self-signed"), ("F039", "expired")),
    "CVE-2024-47081 requests": (("F043", "signed"), ("F043", "unsigned")),
    # Bugs that have no number
    "botocore #3213, #3106, #2721, #3364": (("F047", "empty"), ("F047", "every offset")),
    "aws-cli #9632, aws-toolkit-vscode #4569": (("F047", "one byte"), ("F072e", None)),
    "aws-cli #4374, #7376, #7135": (("F065", "empty"), ("F065", "with an entry that is over")),
    "aws-cli #10031, #10039": (("F003", "version, no HOME"), ("F035", "644")),
    "aws-cli #10214, #10215": (("F003", "version, root"), ("F014", None)),
    "aws-cli #2978": (("F006", "'a/b:c'"),),
    "novops #126": (("F094b", None),),
    "aws-vault #779": (("F073", None),),
    "aws-vault #331, #608, #630": (("F053", "past"), ("F053", "in 30 s"), ("F120", "a day behind")),
    "aws-vault #1049, #394": (("F122", "behind, SignatureDoesNotMatch"), ("F123", "while a person is asked")),
    "aws-vault #355": (("F113", "no backend"), ("F113", "no D-Bus")),
    "aws-vault #515": (("F080", "abc"), ("F080", "full-width digits")),
    "aws-sso-cli #1379": (("F115", "a bus"), ("F071", "keyring")),
    "1Password shell-plugins #180": (("F101", None),),
    "aws-sdk-js #1664, terraform-aws #2420, jetbrains #1051, aws-okta-processor #27": (
        ("F072a", None),
        ("F072e", None),
        ("F101", None),
    ),
    "polkit #545": (("F078", None), ("F079", "behind")),
    "sudo #139, #459, #530": (("F079", "before"),),
    "os.replace, WinError 5 and 32": (("F098", "renameat EACCES"), ("F098", "renameat EBUSY")),
    "keyring #355, #540, #763": (("F117", "too long"),),
    "keyring #410": (("F118", None), ("F119", None)),
    "azure-sdk-for-cpp #7316": (("F010", "no HOME"), ("F013", "HOME is .")),
    "rolesanywhere": (("F027", "a value"), ("F035", "644")),
}


@pytest.fixture(name="harness", scope="module")
def _harness() -> Iterator[Harness]:
    with Harness() as harness:
        yield harness


def _case(identifier: str, name: str | None) -> tuple[Row, Case]:
    """Return the case of this name, or the row's first."""
    rows = {row.id: row for row in ROWS}
    assert identifier in rows, f"{identifier} is not in the table"
    cases = list(rows[identifier].chosen(_AMOUNT))
    named = [case for case in cases if name in {None, case.name}]
    assert named, f"{identifier} has no case {name!r} but {[case.name for case in cases]}"
    return rows[identifier], named[0]


@pytest.fixture(name="played", scope="module")
def _played(harness: Harness, request: pytest.FixtureRequest) -> Callable[[str, str | None], Evidence]:
    """Return what plays a case, once for all that refer to it and for build/faults."""
    path = request.config.getoption("--evidence")
    lines = Path(path).read_text(encoding="utf-8").splitlines() if path else []
    before = {(one.row, one.case): one for one in map(Evidence.of_line, lines)}

    @functools.cache
    def played(identifier: str, name: str | None) -> Evidence:
        row, case = _case(identifier, name)
        return before.get((row.id, case.name)) or harness.case(row, case, _AMOUNT)

    return played


def _passes(harness: Harness, case: Case) -> None:
    assert harness.case(Row("", "", ()), case, _AMOUNT).broken == []


@pytest.mark.parametrize("name", PLAYED)
def test_the_lesson_is_played(played: Callable[[str, str | None], Evidence], name: str) -> None:
    for identifier, case in PLAYED[name]:
        assert played(identifier, case).broken == [], f"{identifier} {case or ''}"


# What no row shows

_FORMATS = "%s%n%x {0.__class__} {self!r} $(id) `id` ${HOME}"


def _prompt_is_literal(scene: Scene, _: Result) -> None:
    assert _FORMATS[:30] in unbroken(scene.terminal.transcript.decode())


def _named(name: str) -> Case:
    """Return the case of a profile of this name, which a person is asked for."""

    def write(scene: Scene) -> None:
        scene.config(
            other=f'[profile "{name}"]\ncredproc_role_arn = {scene.role.arn}\ncredproc_source_profile = user1\n'
            f"external_id = {scene.external_id}\n"
        )

    return Case(name, before=write, arguments=("--profile", name), mfa=True, check=_prompt_is_literal)


def test_CVE_2002_0184_sudo_a_prompt_expands_nothing(harness: Harness) -> None:  # noqa: N802 - as it is called
    _passes(harness, _named(_FORMATS))


def _by_that_name(scene: Scene) -> Result:
    """Start the program by a link that has a format for its name."""
    link = scene.work / "%s%n{0.__class__}{self!r}"
    link.symlink_to(PROGRAM)
    return scene.process([str(link), *scene.case.arguments], scene.environ())


@pytest.mark.parametrize(
    "case",
    [
        Case("document", run=_by_that_name),
        Case(
            "profile", Kind.PROFILE, run=_by_that_name, arguments=("--profile", "none"), says="no profile named 'none'"
        ),
        Case("usage", Kind.USAGE, run=_by_that_name, arguments=("--none",), says="--none"),
    ],
    ids=lambda case: case.name,
)
def test_CVE_2012_0809_sudo_argv_0_is_no_format(harness: Harness, case: Case) -> None:  # noqa: N802
    _passes(harness, case)


def _log_can_only_be_read(scene: Scene, _: Result) -> None:
    lines = scene.home.log.splitlines()
    assert len([line for line in lines if "failed" in line]) == 1
    assert all(line.isprintable() for line in lines), lines


def test_CVE_2023_28486_sudo_and_28487_the_log_has_no_control_characters(harness: Harness) -> None:  # noqa: N802
    name = "a\x1b[2J\nb\x9b31m\r\u202e"
    arguments = ("--profile", name)
    _passes(harness, Case(kind=Kind.PROFILE, arguments=arguments, says="no profile named", check=_log_can_only_be_read))


def _all_on_the_terminal(scene: Scene) -> Result:
    return scene.on_terminal(stdin="terminal", stderr="terminal")


def _only_its_own_is_set(scene: Scene, _: Result) -> None:
    trace = (scene.work / "trace").read_text()
    set_on = re.findall(r"ioctl\((\d+)<.*?>, [^{]*TCSETS", trace)
    assert set_on, "no settings were changed"
    assert not {int(number) for number in set_on} & {0, 1, 2}, set_on


def test_CVE_2023_2002_Linux_only_the_terminal_that_it_has_opened_is_set(harness: Harness) -> None:  # noqa: N802
    wrapper = ("strace", "-f", "-y", "-qq", "-o", "trace", "-e", "trace=ioctl")
    _passes(harness, Case(mfa=True, run=_all_on_the_terminal, wrapper=wrapper, check=_only_its_own_is_set))


def test_CVE_2023_30610_aws_sigv4_no_repr_shows_a_secret() -> None:  # noqa: N802
    credentials = Credentials("ASIA", "PRECIOUSSECRET", "PRECIOUSTOKEN", 1_800_000_000, "123456789012")
    files = "[profile p]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = u\nexternal_id = PRECIOUSID\n"
    keys = "[u]\naws_access_key_id = AKIA\naws_secret_access_key = PRECIOUSSECRET\naws_session_token = PRECIOUSTOKEN\n"
    plan = plan_for(parse(files, keys), Request("p", {}, 0.0))
    assert plan.source.keys is not None
    assert plan.source.keys.secret_access_key == "PRECIOUSSECRET"
    for value in (credentials, [credentials], plan.source.keys, plan.source):
        assert "PRECIOUSSECRET" not in repr(value) + str(value)
        assert "PRECIOUSTOKEN" not in repr(value) + str(value)


def _log_tells_of_it(scene: Scene, _: Result) -> None:
    assert "refreshed: " in scene.home.log
    assert not scene.leaks(scene.home.log.encode())


def test_mcp_proxy_for_aws_166_the_log_has_no_credentials(harness: Harness) -> None:
    noisy = {"BOTOCORE_DEBUG": "1", "AWS_DEBUG": "1", "BOTO_LOG_LEVEL": "DEBUG"}
    _passes(harness, Case(environ=noisy, mfa=True, check=_log_tells_of_it))


def _asked_on_the_terminal_alone(scene: Scene, result: Result) -> None:
    assert result.prompts == 1
    assert result.stderr == b""
    assert result.stdout.startswith(b'{"Version":1,')
    assert b"Enter MFA code" in scene.terminal.transcript


def test_botocore_1348_aws_cli_3057_7306_aws_vault_1015_saml2aws_939_the_prompt_is_on_no_captured_stream(
    harness: Harness,
) -> None:
    _passes(harness, Case(mfa=True, check=_asked_on_the_terminal_alone))


def test_eksctl_7844_stdout_has_the_document_alone(harness: Harness) -> None:
    _passes(harness, Case(mfa=True, check=each(_asked_on_the_terminal_alone), environ={"CREDPROC_PROFILE": "x"}))


def test_cachew_90_two_that_write_one_file_take_nothing_from_each_other(tmp_path: Path) -> None:
    directory = make_directory(str(tmp_path / "own"))
    contents = [bytes([number]) * 20_000 for number in range(8)]
    failed: list[OSError] = []

    def write(content: bytes, own: PrivateDirectory) -> None:
        try:
            for _ in range(20):
                own.write("one", content)
        except OSError as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(content, directory)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert directory.read("one", 1 << 20) in contents
    assert os.listdir(tmp_path / "own") == ["one"]
    directory.close()


# How it is written and built


@functools.cache
def _imported() -> dict[str, set[str]]:
    """Return the top modules that credproc imports, each with the files that do so."""
    found: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            else:
                continue
            for name in names:
                found.setdefault(name.partition(".")[0], set()).add(path.name)
    return found


def test_what_is_imported_is_found() -> None:
    assert {"botocore", "os", "_blake2"} <= _imported().keys()


@pytest.mark.parametrize(
    ("name", "modules"),
    [
        pytest.param("nothing is encrypted by ourselves", {"Crypto", "nacl"},
                     id="CVE-2012-4571 keyring"),
        pytest.param("no directory of others is written to, and none is deleted whole", {"tempfile"},
                     id="CVE-2024-4030 CPython, CVE-2023-6597 CPython"),
        pytest.param("the prompt is our own, as getpass falls back to stdin", {"getpass"}, id="cpython #105629"),
        pytest.param("no HTTP but our own and botocore's", {"requests", "httpx", "http"}, id="CVE-2024-47081 requests"),
    ],
)  # fmt: skip
def test_a_module_is_not_used(name: str, modules: set[str]) -> None:
    used = {module: _imported()[module] for module in modules & _imported().keys()}
    assert not used, f"{name}: {used}"


def test_what_encrypts_for_the_keyring_is_only_loaded_ahead() -> None:
    assert _imported()["cryptography"] == {"backends.py"}


def test_TLS_and_signatures_are_made_in_one_place_each() -> None:  # noqa: N802
    assert _imported()["ssl"] == {"authorities.py", "direct.py", "proxied.py"}
    assert _imported()["hmac"] == {"signature.py"}
    assert _imported()["secrets"] == {"http.py"}  # the token of exec --serve


def test_CVE_2024_4030_CPython_and_CVE_2023_6597_no_tree_is_removed() -> None:  # noqa: N802
    for path in PACKAGE.rglob("*.py"):
        assert "rmtree" not in path.read_text(encoding="utf-8"), path.name


def test_CVE_2019_16784_PyInstaller_and_CVE_2023_49797_nothing_is_unpacked_at_a_start() -> None:  # noqa: N802
    tree = ast.parse((ROOT / "credproc.spec").read_text(encoding="utf-8"))
    calls = {
        node.func.id: node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    options = {keyword.arg: ast.unparse(keyword.value) for keyword in calls["EXE"].keywords}
    assert options["exclude_binaries"] == "True"
    assert "COLLECT" in calls
    assert not options.keys() & {"runtime_tmpdir"}


def test_CVE_2025_59042_PyInstaller_from_6() -> None:  # noqa: N802
    wanted = re.search(r'"pyinstaller >=(\d+)', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    locked = re.search(r"^pyinstaller==(\d+)", (ROOT / "build" / "requirements.lock").read_text(), re.MULTILINE)
    assert wanted
    assert locked
    assert int(wanted[1]) >= 6
    assert int(locked[1]) >= 6
