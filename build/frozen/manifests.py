"""The package managers' files: templates of build/packaging filled with the checksums of the archives that are there.

A machine builds the archive of its own platform. What names archives of others is complete where all of them lie in
build/dist, as in the release workflow, and otherwise holds the part that there is; a file without any is not written.
"""

import hashlib
import os
import re
import sys

import project

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TEMPLATES = os.path.join(ROOT, "build", "packaging")
# Lines between "{{#platform}}" and "{{/platform}}" are for that platform and go where its archive is not there
_BLOCK = re.compile(r"^[ \t]*\{\{#([a-z0-9_-]+)\}\}\n(.*?)^[ \t]*\{\{/\1\}\}\n", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"\{\{([a-z0-9_.-]+)\}\}")


def write(dist: str, version: str, releases: str | None) -> list[str]:
    """Write each file for which there is an archive in ``dist``; return their paths relative to it.

    ``releases`` is the URL below which the archives will be found; None: where they are now.
    """
    about = project.read(ROOT)
    fields = {
        "version": version,
        "summary": about.summary,
        "homepage": about.homepage,
        "releases": (releases or f"file://{dist}").rstrip("/"),
    }
    platforms = set()
    for name in sorted(os.listdir(dist)):
        found = re.fullmatch(rf"credproc-{re.escape(version)}-([a-z]+-[a-z0-9_]+)\.(?:tar\.gz|zip)", name)
        if found:
            platforms.add(found[1])
            fields[f"{found[1]}.file"] = name
            with open(os.path.join(dist, name), "rb") as file:
                fields[f"{found[1]}.sha256"] = hashlib.sha256(file.read()).hexdigest()
    written = []
    for above, _, names in os.walk(TEMPLATES):
        for name in sorted(names):
            with open(os.path.join(above, name), encoding="utf-8") as file:
                text = filled(file.read(), fields, platforms)
            path = os.path.relpath(os.path.join(above, name), TEMPLATES)
            if text is not None:
                target = os.path.join(dist, path)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                with open(target, "w", encoding="utf-8", newline="\n") as file:
                    file.write(text)
                written.append(path.replace(os.sep, "/"))
    return sorted(written)


def filled(template: str, fields: dict[str, str], platforms: set[str]) -> str | None:
    """Return the template filled, or None where it is about platforms and none of them is there.

    Raises SystemExit for a field that nothing fills.
    """
    blocks = _BLOCK.findall(template)
    if blocks and not {platform for platform, _ in blocks} & platforms:
        return None
    text = _BLOCK.sub(lambda found: found[2] if found[1] in platforms else "", template)
    if unknown := {name for name in _FIELD.findall(text) if name not in fields}:
        sys.exit(f"freeze: error: build/packaging: nothing fills {', '.join(sorted(unknown))}")
    return _FIELD.sub(lambda found: fields[found[1]], text)
