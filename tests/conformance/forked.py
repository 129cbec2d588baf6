"""Plays many runs of ansible-playbook: ansible-core is imported once and forks for each. Run by the oracle's Python in
the directory and environment of a case; reads a line of JSON {argv, out, err, seconds} for each, answers with its exit code."""
import json
import os
import signal
import sys
import time

import ansible.cli.playbook as cli
import ansible.executor.playbook_executor           # noqa: F401  what a run would import first
import ansible.inventory.manager                    # noqa: F401
import ansible.playbook.role_include                # noqa: F401


def main():
    for line in sys.stdin:
        job = json.loads(line)
        child = os.fork()
        if child == 0:
            play(job)
        print(json.dumps(wait(child, job["seconds"])), flush=True)


def play(job):
    os.setsid()
    for number, path, flags in ((0, os.devnull, os.O_RDONLY), (1, job["out"], os.O_WRONLY), (2, job["err"], os.O_WRONLY)):
        os.dup2(os.open(path, flags), number)
    sys.argv, code = ["ansible-playbook", *job["argv"]], 70
    try:
        cli.main(sys.argv)
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


if __name__ == "__main__":
    main()
