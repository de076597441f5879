"""Whether the user is signed in where a source wants that, by the files that the AWS CLI leaves: without network."""

from collections.abc import Mapping

from credproc.plan.source import Source


def is_signed_in(source: Source, environ: Mapping[str, str], now: float) -> bool:
    """Return whether the source needs no sign-in, or has one at ``now`` (epoch seconds), as far as files tell."""
    match source.kind:
        case "IdentityCenter":
            from credproc.sources import sso_token  # noqa: PLC0415 - one kind alone

            return sso_token.is_signed_in(source, now)
        case "LoginSession":
            from credproc.sources import login_session  # noqa: PLC0415 - the same

            return login_session.is_signed_in(source, environ)
        case _:
            return True
