"""The conformance kit: every rule is seen to be broken by a helper that breaks it, and credproc keeps them all."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("the rigs are made for Linux", allow_module_level=True)

from tests.conformance import compared
from tests.conformance.report import Row, as_json, as_markdown, as_text, broken, examined
from tests.conformance.rules import RULES
from tests.conformance.subject import Subject
from tests.conformance.wrong import RIGHT, SECRET, WRONG, Wrong, after, document, written
from tests.mfa import world
from tests.program import PROGRAM, ROLE, role_home
from tests.sts import Sts, Trust

ROOT = Path(__file__).parent.parent
NAMES = [f"{wrong.rule}-{number}" for number, wrong in enumerate(WRONG)]
LINE = f"{PROGRAM} --profile admin"
FAILING = f"{PROGRAM} --profile nobody"


def states(rows: Sequence[Row], *wanted: str) -> dict[str, str]:
    """Return what the rules in one of these states have seen, by their ids."""
    return {row.rule.id: row.found.observed for row in rows if row.found.state in wanted}


REPORTED = pytest.mark.xdist_group("reports")  # they are made once, in one of pytest's processes


@pytest.fixture(name="reports", scope="module")
def _reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Row]]:
    """Return what the kit says of the right helper and of each wrong one; many at a time, as most of it is waiting."""
    slow_first = sorted(range(len(WRONG)), key=lambda number: WRONG[number].asking is None)
    subjects = {"right": written(tmp_path_factory.mktemp("right"), RIGHT)}
    subjects |= {NAMES[number]: written(tmp_path_factory.mktemp("wrong"), WRONG[number]) for number in slow_first}
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(subjects, pool.map(examined, subjects.values()), strict=True))


@REPORTED
@pytest.mark.parametrize(("name", "wrong"), list(zip(NAMES, WRONG, strict=True)), ids=NAMES)
def test_a_helper_that_breaks_a_rule_is_caught_by_that_rule_alone(
    reports: dict[str, list[Row]], name: str, wrong: Wrong
) -> None:
    rows = reports[name]
    assert wrong.rule in states(rows, wrong.state)
    assert set(broken(rows)) == {*wrong.also, *([wrong.rule] if wrong.state == "FAIL" else [])}, states(rows, "FAIL")


def test_every_rule_has_a_helper_that_breaks_it() -> None:
    assert {wrong.rule for wrong in WRONG} == {rule.id for rule in RULES}
    assert len({rule.id for rule in RULES}) == len(RULES)


def test_every_rule_says_what_it_expects_whom_it_protects_and_where_that_is_written() -> None:
    for rule in RULES:
        assert rule.says.endswith("."), rule.id
        assert "\n" not in rule.says, rule.id
        assert all((rule.expected, rule.protects, rule.source)), rule.id


@REPORTED
def test_a_right_helper_keeps_every_rule_and_all_are_looked_at(reports: dict[str, list[Row]]) -> None:
    assert states(reports["right"], "FAIL", "info", "skip") == {}


@REPORTED
def test_no_report_holds_a_secret(reports: dict[str, list[Row]]) -> None:
    for rows in reports.values():
        for text in (as_text(rows), as_json("a line", rows), as_markdown({"observed": rows})):
            assert SECRET not in text
            assert SECRET[:12] not in text


@REPORTED
def test_a_comparison_shows_the_rules_that_not_all_keep(reports: dict[str, list[Row]]) -> None:
    wrong = next(name for name in NAMES if name.startswith("no-bom"))
    columns = {"right": reports["right"], "wrong": reports[wrong]}
    assert as_markdown(columns).count("\n") == len(RULES) + 3
    shown = as_markdown(columns, different=True).splitlines()
    cells = [line.split(" | ")[:3] for line in shown[2:-1] if "not looked at" not in line and "| - " not in line]
    assert cells == [
        ["| No byte order mark stands before the document.", "ok", "**FAIL** a BOM"],
        [
            "| The document is written whole, by one write.",
            "ok",
            f"**FAIL** 2 writes: 3, {len(json.dumps(document())) + 1} bytes",
        ],
    ]


# The command


def helper_that_prints(directory: Path, **changes: object) -> str:
    path = directory / "helper"
    path.write_text(f"#!/bin/sh\n[ $# = 1 ] || exit 2\necho '{json.dumps(document(**changes))}'\n")
    path.chmod(0o755)
    return str(path)


def kit(*arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tests.conformance", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_command_prints_a_table_and_ends_with_1_where_a_rule_is_broken(tmp_path: Path) -> None:
    helper = helper_that_prints(tmp_path, AccountId=12)
    ran = kit("--", helper, "profile")
    assert (ran.returncode, ran.stderr) == (1, "")
    lines = [line.split() for line in ran.stdout.splitlines()]
    assert lines[0] == ["rule", "state", "observed", "expected"]
    assert [line[0] for line in lines if line[1:2] == ["FAIL"]] == ["account-id"]
    assert SECRET not in ran.stdout


def test_json_holds_all_and_the_status_is_0_where_every_rule_is_kept(tmp_path: Path) -> None:
    helper = helper_that_prints(tmp_path)
    ran = kit("--json", "--parallel", "3", "--", f"{helper} profile")
    assert (ran.returncode, ran.stderr) == (0, "")
    report = json.loads(ran.stdout)
    assert report["broken"] == []
    assert [found["rule"] for found in report["rules"]] == [rule.id for rule in RULES]
    assert set(report["rules"][0]) == {"rule", "says", "state", "observed", "expected", "protects", "source"}
    assert next(found for found in report["rules"] if found["rule"] == "parallel")["observed"] == "3 of 3"


def test_a_short_session_is_no_failure_where_it_is_said_to_be_short(tmp_path: Path) -> None:
    helper = helper_that_prints(tmp_path, Expiration=after(600))
    assert json.loads(kit("--json", "--", helper, "profile").stdout)["broken"] == ["lifetime"]
    assert kit("--short-lived", "--", helper, "profile").returncode == 0


def test_a_command_that_cannot_be_run_is_an_error_of_one_line() -> None:
    ran = kit("--", "/no/such/helper", "profile")
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)
    assert ran.stderr.startswith("conformance: error: /no/such/helper profile: ")


# credproc


@pytest.mark.parametrize("reset", [None, f"{PROGRAM} clear --all"], ids=["warm", "cold"])
def test_credproc_keeps_every_rule(tmp_path: Path, reset: str | None) -> None:
    with Sts() as sts:
        user = sts.user("user1")
        sts.role(ROLE, Trust((user.arn,)))
        home = role_home(tmp_path / "home", sts, user)
        home.settle()
        rows = examined(Subject(LINE, home.environ, failing=FAILING, reset=reset))
    assert states(rows, "FAIL", "info") == {}
    assert all("--asking" in observed for observed in states(rows, "skip").values())


def test_credproc_that_was_signed_in_with_mfa_keeps_every_rule_and_so_does_its_question(tmp_path: Path) -> None:
    with world(tmp_path / "home", ["admin", "person"]) as w:
        w.home.settle()
        w.answered("admin")
        asking = f"env CREDPROC_SESSION_STORE=none CREDPROC_CACHE_DIR={tmp_path}/empty {PROGRAM} --profile person"
        rows = examined(Subject(LINE, w.home.environ, failing=FAILING, asking=asking))
    assert states(rows, "FAIL", "info") == {}
    assert set(states(rows, "skip")) == {"asking-deadline"}


@pytest.mark.skipif(shutil.which(compared.AWS) is None, reason="needs the AWS CLI v2, Debian's awscli")
def test_both_helpers_that_are_compared_reach_their_own_sts(tmp_path: Path) -> None:
    with ExitStack() as stack:
        helpers = compared.subjects(tmp_path, stack)
        assert [helper.plain.document is not None for helper in helpers.values()] == [True, True]
