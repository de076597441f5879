"""credproc setup: the edit, the question at the terminal, the trial."""

import os
import re
import shlex
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from credproc.commands.setup.change import difference, helper_path
from credproc.config.lines import ConfigLines
from credproc.errors import ConfigError, PersonNeededError
from credproc.stores.kernel import KernelStore
from credproc.terminal.windows import Terminal as Console
from tests import manyprofiles
from tests.mfa import ACCOUNT, PROMPT, World, world
from tests.posix import WINDOWS, native_home
from tests.program import BOUND_BY_MODES, PROGRAM, Home, role_home
from tests.sts import Sts, Trust, User
from tests.terminal import unbroken

ROLE = f"arn:aws:iam::{ACCOUNT}:role/admin"
QUESTION = "write this? [y/N] "
UNDONE = "profile 'admin' is as it was before setup\n"
WRITTEN = "~/.aws/config: written; the old file is ~/.aws/config.credproc-backup\n"
CONFIG = """\
# mine, by hand
[profile admin]
role_arn   = {role}   ; the one
source_profile = user1
region = us-west-2

[profile other]
role_arn = {role}
source_profile = user1
aws_secret_access_key = hunter2
"""
DIFFERENCE = f"""\
--- ~/.aws/config
+++ ~/.aws/config
@@ -1,7 +1,8 @@
 # mine, by hand
 [profile admin]
-role_arn   = {ROLE}   ; the one
-source_profile = user1
+credential_process = {PROGRAM} --profile admin
+credproc_role_arn   = {ROLE}   ; the one
+credproc_source_profile = user1
 region = us-west-2
 
 [profile other]
"""  # noqa: W293 - a line of the difference


@pytest.fixture(name="sts")
def _sts() -> Iterator[Sts]:
    with Sts() as sts:
        yield sts


@pytest.fixture(name="h")
def _home(tmp_path: Path, sts: Sts) -> Home:
    return _made(tmp_path / "home", sts, sts.user("user1"))


def _made(path: Path, sts: Sts, user: User) -> Home:
    h = role_home(path, sts, user)
    sts.role(ROLE, Trust((user.arn,)))
    h.config(CONFIG.format(role=ROLE))
    return h


def _config(h: Home) -> Path:
    return h.path / ".aws" / "config"


def _works(profile: str) -> str:
    user = re.escape(os.environ.get("USER", "")) or r"[\w-]+"
    works = rf"profile '{profile}' works: arn:aws:sts::{ACCOUNT}:assumed-role/admin/credproc-({user}|[\w-]+)\n"
    command = rf"\$Env:AWS_PROFILE = '{profile}'" if WINDOWS else f"export AWS_PROFILE={profile}"
    return rf"{works}next: {command}\n"


def test_setup_edits_shows_and_tries(h: Home, sts: Sts) -> None:
    before = _config(h).read_bytes()
    ran = h.run("setup", "admin", "--yes")
    assert (ran.status, ran.stderr) == (0, "")
    assert re.fullmatch(re.escape(native_home(DIFFERENCE + WRITTEN)) + _works("admin"), ran.stdout)
    backup = _config(h).with_name("config.credproc-backup")
    assert backup.read_bytes() == before
    assert WINDOWS or stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert [call.action for call in sts.calls] == ["AssumeRole", "GetCallerIdentity"]
    assert sorted(path.name for path in _config(h).parent.iterdir()) == [
        "config",
        "config.credproc-backup",
        "credentials",
    ]
    assert h.run("--profile", "admin").document["Version"] == 1
    ran = h.run("setup", "admin", "--undo", "--yes")
    assert (ran.status, ran.stderr) == (0, "")
    assert ran.stdout.endswith(
        f"+source_profile = user1\n region = us-west-2\n \n [profile other]\n{native_home(WRITTEN)}{UNDONE}"
    )
    assert _config(h).read_bytes() == before


@pytest.mark.posix("the quotation marks of a shell, in a hint")
@pytest.mark.parametrize(
    ("name", "header", "plain"),
    [("my user", "'my user'", "my-user-role"), ("r&d", "r&d", "r-d-role"), ("josé", "josé", "jos-role")],
)
def test_a_name_that_sdks_cannot_pass_on_is_set_up_with_a_plain_one_behind_it(
    h: Home, name: str, header: str, plain: str
) -> None:
    _config(h).write_text(_config(h).read_text().replace("[profile admin]", f"[profile {header}]"))
    before = _config(h).read_bytes()
    ran = h.run("setup", name, "--yes")
    assert (ran.status, ran.stdout) == (1, "")
    assert f"credproc setup {shlex.quote(name)} --separate" in ran.stderr
    assert _config(h).read_bytes() == before
    ran = h.run("setup", name, "--separate", "--yes")
    assert (ran.status, ran.stderr) == (0, "")
    assert f"[profile {header}]\ncredential_process = {PROGRAM} --profile {plain}\n" in _config(h).read_text()
    assert h.run("--profile", name).document["Version"] == 1
    assert h.run("setup", name, "--undo", "--yes").status == 0
    assert _config(h).read_bytes() == before


def test_setup_separate_moves_the_role_behind(h: Home) -> None:
    before = _config(h).read_bytes()
    ran = h.run("setup", "admin", "--separate", "--yes")
    assert (ran.status, ran.stderr) == (0, "")
    assert ran.stdout.startswith(
        native_home("--- ~/.aws/config\n+++ ~/.aws/config\n")
        + f"""\
@@ -1,5 +1,9 @@
 # mine, by hand
 [profile admin]
+credential_process = {PROGRAM} --profile admin-role
+region = us-west-2
+
+[profile admin-role]
 role_arn   = {ROLE}   ; the one
"""
    )
    assert re.search(_works("admin") + r"\Z", ran.stdout)
    listed = h.run("list").stdout
    assert re.search(r"^admin .* yes +cached for ", listed, re.MULTILINE)
    assert re.search(r"^admin-role .* as admin +ready$", listed, re.MULTILINE)
    assert h.run("setup", "admin", "--undo", "--yes").status == 0
    assert _config(h).read_bytes() == before


def test_setup_again_changes_nothing_and_tries_it(h: Home) -> None:
    h.run("setup", "admin", "--yes")
    before = _config(h).read_bytes()
    ran = h.run("setup", "admin")
    assert (ran.status, ran.stderr) == (0, "")
    assert re.fullmatch(
        re.escape(native_home("~/.aws/config")) + r": profile 'admin' already uses .*\n" + _works("admin"), ran.stdout
    )
    assert _config(h).read_bytes() == before


def test_setup_again_follows_a_program_that_has_moved(h: Home) -> None:
    h.run("setup", "admin", "--yes")
    after = _config(h).read_bytes()
    _config(h).write_bytes(after.replace(PROGRAM.encode(), b"/gone/credproc"))
    assert h.run("setup", "admin", "--yes").status == 0
    assert _config(h).read_bytes() == after


@pytest.mark.posix("links, which Windows makes for administrators alone")
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_setup_keeps_line_ends_a_link_and_the_mode(h: Home, tmp_path: Path, ending: str, last: bool) -> None:  # noqa: FBT001
    text = CONFIG.format(role=ROLE).replace("\n", ending)
    real = tmp_path / "dotfiles" / "aws-config"
    real.parent.mkdir()
    real.write_bytes((text if last else text.rstrip("\r\n")).encode())
    real.chmod(0o644)
    before = real.read_bytes()
    _config(h).unlink()
    _config(h).symlink_to(real)
    assert h.run("setup", "admin", "--yes").status == 0
    assert _config(h).is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o644
    assert real.read_bytes() != before
    assert [path.name for path in real.parent.iterdir()] == ["aws-config"]
    assert _config(h).with_name("config.credproc-backup").read_bytes() == before
    assert h.run("setup", "admin", "--undo", "--yes").status == 0
    assert real.read_bytes() == before


def test_setup_keeps_the_owner(h: Home) -> None:
    nobody = 65534 if os.geteuid() == 0 else os.geteuid()
    group = 65534 if os.geteuid() == 0 else os.getegid()
    os.chown(_config(h), nobody, group)
    assert h.run("setup", "admin", "--yes").status == 0
    for path in (_config(h), _config(h).with_name("config.credproc-backup")):
        assert (path.stat().st_uid, path.stat().st_gid) == (nobody, group)
    assert "credproc_role_arn" in _config(h).read_text()


@pytest.mark.posix("the error of POSIX for a directory in the place of a file")
def test_setup_leaves_nothing_behind_where_the_backup_cannot_be_made(h: Home) -> None:
    backup = _config(h).with_name("config.credproc-backup")
    backup.mkdir()
    before = _config(h).read_bytes()
    ran = h.run("setup", "admin", "--yes")
    assert (ran.status, ran.stdout) == (1, "")
    assert ran.stderr.startswith("credproc: error: ~/.aws/config: cannot be written: is a directory\n")
    assert _config(h).read_bytes() == before
    assert sorted(path.name for path in backup.parent.iterdir()) == ["config", "config.credproc-backup", "credentials"]


def _fail(h: Home, *arguments: str, status: int = 1, words: tuple[str, ...]) -> None:
    """Assert that setup fails with this status and these words, and writes nothing; messages/ has the sentences."""
    before = _config(h).read_bytes()
    ran = h.run("setup", *arguments, start_new_session=True)
    assert (ran.status, ran.stdout) == (status, "")
    assert ran.stderr.startswith(native_home(f"credproc: error: {words[0]}"))
    assert [word for word in words if native_home(word) not in ran.stderr] == [], ran.stderr
    assert _config(h).read_bytes() == before
    assert not _config(h).with_name("config.credproc-backup").exists()


def test_setup_without_a_terminal_asks_for_yes(h: Home) -> None:
    _fail(h, "admin", status=3, words=("setup: ", "terminal", "--yes"))
    _fail(h, status=3, words=("setup: ", "terminal", "admin other"))


KEYS = "source_profile = user1\naws_access_key_id = AKIA\naws_secret_access_key = s\n"
OURS = "credential_process = /usr/bin/credproc --profile admin\n"


@pytest.mark.parametrize(
    ("config", "arguments", "words"),
    [
        ("[profile admin]\nrole_arn = x\n", ["amin", "--yes"], ("~/.aws/config and ", "'amin'", "'admin'")),
        ('[profile "a b"]\nrole_arn = x\n', ["a b", "--yes"], ("setup: SDKs", "'a b'")),
        ("[profile admin]\nregion = x\n", ["admin", "--yes"], ("~/.aws/config:1: ", "'admin'", "role_arn")),
        (
            f"[profile admin]\nrole_arn = {ROLE}\n",
            ["admin", "--yes"],
            ("~/.aws/config:2: role_arn", "source_profile", "credential_source"),
        ),
        (
            f"[profile admin]\nrole_arn = {ROLE}\n{KEYS}",
            ["admin", "--yes"],
            ("~/.aws/config:4: aws_access_key_id", "'admin'", "credential_process"),
        ),
        (
            f"[profile admin]\nrole_arn = {ROLE}\nsource_profile = user1\ncredential_process = /other x\n",
            ["admin", "--yes"],
            ("~/.aws/config:4: ", "credential_process", "by hand"),
        ),
        (
            f"[profile admin]\nrole_arn = {ROLE}\nsource_profile = user1\n{OURS}",
            ["admin", "--yes"],
            ("~/.aws/config:2: role_arn", "credential_process"),
        ),
        (
            f"[profile admin]\nrole_arn = {ROLE}\nsource_profile = user1\n",
            ["admin", "--undo", "--yes"],
            ("~/.aws/config:1: ", "'admin'", "credproc list"),
        ),
        ("[profile admin]\nregion = x\n", [], ("~/.aws/config and ", "role_arn", "credproc list")),
    ],
)
def test_setup_refuses_what_would_not_work(h: Home, config: str, arguments: list[str], words: tuple[str, ...]) -> None:
    h.config(config)
    _fail(h, *arguments, words=words)


def test_setup_says_that_the_credentials_file_has_the_role(h: Home) -> None:
    with (h.path / ".aws" / "credentials").open("a") as file:
        file.write(f"[admin]\nrole_arn = {ROLE}\n")
    _fail(h, "admin", "--yes", words=("~/.aws/credentials:5: role_arn", "'admin'", "(~/.aws/config)"))


def test_setup_undoes_nothing_in_the_credentials_file(h: Home) -> None:
    with (h.path / ".aws" / "credentials").open("a") as file:
        file.write("[bare]\ncredential_process = /usr/bin/credproc --profile bare\n")
    _fail(h, "bare", "--undo", "--yes", words=("~/.aws/credentials:5: credential_process", "by hand"))


def test_a_chain_through_a_profile_that_was_set_up_is_the_same_chain(h: Home, sts: Sts) -> None:
    last = sts.role(f"arn:aws:iam::{ACCOUNT}:role/last", Trust((ROLE,))).arn
    h.config(CONFIG.format(role=ROLE) + f"[profile last]\nrole_arn = {last}\nsource_profile = admin\n")
    for how in ([], ["--separate"]):
        assert h.run("setup", "admin", "--yes", *how).status == 0
        h.run("clear", "--all")
        assert h.run("--profile", "last").document["Version"] == 1
        assert h.run("setup", "admin", "--yes", "--undo").status == 0


def test_setup_whose_trial_fails_keeps_the_edit_and_says_what_failed(h: Home, sts: Sts) -> None:
    sts.role(ROLE, Trust(("nobody",)))
    ran = h.run("setup", "admin", "--yes")
    assert (ran.status, ran.stdout) == (1, "")
    assert ran.stderr.startswith("credproc: error: setup: the edit was written")
    assert f": {ROLE}: AssumeRole: AccessDenied: " in ran.stderr
    assert re.search(r"\ncredproc: hint: .*; credproc setup admin --undo .*\n", ran.stderr)
    assert "credproc_role_arn" in _config(h).read_text()


@pytest.mark.posix("modes of files")
def test_setup_writes_nothing_where_it_may_not(h: Home) -> None:
    before = _config(h).read_bytes()
    _config(h).parent.chmod(0o500)
    command = [*BOUND_BY_MODES, PROGRAM, "setup", "admin", "--yes"]
    try:
        ran = subprocess.run(command, env=h.environ, capture_output=True, text=True, check=False)
    finally:
        _config(h).parent.chmod(0o700)
    assert ran.returncode == 1
    assert ran.stderr.startswith("credproc: error: ~/.aws/config: cannot be written: permission denied\n")
    assert _config(h).read_bytes() == before


@pytest.mark.posix("a program without .exe")
def test_the_path_of_the_helper_is_one_that_sdks_can_read(tmp_path: Path) -> None:
    good = tmp_path / "bin" / "credproc"
    good.parent.mkdir()
    good.touch(mode=0o755)
    assert helper_path(str(good), {}) == str(good)
    assert helper_path("credproc", {"PATH": str(good.parent)}) == str(good)
    assert helper_path("/x/credproc/__main__.py", {"PATH": str(good.parent)}) == str(good)
    with pytest.raises(ConfigError, match="the path of credproc"):
        helper_path("credproc", {"PATH": "/nowhere"})
    for name in ("my dir", "it's", "d$r", "a&b", "käse"):
        with pytest.raises(ConfigError, match="SDKs cannot read this path") as caught:
            helper_path(f"/opt/{name}/credproc", {})
        assert "/usr/local/bin/credproc" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("AWS_Secret_Access_Key = hunter2", "AWS_Secret_Access_Key = (not shown)"),
        ("credproc_aws_session_token: hunter2", "credproc_aws_session_token: (not shown)"),
        ("# aws_security_token=hunter2", "# aws_security_token=(not shown)"),
        ("mfa_process = oathtool --totp -b hunter2", "mfa_process = oathtool ..."),
        ("mfa_process = oathtool\thunter2", "mfa_process = oathtool ..."),
        ('credproc_mfa_process = "/my tools/totp" hunter2', "credproc_mfa_process = /my tools/totp ..."),
        ("credential_process = 'vault read hunter2", "credential_process = 'vault ..."),
        ("; credential_process = vault hunter2", "; credential_process = vault ..."),
        ("credential_process = credproc mfa hunter2", "credential_process = credproc ..."),
        ("mfa_process =\n  oathtool hunter2", "mfa_process = \n  (not shown)"),
        ("mfa_process = oathtool\n\n# seed\n  hunter2", "mfa_process = oathtool\n\n# seed\n  (not shown)"),
        ("credential_process = /bin/credproc --profile b", "credential_process = /bin/credproc --profile b"),
        ("mfa_process = oathtool\nregion = x\n  y", "mfa_process = oathtool\nregion = x\n  y"),
    ],
)
def test_the_difference_shows_no_secret(line: str, shown: str) -> None:
    # the line may be context, or be changed by setup
    last = line.count("\n") + 1
    cases: tuple[tuple[str, dict[int, str]], ...] = (
        (f"a\n{line}", {0: "b\n"}),
        (f"{line}\na", {last: "b"}),
        ("a\n", {0: f"a\n{line}"}),
        (f"{line}\na", dict.fromkeys(range(last), "")),
    )
    for before, changed in cases:
        lines = [*difference(ConfigLines(before), changed, "f")][3:]
        assert lines
        assert {each[1:].rstrip() for each in lines} <= {each.rstrip() for each in ("a", "b", "", *shown.split("\n"))}


def _several(h: Home, sts: Sts) -> bytes:
    """Give the home two sources, three role profiles and one whose name SDKs cannot pass on; return the file."""
    second = sts.user("user2")
    sts.role(ROLE, Trust((sts.user("user1").arn, second.arn)))
    users = (("user1", sts.user("user1")), ("user2", second))
    h.credentials(
        "".join(
            f"[{name}]\naws_access_key_id = {user.access_key_id}\naws_secret_access_key = {user.secret_access_key}\n"
            for name, user in users
        )
    )
    names = (("admin", "user1"), ("other", "user1"), ("third", "user2"), ("'two words'", "user2"))
    h.config("".join(f"[profile {name}]\nrole_arn = {ROLE}\nsource_profile = {user}\n\n" for name, user in names))
    return _config(h).read_bytes()


def test_setup_all_is_one_edit_and_a_trial_for_each_source_and_can_be_undone(h: Home, sts: Sts) -> None:
    before = _several(h, sts)
    ran = h.run("setup", "--all", "--yes")
    assert (ran.status, ran.stderr) == (0, "")
    assert ran.stdout.count(native_home("--- ~/.aws/config\n")) == 1
    assert ran.stdout.count("+credential_process = ") == 3
    assert [call.action for call in sts.calls] == ["AssumeRole", "GetCallerIdentity"] * 2
    said = ran.stdout.partition(native_home(WRITTEN))[2]
    next_step = "$Env:AWS_PROFILE = 'admin'" if WINDOWS else "export AWS_PROFILE=admin"
    assert re.sub(r"arn:\S+[^,\s]", "ARN", said.partition("left out: ")[2]) == (
        "profile 'two words': setup: SDKs cannot pass on the profile name 'two words'\n"
        "profile 'admin' works: ARN, and 1 more has the same source\n"
        "profile 'third' works: ARN\n"
        "3 profiles are used through credproc\n"
        f"next: {next_step}\n"
    )
    ran = h.run("setup", "--undo", "--all", "--yes")
    assert (ran.status, ran.stderr) == (0, "")
    assert ran.stdout.endswith(f"{native_home(WRITTEN)}3 profiles are as they were before setup\n")
    assert _config(h).read_bytes() == before


def test_setup_takes_several_names_and_writes_nothing_if_one_of_them_is_wrong(h: Home, sts: Sts) -> None:
    before = _several(h, sts)
    ran = h.run("setup", "admin", "nobody", "--yes")
    assert (ran.status, ran.stdout) == (1, "")
    assert _config(h).read_bytes() == before
    ran = h.run("setup", "admin", "third", "admin", "--yes")
    assert (ran.status, ran.stdout.count("+credential_process = ")) == (0, 2)
    assert h.run("setup", "--undo", "third", "admin", "--yes").status == 0
    assert _config(h).read_bytes() == before
    for arguments in (("--all", "admin"), ("",)):
        assert h.run("setup", *arguments, "--yes").status == 2


def test_a_source_that_does_not_work_is_told_and_the_others_are_tried(h: Home, sts: Sts) -> None:
    _several(h, sts)
    sts.role(ROLE, Trust((sts.user("user2").arn,)))
    ran = h.run("setup", "--all", "--yes")
    assert (ran.status, ran.stderr) == (1, "")
    assert re.search(r"^profile 'admin' does not work.*AccessDenied", ran.stdout, re.MULTILINE)
    assert re.search(r"^profile 'third' works", ran.stdout, re.MULTILINE)


def test_the_difference_has_the_lines_that_change_and_no_others() -> None:
    text = "".join(f"[profile p{number}]\nregion = x\noutput = json\n\n" for number in range(300))
    lines = list(difference(ConfigLines(text), {4 * 150 + 1: "region = y\n", 4 * 150 + 2: ""}, "f"))
    assert [line for line in lines[3:] if line[0] != " "] == ["-region = x", "-output = json", "+region = y"]
    assert lines[:3] == ["--- f", "+++ f", "@@ -599,8 +599,7 @@"]


# --- at the terminal ---------------------------------------------------------------------------------------------


@pytest.fixture(name="w")
def _world(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "home") as found:
        yield found


def test_setup_shows_the_difference_and_asks(w: World) -> None:
    job = w.start("setup", "admin")
    seen = w.terminal.expect(QUESTION)
    assert f"+credential_process = {PROGRAM} --profile admin\r\r\n" in seen
    assert w.terminal.echo
    w.terminal.send("y\n")
    seen = w.terminal.expect(PROMPT)
    assert seen.replace("\r", "").startswith(f"y\n{WRITTEN}")
    w.type_code()
    ran = job.outcome(30)
    assert (ran.status, ran.stderr) == (0, "")
    assert re.fullmatch(_works("admin"), ran.stdout)
    job = w.start("setup", "--undo", "admin")
    w.terminal.expect(QUESTION)
    w.terminal.send("yes\n")
    assert job.outcome() == (0, WRITTEN + UNDONE, "")


def test_a_difference_that_is_longer_than_a_terminal_takes_at_once_is_shown_whole(w: World) -> None:
    w.home.config(manyprofiles.config(400))
    w.home.credentials(manyprofiles.KEYS)
    job = w.start("setup", "--all")
    seen = w.terminal.expect(QUESTION, 20)
    w.terminal.send("n\n")
    assert job.outcome(30).status == 3
    assert seen.count("+credential_process = ") == seen.count("+credproc_role_arn = ") == 320


@pytest.mark.parametrize("answer", ["n\n", "\n", "yess\n"])
def test_setup_without_a_yes_writes_nothing(w: World, answer: str) -> None:
    before = _config(w.home).read_bytes()
    attributes = w.terminal.attributes
    job = w.start("setup", "admin")
    w.terminal.expect(QUESTION)
    w.terminal.send(answer)
    ran = job.outcome()
    assert (ran.status, ran.stdout) == (3, "")
    assert ran.stderr.startswith("credproc: setup: declined; ")
    assert _config(w.home).read_bytes() == before
    assert w.terminal.attributes == attributes


def test_setup_is_cancelled_by_ctrl_d_and_by_ctrl_c(w: World) -> None:
    for key, status in (("\x04", 3), ("\x03", -2)):
        job = w.start("setup", "admin")
        w.terminal.expect(QUESTION)
        w.terminal.send(key)
        ran = job.outcome()
        assert (ran.status, ran.stdout) == (status, "")
        assert "credproc_" not in _config(w.home).read_text()
        if key == "\x04":
            assert ran.stderr.startswith("credproc: error: setup: cancelled; nothing was written\n")


def test_setup_stopped_and_continued_asks_again(w: World) -> None:
    job = w.start("setup", "admin")
    w.terminal.expect(QUESTION)
    w.terminal.send("\x1a")
    job.wait_stopped()
    job.resume()
    w.terminal.expect(QUESTION)
    w.terminal.send("n\n")
    assert job.outcome().status == 3


def test_setup_without_a_name_lets_one_choose(w: World) -> None:
    _config(w.home).write_text(
        _config(w.home).read_text() + f"[profile second]\nrole_arn = {w.role('second')}\nsource_profile = user1\n"
    )
    job = w.start("setup")
    seen = w.terminal.expect("which profile? [1-2, or letters to narrow it down] ")
    assert f"  1  admin   arn:aws:iam::{ACCOUNT}:role/admin\r\r\n" in seen
    assert f"  2  second  arn:aws:iam::{ACCOUNT}:role/second\r\r\n" in seen
    w.terminal.send("2\n")
    seen = w.terminal.expect(QUESTION)
    assert f"+credential_process = {PROGRAM} --profile second\r\r\n" in seen
    w.terminal.send("n\n")
    assert job.outcome().status == 3
    job = w.start("setup")
    w.terminal.expect("which profile? [1-2, or letters to narrow it down] ")
    w.terminal.send("\n")
    ran = job.outcome()
    assert ran.status == 3
    assert re.search(r"credproc: setup: no profile was chosen.*\n.*hint: .*admin second\n", ran.stderr)


def test_setup_asks_nobody_where_that_is_forbidden(w: World) -> None:
    ran = w.start("setup", "admin", environ={"CREDPROC_INTERACTIVE": "never"}).outcome()
    assert ran.status == 3
    assert ran.stderr.startswith("credproc: error: setup: CREDPROC_INTERACTIVE=never")


def test_a_file_that_changes_while_a_person_reads_is_not_overwritten(w: World) -> None:
    job = w.start("setup", "admin")
    w.terminal.expect(QUESTION)
    edited = _config(w.home).read_text() + "# more\n"
    _config(w.home).write_text(edited)
    w.terminal.send("y\n")
    ran = job.outcome()
    assert ran.status == 1
    assert ran.stderr.startswith("credproc: error: ~/.aws/config: was changed ")
    assert _config(w.home).read_text() == edited


class _Keys:
    def __init__(self, typed: str) -> None:
        self.typed = typed
        self.begun = False

    def kbhit(self) -> bool:
        begun, self.begun = self.begun, True
        return begun and bool(self.typed)

    def getwch(self) -> str:
        key, self.typed = self.typed[0], self.typed[1:]
        return key


def test_on_a_console_an_answer_is_shown(tmp_path: Path) -> None:
    output = tmp_path / "console"
    console = Console(_Keys("yn\b\r"), str(output))
    assert console.ask("write? ", time.monotonic() + 5, lambda: None, shown=True) == "y"
    assert output.read_bytes() == b"\rwrite? yn\b \b\r\n"
    console.close()
    console = Console(_Keys("\x1b"), str(output))
    with pytest.raises(PersonNeededError):
        console.ask("write? ", time.monotonic() + 5, lambda: None, shown=True)
    console.close()


def _without_a_store(w: World) -> str:
    """Let sessions be kept in a keyring that there is not; return the store that is offered."""
    del w.home.environ["CREDPROC_SESSION_STORE"]
    path = _config(w.home)
    path.write_text(path.read_text() + "credproc_session_store = keyring\n")  # to the profile with the device
    return "file" if KernelStore().unavailable_reason() else "kernel"


@pytest.mark.parametrize("answer", ["y\n", "\n"])
def test_setup_offers_to_keep_sessions_elsewhere_before_a_code_is_asked_for(w: World, answer: str) -> None:
    offered = _without_a_store(w)
    before = _config(w.home).read_text()
    job = w.start("setup", "admin")
    w.terminal.expect(QUESTION)
    w.terminal.send("y\n")
    said = w.terminal.expect(f"write credproc_session_store = {offered} into profile 'user1'? [y/N] ")
    reason = "no MFA session can be kept, so each role asks for a code: there is no keyring here: no D-Bus session"
    assert reason in unbroken(said)
    w.terminal.send(answer)
    w.terminal.expect(PROMPT)
    w.type_code()
    ran = job.outcome(30)
    assert (ran.status, ran.stderr) == (0, "")
    is_set = answer == "y\n"
    line = f"credproc_session_store = {offered}"
    assert (f"~/.aws/config: written: {line} in profile 'user1'\n" in ran.stdout) is is_set
    assert _config(w.home).read_text().endswith(f"\n{line}\n" if is_set else "\ncredproc_session_store = keyring\n")
    assert w.actions[0] == ("GetSessionToken" if is_set else "AssumeRole")
    assert w.home.run("logout", "--profile", "admin").status == 0
    assert w.home.run("setup", "admin", "--undo", "--yes").status == 0
    assert _config(w.home).read_text() == before


def test_setup_with_yes_says_what_would_keep_sessions_and_does_not_choose(w: World) -> None:
    offered = _without_a_store(w)
    job = w.start("setup", "admin", "--yes")
    w.terminal.expect(PROMPT)
    w.type_code()
    ran = job.outcome(30)
    assert ran.status == 0
    assert f"no D-Bus session; credproc_session_store = {offered} in profile 'user1' would keep it\n" in ran.stdout
    assert _config(w.home).read_text().endswith("\ncredproc_session_store = keyring\n")
