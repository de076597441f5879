"""What an edit keeps of an AWS file besides text, mode and owner: extended attributes on Linux, the ACL on Windows."""

import errno
import os
import sys
from collections.abc import Mapping

_ACL = "system.posix_acl_access"  # acl(5), which some file systems do not list
_OF_CONTENT = frozenset(("security.evm", "security.ima"))  # signatures of the content, which the kernel makes anew
_NO_ATTRIBUTE = (errno.ENODATA, errno.ENOTSUP)

if sys.platform == "win32":  # pragma: no cover - Windows
    import ctypes
    import msvcrt

    _DACL = 4  # DACL_SECURITY_INFORMATION: who may do what with the file, and what of it comes from its directory
    _WINDOWS_ACL = "the access control list"
    _security = ctypes.WinDLL("advapi32", use_last_error=True)

    def read(fd: int) -> dict[str, bytes]:
        """Return the access control list of an open file, as a security descriptor. Raises OSError."""
        handle, size = ctypes.c_void_p(msvcrt.get_osfhandle(fd)), ctypes.c_uint32()
        _security.GetKernelObjectSecurity(handle, _DACL, None, 0, ctypes.byref(size))
        found = ctypes.create_string_buffer(size.value)
        if not _security.GetKernelObjectSecurity(handle, _DACL, found, size, ctypes.byref(size)):
            raise ctypes.WinError(ctypes.get_last_error())
        return {_WINDOWS_ACL: found.raw}

    def give(fd: int, path: str, attributes: Mapping[str, bytes]) -> None:
        """Give a new file this access control list, if it differs from what its directory gave it. Raises OSError."""
        wanted = attributes.get(_WINDOWS_ACL)
        if wanted not in (None, read(fd)[_WINDOWS_ACL]) and not _security.SetFileSecurityW(path, _DACL, wanted):
            error = ctypes.WinError(ctypes.get_last_error())
            raise OSError(error.errno, f"{_WINDOWS_ACL} cannot be kept: {error.strerror}")

else:

    def read(fd: int) -> dict[str, bytes]:
        """Return the extended attributes of an open file (xattr(7)): its ACL, its SELinux label, the user's own."""
        found: dict[str, bytes] = {}
        if sys.platform == "linux":
            try:
                names = {_ACL, *os.listxattr(fd)} - _OF_CONTENT
            except OSError:
                names = {_ACL}
            for name in names:
                try:
                    found[name] = os.getxattr(fd, name)
                except OSError as error:
                    if error.errno not in _NO_ATTRIBUTE:
                        raise
        return found

    def give(fd: int, path: str, attributes: Mapping[str, bytes]) -> None:  # noqa: ARG001 - Windows needs the path
        """Give a new file these extended attributes, and no ACL that comes from its directory. Raises OSError."""
        if sys.platform == "linux":
            found = read(fd)
            if _ACL in found and _ACL not in attributes:
                os.removexattr(fd, _ACL)
            for name, value in attributes.items():
                try:
                    if found.get(name) != value:
                        os.setxattr(fd, name, value)
                except OSError as error:
                    raise OSError(error.errno, f"{name} cannot be kept: {error.strerror}") from None
