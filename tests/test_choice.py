"""The menu of a command for which no profile is named."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mfa import World, profile, user_profile, world

SEVERAL = "which profile? [1-%d, or letters to narrow it down] "
ONE = "which profile? [Enter takes %s] "
CHOOSING: tuple[tuple[str, ...], ...] = (
    *((name,) for name in ("explain", "policy", "login", "logout", "clear", "console")),
    ("exec", "--", "true"),
    ("export", "--format", "bash"),
)


@pytest.fixture(name="w")
def _world(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "home", ("admin", "other")) as found:
        yield found


def _many(w: World, number: int) -> None:
    names = [f"{team}-{stage}" for stage in ("dev", "production") for team in map("team{:03}".format, range(number))]
    role = w.role("admin")
    w.home.config("".join(profile(name, role) for name in names) + user_profile(w.user))


def test_a_number_chooses(w: World) -> None:
    job = w.start("explain", "--json")
    seen = w.terminal.expect(SEVERAL % 3)
    assert [line.split() for line in seen.replace("\r", "").splitlines()[-3:]] == [
        ["1", "admin", "admin", "in", "123456789012"],
        ["2", "other", "other", "in", "123456789012"],
        ["3", "user1", "keys"],
    ]
    w.terminal.send("2\n")
    ran = job.outcome()
    assert (ran.status, json.loads(ran.stdout)["profile"]) == (0, "other")


def test_letters_narrow_it_down_and_enter_takes_the_only_one_left(w: World) -> None:
    _many(w, 20)
    job = w.start("policy", "--json")
    seen = w.terminal.expect(SEVERAL % 20)
    assert "and 20 more" in seen
    w.terminal.send("prod\n")
    w.terminal.expect(SEVERAL % 20)
    w.terminal.send("TEAM01 123456789012\n")
    w.terminal.expect(SEVERAL % 10)
    w.terminal.send("nothing\n")
    assert "no profile has 'nothing' in its line" in w.terminal.expect(SEVERAL % 10)
    w.terminal.send("17\n")
    w.terminal.expect(ONE % "team017-production")
    w.terminal.send("\n")
    assert job.outcome().status == 0


def test_what_left_the_menu_can_still_be_found(w: World) -> None:
    _many(w, 3)
    job = w.start("policy")
    w.terminal.expect(SEVERAL % 6)
    w.terminal.send("prod\n")
    w.terminal.expect(SEVERAL % 3)
    w.terminal.send("dev\n")
    w.terminal.expect(SEVERAL % 3)
    w.terminal.send("team002-production\n")
    assert job.outcome().status == 0


def test_enter_alone_chooses_none_of_several(w: World) -> None:
    job = w.start("clear")
    w.terminal.expect(SEVERAL % 3)
    w.terminal.send("\n")
    ran = job.outcome()
    assert (ran.status, ran.stdout) == (3, "")


@pytest.mark.parametrize("command", CHOOSING, ids=lambda command: command[0])
def test_without_a_terminal_the_error_names_what_to_write(w: World, command: tuple[str, ...]) -> None:
    ran = w.home.run(*command, start_new_session=True)
    assert (ran.status, ran.stdout) == (3, "")
    assert f"credproc {command[0]} NAME" in ran.stderr
    assert "--profile NAME" in ran.stderr
    assert "AWS_PROFILE" in ran.stderr


@pytest.mark.parametrize("command", [("explain", "--json"), ("policy", "--json")], ids=lambda command: command[0])
def test_a_name_is_taken_from_any_place(w: World, command: tuple[str, ...]) -> None:
    wanted = w.home.run(*command, "other")
    assert wanted.status == 0
    assert w.home.run(*command, "--profile", "other") == wanted
    assert w.home.run(*command, "--profile=other") == wanted
    assert w.home.run("--profile", "other", *command) == wanted
    assert w.home.run(*command, environ={"AWS_PROFILE": "other"}, start_new_session=True) == wanted
    assert w.home.run("--profile", "other", *command, "admin").status == 2


@pytest.mark.parametrize(
    ("command", "there"),
    [("policy", ("admin", "other")), ("logout", ("admin", "other", "user1")), ("console", ("admin", "other"))],
)
def test_the_menu_has_what_the_command_means(w: World, command: str, there: tuple[str, ...]) -> None:
    w.home.config((w.home.path / ".aws" / "config").read_text() + "[default]\nregion = us-west-2\n")
    job = w.start(command)
    seen = w.terminal.expect("which profile? ")
    lines = [line.split() for line in seen.replace("\r", "").splitlines()]
    assert tuple(line[1] for line in lines if line and line[0].isdigit()) == there
    w.terminal.send("\x04")
    assert job.outcome().status == 3


def test_in_a_container_nobody_is_asked(w: World) -> None:
    variables = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/"}
    ran = w.home.run("explain", environ=variables, start_new_session=True)
    assert (ran.status, ran.stderr) == (0, "")
    assert ran.stdout.startswith("no profile named\n")
