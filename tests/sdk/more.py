"""Further SDKs, which CI has no time for: build/test --sdk --more. The numbers are those of a run, as in sdks.py."""

import shutil

from tests.sdk.sdks import BARE, BUILT, PLAIN, PROGRAMS, QUOTED, WHO, Sdk

_PYTHON = str(BUILT / "more" / "bin" / "python")

MORE = (
    Sdk(
        name="aws-cli-2, new",
        command=(str(BUILT / "awscli2" / "dist" / "aws"),),
        arguments=WHO,
        lines=None,
        user_agent="aws-cli/",
        window=900,
        within=(2, 3, 4),
        message="quoted",
        spaced=(QUOTED, BARE),
    ),
    Sdk(
        name="aiobotocore",
        command=(_PYTHON, str(PROGRAMS / "aiobotocore_sts.py")),
        user_agent="aiobotocore/",
        window=900,
        within=(2, 3, 4),
        message="quoted",
        spaced=(QUOTED, BARE),
    ),
    Sdk(
        name="aws-sdk-rust, old",
        command=(str(BUILT / "rust-old" / "who"),),
        user_agent="aws-sdk-rust/",
        window=10,
        jitter=5,
        within=(1, 2, 3),
        patience=5,
        message="quoted",
    ),
    Sdk(
        name="aws-sdk-go-1",
        command=(str(BUILT / "go1" / "who"),),
        user_agent="aws-sdk-go/",
        window=0,
        within=(1, 1, 1),
        message="shown",
        spaced=(PLAIN, BARE),
    ),
    Sdk(
        name="aws-sdk-ruby-3",
        command=(shutil.which("ruby") or "ruby", str(PROGRAMS / "sts.rb")),
        user_agent="aws-sdk-ruby3/",
        window=300,
        starts=2,  # when it looks whether there are any, and when it takes them
        within=(5, 6, 7),
        message="shown",
        spaced=(PLAIN, BARE),
    ),
    Sdk(
        name="minio-go",
        command=(str(BUILT / "minio" / "who"),),
        user_agent="minio-go/v",
        service="s3",
        window=1,  # a fifth of the lifetime, which is 1.8 of the 9 seconds that are tried
        within=(1, 1, 1),
        message="lost",
        spaced=(PLAIN, BARE),
        quotes=False,
        assumes="no",
    ),
)
