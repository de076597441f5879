"""credproc keys rotate: replace the access key of an IAM user, whose profile has it in the keyring, with a new one."""

from credproc.commands.inventory import hold_lock
from credproc.commands.keys.config import profile_section
from credproc.commands.keys.iam_user import IamUser
from credproc.commands.keys.rotation import Rotation
from credproc.config.parser import read
from credproc.errors import CredprocError, SessionStoreError, quoted
from credproc.locking.directory import own_directory
from credproc.request import Request
from credproc.sources.keyring import open_keyring
from credproc.stores.mfa_sessions import session_id


def rotate(request: Request, profile: str) -> list[str]:
    """Replace the profile's access key, or finish a rotation that was interrupted; return lines with what was done.

    Raises CredprocError. After an error, the profile still has a working access key, and another run goes on.
    """
    directory = own_directory(request.environ)
    try:
        with hold_lock(directory, f"keys-{session_id('', profile, '').name}", "keys rotate"):
            config = read(request.environ)  # under the lock, as another rotation may have just finished
            keyring = open_keyring(None, request.environ)
            user = IamUser(request, profile_section(config, profile), config, keyring, directory)
            return Rotation(user).run()
    except SessionStoreError as error:
        raise CredprocError(
            f"keys rotate: profile {quoted(profile)}: {error}",
            "unlock the keyring and run the same command, which goes on where it stopped",
        ) from None
