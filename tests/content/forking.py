"""Runs many ansible-playbook commands in one directory: ansible-core is imported once and forks for each. Run by the
Python of the oracle; reads a JSON list of {argv, seconds}, writes a line of {rc, out, err} for each.
"""
import json
import os
import signal
import sys
import tempfile
import time

import ansible.cli.playbook as cli
import ansible.executor.playbook_executor           # noqa: F401  what a run would import first
import ansible.inventory.manager                    # noqa: F401
import ansible.playbook.role_include                # noqa: F401


def main():
    for job in json.load(sys.stdin):
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            child = os.fork()
            if child == 0:
                run(job["argv"], out, err)
            rc = wait(child, job["seconds"])
            print(json.dumps({"rc": rc, "out": text(out), "err": text(err)}), flush=True)


def run(argv, out, err):
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    code = 70
    try:
        cli.main(["ansible-playbook", *argv])
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
        time.sleep(0.01)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "timeout"


def text(file):
    file.seek(0)
    return file.read().decode("utf-8", "replace")


if __name__ == "__main__":
    main()
