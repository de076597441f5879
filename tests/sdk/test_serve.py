"""``credproc exec --serve``: an SDK that is told of nothing finds the endpoint by itself."""

import dataclasses
import time

import pytest

from tests.sdk.world import World

pytestmark = pytest.mark.hands_out

_LIFETIME = 15  # seconds; of credentials that credproc renews after ten
# The command itself writes [default], behind credproc's back
_WRITES_DEFAULT = ["sh", "-c", 'cat "$HOME/other" >>"$HOME/.aws/credentials"; exec "$@"', "sh"]


@pytest.fixture(name="served")
def _served(w: World) -> World:
    """Return the world where the SDK is started by ``exec --serve``, and no profile is named."""
    del w.home.environ["AWS_PROFILE"]
    command = (w.program, "exec", "admin", "--serve", "--", *w.sdk.command)
    return w._replace(sdk=dataclasses.replace(w.sdk, command=command))


def test_the_credentials_are_those_of_the_role(served: World) -> None:
    if not served.sdk.serves:
        served.assert_without_credentials()
        return
    assert served.caller(served.run()).startswith(served.session())
    assert served.runs == 0  # of the helper, that no profile names


def test_a_process_that_lives_for_longer_than_its_credentials_gets_new_ones(served: World) -> None:
    if not served.sdk.serves:
        served.assert_without_credentials()
        return
    served.sts.lifetime = _LIFETIME
    with served.process() as call:
        call()
        first = served.signers[-1]
        time.sleep(_LIFETIME + 1)  # so long are the first ones good
        call()
        call()
    assert served.signers[-1] != first
    assert served.sts.count("AssumeRole") >= 2
    assert served.runs == 0


def test_a_default_profile_comes_first_in_the_sdk_and_so_is_an_error_before_it_starts(w: World, served: World) -> None:
    other = w.sts.user("other")
    keys = f"aws_access_key_id = {other.access_key_id}\naws_secret_access_key = {other.secret_access_key}\n"
    (w.home.path / "other").write_text(f"[default]\nregion = {w.region}\n{keys}")
    run = [w.program, "exec", "admin", "--serve", "--", *_WRITES_DEFAULT, *w.argv]
    assert w.caller(w.run(run)) == other.arn
    calls = len(w.signers)
    refused = served.run()
    assert (refused.status, refused.stdout) == (1, "")
    assert ": aws_access_key_id in [default] " in refused.stderr
    assert len(w.signers) == calls
