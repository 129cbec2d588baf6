"""What ansible-core did, kept in the repository: `recorded/TOPIC.json.xz`, which holds for each case the hash of its text
and the records of its runs (tool.py). Learning it takes ansible-core half an hour on two cores; looking at fanfare two minutes.

A recording is good for one version of ansible-core, one text of the case, and hosts whose user is root's choice of the same
name. It cannot hide a difference: what fanfare does otherwise than the recording says is looked at with both tools.
"""
import functools
import json
import lzma
import os
import pathlib

HERE = pathlib.Path(__file__).resolve().parent / "recorded"
# The one whose doings are kept; another version is asked itself.
VERSION = "2.21.5"


@functools.cache
def topic(name):
    file = HERE / f"{name}.json.xz"
    return json.loads(lzma.decompress(file.read_bytes())) if file.exists() else {}


def of(case, tool, user):
    """The records of the case, or None where none are kept or others would come of it here."""
    kept = topic(case.name.split("/")[0]).get(case.name)
    if kept and tool.version == VERSION and os.getuid() == 0 and [kept["digest"], kept["user"]] == [case.digest, user]:
        return kept["records"]
    return None


def keep(learnt, cases, user):
    """Writes what was learnt ({name: records}) beside what is still good of what was kept; `cases` are all there are."""
    HERE.mkdir(exist_ok=True)
    for name in sorted({case.name.split("/")[0] for case in cases}):
        kept = {}
        for case in (case for case in cases if case.name.startswith(f"{name}/")):
            before = topic(name).get(case.name)
            if case.name in learnt:
                kept[case.name] = {"digest": case.digest, "user": user, "records": learnt[case.name]}
            elif before and before["digest"] == case.digest:
                kept[case.name] = before
        text = json.dumps(kept, sort_keys=True, indent=0).encode()
        if kept != topic(name):
            (HERE / f"{name}.json.xz").write_bytes(lzma.compress(text, preset=9 | lzma.PRESET_EXTREME))
