"""Ask STS by aiobotocore who I am."""

import asyncio
import json
import sys

from aiobotocore.session import get_session  # type: ignore[import-not-found]  # in an environment of its own


async def _run() -> None:
    async with get_session().create_client("sts") as sts:
        for _ in sys.stdin if sys.argv[1:] == ["lines"] else [""]:
            print(json.dumps({"arn": (await sts.get_caller_identity())["Arn"]}), flush=True)  # noqa: T201 - its output


asyncio.run(_run())
