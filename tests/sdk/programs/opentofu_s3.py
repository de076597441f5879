"""Have OpenTofu look for workspaces in S3, and print whose it finds: the S3 of tests/sdk/s3.py names one by its caller.

With ``pages`` it prints all workspaces that are listed, else the one.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

CONFIGURATION = """
terraform {
  backend "s3" {
    bucket         = "whoami"
    key            = "state"
    region         = "REGION"
    use_path_style = true # there is no whoami.127.0.0.1
  }
}
"""
OTHER = re.compile(r"^ +\d+\. (?!default$)(\S+)$", re.MULTILINE)  # a workspace that it offers besides its default


def _region() -> str:
    """Return the region that the config file names, which the backend does not take from there before it is checked."""
    config = Path(os.environ["HOME"], ".aws", "config").read_text(encoding="utf-8")
    found = re.search(r"^region = (\S+)", config, re.MULTILINE)
    assert found is not None
    return found[1]


with tempfile.TemporaryDirectory(dir=os.environ["HOME"]) as directory:
    Path(directory, "main.tf").write_text(CONFIGURATION.replace("REGION", _region()), encoding="utf-8")
    # It offers the workspaces that there are where the selected one is missing
    Path(directory, ".terraform").mkdir()
    Path(directory, ".terraform", "environment").write_text("missing", encoding="utf-8")
    # Whoever kills this program means OpenTofu
    command = ("setpriv", "--pdeathsig", "KILL", sys.argv[1], "init", "-no-color")
    choice = "1\n"  # the default one
    ended = subprocess.run(command, cwd=directory, input=choice, stdout=subprocess.PIPE, text=True, check=False)
if ended.returncode:
    sys.exit(ended.returncode)
names = OTHER.findall(ended.stdout)
print(json.dumps(names if sys.argv[2:] == ["pages"] else {"access_key_id": names[0]}), flush=True)  # noqa: T201 - its output
