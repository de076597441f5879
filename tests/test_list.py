"""credproc list with many profiles, on terminals of 80 and 120 columns: the transcripts in tests/listed."""

import re
import sys
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("terminals are Linux's", allow_module_level=True)

from tests.manyprofiles import KEYS, config
from tests.program import PROGRAM, Home
from tests.terminal import Terminal, column_after

LISTED = Path(__file__).parent / "listed"
SHOWN = 60  # lines of a transcript


@pytest.fixture(name="h")
def _home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home", NO_COLOR="1", TERM="xterm")
    home.credentials(KEYS)
    return home


def _seen(h: Home, columns: int, *words: str) -> list[str]:
    with Terminal(columns=columns) as terminal:
        assert terminal.start([PROGRAM, "list", *words], h.environ).wait() == 0
        terminal.drain()
        return terminal.transcript.decode().replace("\r", "").splitlines()


@pytest.mark.parametrize("number", [40, 400])
@pytest.mark.parametrize("columns", [80, 120])
def test_many_profiles_are_shown_as_in_the_transcript(h: Home, number: int, columns: int) -> None:
    h.config(config(number))
    lines = _seen(h, columns)
    assert lines[:SHOWN] == (LISTED / f"{number}-at-{columns}.txt").read_text().splitlines()
    assert max(column_after(line, 1000) for line in lines) <= columns
    names = re.findall(r"^\[(?:profile )?(\S+)\]$", config(number), re.MULTILINE)
    assert sorted(names) == sorted({line.split()[0] for line in lines if line} & set(names))


def test_what_is_the_same_in_every_row_goes_before_a_name_is_cut(h: Home) -> None:
    name = "platform-production-eu-readonly-and-a-few-letters-more"
    profile = "[profile {}]\nrole_arn = arn:aws:iam::111122223333:role/readonly\nsource_profile = jane.doe\n"
    h.config("".join(profile.format(name + letter) for letter in "abc"))
    lines = _seen(h, 80, "platform")
    assert [line.split()[0] for line in lines[1:4]] == [name + letter for letter in "abc"]
    assert lines[5:] == ["in every row: ROLE readonly, ACCOUNT 111122223333, SOURCE jane.doe, STATE ready"]


def test_what_is_the_same_in_each_row_with_a_role_goes_too(h: Home) -> None:
    names = (
        "platform-production-eu-readonly",
        *(f"platform-production-{region}-admin" for region in ("eu", "us", "ap")),
    )
    through = "".join(
        f"[profile {name}]\ncredential_process = {PROGRAM} --profile {name}\n"
        f"credproc_role_arn = arn:aws:iam::11112222333{at}:role/{name}\ncredproc_source_profile = jane.doe\n"
        for at, name in enumerate(names)
    )
    h.config(
        f"[default]\nregion = eu-west-1\n{through}[profile jane.doe]\nmfa_serial = arn:aws:iam::111122223333:mfa/jane\n"
    )
    lines = _seen(h, 80)
    assert lines[0].split() == ["PROFILE", "ROLE", "ACCOUNT", "STATE"]
    assert lines[2] == "source jane.doe, MFA jane"
    assert [line.split()[0] for line in lines[3:7]] == list(names)
    assert lines[-1] == "in every row with a role: CREDPROC yes"


@pytest.mark.parametrize(
    ("words", "count"),
    [(("platform",), 27), (("PLATFORM", "readonly"), 9), (("111122223333",), 3), (("AWSReserved",), 8), (("zzz",), 0)],
)
def test_it_is_filtered_by_name_account_or_role(h: Home, words: tuple[str, ...], count: int) -> None:
    h.config(config(40))
    assert len(h.run("list", "--names", *words).stdout.splitlines()) == count
    ran = h.run("list", *words)
    assert ran.status == 0
    assert len(ran.stdout.splitlines()) == count + 1 if count else ran.stdout.startswith("no profile has 'zzz'")


def test_a_default_profile_with_a_region_alone_is_no_error(h: Home) -> None:
    h.config("[default]\nregion = eu-west-1\n[profile lost]\nregion = eu-west-1\n")
    found = dict(line.split(maxsplit=1) for line in h.run("list").stdout.splitlines())
    assert found["default"].endswith("  settings only")
    assert "no setting names their source" in found["lost"]
