"""Which files are credproc's own: by their whole names, and the same that the documentation tells of."""

import re
from pathlib import Path

import pytest

from credproc import cache, log, notes, own_files
from credproc.files import PrivateDirectory, digest
from credproc.locking import lock
from credproc.locking.directory import make_directory
from credproc.stores.file import FileStore

HASH = digest("x")
STEMS = {"HASH": HASH, "NN": "0a", "RANDOM": "0123456789abcdef", "…": f"{HASH}.entry"}
NAMES = [re.sub("|".join(STEMS), lambda part: STEMS[part[0]], form) for form in own_files.FORMS]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_each_form_is_own_also_while_it_is_written_and_no_part_of_it_is(name: str) -> None:
    assert own_files.is_own_name(name)
    assert own_files.is_own_name(f"{name}.12345-0a1b2c3d.tmp")
    for other in (f"x{name}", f"{name}x", f"{name}\n", f"./{name}", name[1:], name[:-1], f"{name}.tmp", name.upper()):
        assert not own_files.is_own_name(other), other


def test_what_the_program_makes_has_such_a_name() -> None:
    locks = [HASH, HASH + cache.SUFFIX, f"keys-{HASH}", "terminal-ff", "terminal-00.notice", "window"]
    made = [cache.entry_name("admin", {}), log.NAME, HASH + FileStore.suffix]
    made += [stem + lock.SUFFIX for stem in locks]
    made += [stem + notes.REFUSAL.suffix for stem in (HASH, HASH + cache.SUFFIX)]
    assert [name for name in made if not own_files.is_own_name(name)] == []


def test_the_documentation_tells_of_each_form_and_of_no_other() -> None:
    page = (Path(__file__).parent.parent / "docs" / "security.md").read_text(encoding="utf-8")
    section = page.partition("\n## What is stored where\n")[2].partition("\n## ")[0]
    told = re.findall(r"^\| `([^`]+)` (?:and `([^`]+)` )?\|", section, re.MULTILINE)
    assert sorted(name for names in told for name in names if name) == sorted(own_files.FORMS)


@pytest.mark.posix("modes of files")
def test_only_own_files_are_listed(tmp_path: Path) -> None:
    directory: PrivateDirectory = make_directory(str(tmp_path / "cache"))
    for name in (HASH + cache.SUFFIX, "foreign.entry", digest("y") + cache.SUFFIX):
        directory.write(name, b"")
    (tmp_path / "cache" / (digest("y") + cache.SUFFIX)).chmod(0o644)
    assert own_files.own_names(directory, cache.SUFFIX) == [HASH + cache.SUFFIX]
    directory.close()
