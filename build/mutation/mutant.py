"""A mutant, the tests of its module, and their result."""

from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent

_CODES = [
    "test_mfa.py",
    *(
        f"test_prompt.py::test_{name}"
        for name in (
            "the_prompt_names_the_device_the_profile_and_the_program_and_the_code_is_not_shown",
            "without_a_terminal_it_says_which_command_to_run_in_one",
            "interactive_never_forbids_to_ask_on_a_terminal",
            "ctrl_d_cancels",
            "ctrl_c_and_its_like_end_it_by_their_signal",
            "three_codes_that_aws_refuses_end_it",
            "three_tries_without_a_code_end_it_without_a_call",
            "a_code_that_another_run_has_used_is_not_sent_again",
            "the_source_profiles_program_is_used_too",
            "a_reader_that_goes_away_withdraws_the_prompt",
            "a_caller_that_is_killed_withdraws_the_prompt",
            "text_from_the_configuration_can_only_be_read",
            "a_device_of_no_profile_of_its_own_is_asked_for_without_a_program",
            "the_program_that_asks_is_named[nine of them]",
        )
    ),
]
# The tests that notice a mutant of the module, the fastest first, because the first failure ends the run
TESTS = {
    "credproc/cache.py": ["test_files.py", "test_paths.py", "test_keep.py", "test_entries.py", "test_hit.py"],
    "credproc/locking/lock.py": ["test_files.py", "test_entries.py"],
    "credproc/mfa/code.py": _CODES,
    "credproc/mfa/__init__.py": _CODES,
    "credproc/mfa/prompt.py": _CODES,
    "credproc/credentials.py": ["test_keep.py", "test_entries.py"],
    "credproc/plan/url.py": ["test_url.py"],
    "credproc/aws/signature.py": ["test_signature.py", "test_query.py"],
    "credproc/aws/query.py": ["test_query.py"],
    "credproc/aws/answer.py": ["test_answer.py"],
    "credproc/aws/http1.py": ["test_http1.py"],
    "credproc/aws/connect.py": ["test_transport.py"],
    "credproc/aws/direct.py": ["test_transport.py"],
    "credproc/aws/proxied.py": ["test_transport.py"],
    "credproc/aws/tries.py": ["test_client.py"],
}


class Mutant(NamedTuple):
    """A module with one change that should make a test fail."""

    module: str
    where: str  # the function or class
    lines: tuple[str, ...]  # removed lines (-) and added lines (+)
    number: int  # from 1, among mutants with the same lines in the same place
    code: str

    @property
    def title(self) -> str:
        """The name in build/mutants.equivalent."""
        return f"{self.module}: {self.where}" + (f" ({self.number})" if self.number > 1 else "")

    @property
    def key(self) -> str:
        """A text that no other mutant has: the title and the lines."""
        return "\n".join((self.title, *self.lines))


class Outcome(NamedTuple):
    """The result of a mutant's tests."""

    noticed: bool
    by: str  # the test that failed, or "time"
    seconds: float


class StaleError(Exception):
    """The list of equivalent mutants is out of date, or the tests fail without a mutant."""
