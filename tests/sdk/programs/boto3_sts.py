"""Ask STS by boto3 who I am."""

import json
import sys

import boto3

sts = boto3.client("sts")
for _ in sys.stdin if sys.argv[1:] == ["lines"] else [""]:
    print(json.dumps({"arn": sts.get_caller_identity()["Arn"]}), flush=True)  # noqa: T201 - its output
