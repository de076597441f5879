"""List a bucket by pyarrow, which does it by the C++ SDK: the S3 of tests/sdk/s3.py calls the one key as its caller."""

import json
import os
import sys

# Two of them, each in an environment of its own in build/work/sdk: one for the C++ SDK of today, one for that of old
from pyarrow import fs  # type: ignore[import-not-found,unused-ignore]

SCHEME, _, HOST = os.environ["AWS_ENDPOINT_URL_S3"].partition("://")
s3 = fs.S3FileSystem(scheme=SCHEME, endpoint_override=HOST, role_arn=os.environ.get("ROLE_ARN"))
for _ in sys.stdin if sys.argv[1:] == ["lines"] else [""]:
    (found,) = s3.get_file_info(fs.FileSelector("whoami"))
    print(json.dumps({"access_key_id": found.base_name}), flush=True)  # noqa: T201 - its output
