"""credproc keys rotate: replace the access key of an IAM user, whose profile has it in the keyring, with a new one."""

from credproc.commands.keys.config import profile_section
from credproc.commands.keys.iam_user import IamUser
from credproc.commands.keys.keyring import key_lock
from credproc.commands.keys.rotation import Rotation
from credproc.config.parser import read
from credproc.errors import CredprocError, SessionStoreError, quoted
from credproc.locking.directory import own_directory
from credproc.request import Request
from credproc.sources.keyring import open_keyring


def rotate(request: Request, profile: str, *, yes: bool) -> list[str]:
    """Replace the profile's access key, or finish a rotation that was interrupted; return lines with what was done.

    Raises CredprocError. After an error, the profile still has a working access key, and another run goes on.
    """
    directory = own_directory(request.environ)
    keyring = open_keyring(None, request.environ)

    def read_user() -> IamUser:
        config = read(request.environ)
        return IamUser(request, profile_section(config, profile), config, keyring, directory)

    try:
        while True:
            old = read_user().rotated_key_id()
            with key_lock(directory, old, "keys rotate"):
                user = read_user()  # under the lock, as another profile's rotation may have just replaced the key
                if user.rotated_key_id() == old:
                    return Rotation(user, yes=yes).run()
    except SessionStoreError as error:
        raise CredprocError(
            f"keys rotate: profile {quoted(profile)}: {error}",
            "unlock the keyring and run the same command, which goes on where it stopped",
        ) from None
