"""Runs many commands of ansible-core: it is imported once and forks for each. Run by the oracle's Python, in an environment
and beside an ansible.cfg (they are read by the import) that all the commands share. Reads a line of JSON
{argv, cwd, stdin, seconds} for each, where argv begins with the name of the program; writes a line of JSON {rc, out, err}.
"""
import importlib
import json
import os
import signal
import sys
import tempfile
import time

import ansible.constants as constants
import ansible.executor.playbook_executor           # noqa: F401  what a run would import first
import ansible.inventory.manager                    # noqa: F401
import ansible.playbook.role_include                # noqa: F401

PROGRAMS = {name: importlib.import_module(f"ansible.cli.{part}") for name, part in
            (("ansible-playbook", "playbook"), ("ansible", "adhoc"), ("ansible-inventory", "inventory"))}

LIVE = []


def main():
    signal.signal(signal.SIGTERM, ended)
    for line in sys.stdin:
        job = json.loads(line)
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            given.write(job.get("stdin", "").encode())
            given.seek(0)
            child = os.fork()
            if child == 0:
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                run(job["argv"], job.get("cwd", "."), (given, out, err))
            LIVE[:] = [child]
            rc = wait(child, job["seconds"])
            LIVE.clear()
            print(json.dumps({"rc": rc, "out": text(out), "err": text(err)}), flush=True)


def ended(*_):
    """Nothing of a run that is broken off goes on."""
    for child in LIVE:
        os.killpg(child, signal.SIGKILL)
    os._exit(143)


def run(argv, cwd, streams):
    os.setsid()
    os.chdir(cwd)
    for number, stream in enumerate(streams):
        os.dup2(stream.fileno(), number)
    # Made by the import, and gone when the home was made new since.
    os.makedirs(constants.DEFAULT_LOCAL_TMP, 0o700, exist_ok=True)
    sys.argv, code = argv, 70
    try:
        PROGRAMS[argv[0]].main(argv)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def wait(child, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "timeout"


def text(file):
    file.seek(0)
    return file.read().decode("utf-8", "replace")


if __name__ == "__main__":
    main()
