"""HTTP/2 must be switched on by a function that botocore does not call, and that needs a package that is not here.

Urllib3's own module holds that function and imports importlib.metadata for it, and with that zipfile, csv and pathlib.
"""
