"""Further SDKs, which CI has no time for: build/test --sdk --more. The numbers are those of a run, as in sdks.py."""

import shutil
import sys

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
        serves=False,  # Debian's release knows AWS_CONTAINER_CREDENTIALS_RELATIVE_URI alone
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
        unsigned=True,
        spaced=(PLAIN, BARE),
        quotes=False,
        assumes="no",
    ),
    Sdk(
        name="OpenTofu",
        command=(sys.executable, str(PROGRAMS / "opentofu_s3.py"), str(BUILT / "tofu" / "tofu")),
        lines=None,
        pages=("pages",),
        user_agent="OpenTofu/",
        service="s3",
        requests=2,  # it lists its workspaces twice
        window=0,
        within=(1, 1, 1),
        message="shown",
        spaced=(PLAIN, BARE),
    ),
    Sdk(
        name="GDAL",
        command=(_PYTHON, str(PROGRAMS / "gdal_s3.py")),
        user_agent="GDAL/",
        service="s3",
        starts=2,  # when it opens the object, and when it reads
        each=1,  # it keeps none at all
        window=0,
        within=(2, 3, 4),
        message="shown",
        spaced=(PLAIN,),
        credentials_file=False,
        assumes="no",
    ),
)
