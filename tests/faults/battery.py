"""A fault, what must come of it, and what came of it."""

import hashlib
import json
import os
import re
import subprocess
import threading
import time
from dataclasses import dataclass, field

import bed

# What the user may see of a fault.
RECOVERED, FAILED, UNREACHABLE, INTERRUPTED, KILLED = "recovered", "failed", "unreachable", "interrupted", "killed"
# What the program ends with then.
CODES = {RECOVERED: 0, FAILED: 2, UNREACHABLE: 4, INTERRUPTED: 99, KILLED: -9}
TASK = "[8].0625"
# A wait beyond this is for ever.
PATIENCE = 60


@dataclass
class Fault:
    """One fault, and what the user must see."""

    name: str
    # For the table: what is wrong with the host.
    what: str
    expect: str
    # A pattern of the message; none where nothing is to be told.
    says: str = ""
    # Seconds until the run is over.
    within: float = 45
    image: str = "debian12+plain"
    play: str = "reach"
    # Done to the host before the run; while its task waits; after the run, so that it can be looked at.
    before: object = None
    during: object = None
    after: object = None
    # Seconds after the start of the run when `during` comes, for runs that do not get as far as the task.
    at: float | None = None
    # Variables of the host.
    vars: dict = field(default_factory=dict)
    env: dict = field(default_factory=dict)
    ssh: str = ""
    code: int | None = None
    # Where the play writes.
    place: str = "/var/tmp"
    # What may stay on the host, as patterns; the reason belongs beside it.
    left: tuple = ()


@dataclass
class Outcome:
    saw: str
    message: str
    seconds: float
    code: int
    left: list
    # What is not as it must be.
    wrong: list


def big(work):
    """A file that takes a while to send."""
    path = work / "big"
    if not path.exists():
        path.write_bytes(os.urandom(24 << 20))
    return path


def contents(work):
    """What the play's file may hold: all of one thing or of the other."""
    known = {b"before\n": "before", b"after\n": "after"}
    if (work / "big").exists():
        known[(work / "big").read_bytes()] = "after"
    return {hashlib.sha256(content).hexdigest(): name for content, name in known.items()}


def command(fault, host, tool, work):
    """The command of the run, and its environment."""
    inventory = work / "hosts"
    connect = {"ansible_user": "root", "ansible_host": host.address, **fault.vars}
    if fault.ssh:
        connect["ansible_ssh_extra_args"] = fault.ssh
    words = " ".join(f"{key}='{value}'" for key, value in connect.items())
    steady = bed.Host("steady").address
    inventory.write_text(f"f {words}\nsteady ansible_user=root ansible_host={steady}\n")
    variables = {"place": fault.place, "big": str(big(work)) if fault.play == "big" else ""}
    alive = "-o ServerAliveInterval=2 -o ServerAliveCountMax=2"
    env = {
        **os.environ,
        "HOME": str(work),
        "ANSIBLE_STDOUT_CALLBACK": "json",
        "ANSIBLE_TIMEOUT": "5",
        "ANSIBLE_SSH_ARGS": f"-F {bed.config()} {alive} -o BatchMode=no",
        **fault.env,
    }
    play = bed.HERE / "plays" / f"{fault.play}.yml"
    return [*bed.CONTROL, tool, "run", "-i", inventory, "-e", json.dumps(variables), play], env


def meddle(fault, host, trouble):
    """Does to the host what befalls it while the run goes on."""
    try:
        if fault.at is None:
            host.wait_for(TASK)
        else:
            time.sleep(fault.at)
        fault.during(host)
    except Exception as error:  # noqa: BLE001: whatever it is, the fault's line tells it
        trouble.append(f"the fault could not be made: {error}")


def run(fault, tool, work):
    """Makes the fault, runs the play, and holds what came of it against what must."""
    (host,) = bed.up(f"f:{fault.image}")
    trouble = []
    try:
        if fault.before:
            fault.before(host)
        words, env = command(fault, host, tool, work)
        started = time.time()
        with open(work / "out", "wb") as out, open(work / "err", "wb") as err:
            host.control = subprocess.Popen(words, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=work)
        meddler = threading.Thread(target=meddle, args=(fault, host, trouble), daemon=True)
        if fault.during:
            meddler.start()
        try:
            code = host.control.wait(fault.within + PATIENCE)
        except subprocess.TimeoutExpired:
            host.control.kill()
            code = host.control.wait()
            trouble.append("it hung")
        seconds = time.time() - started
        if fault.during:
            meddler.join(PATIENCE)
        (fault.after or bed.Host.heal)(host)
        left = host.left()
        digest = host.sh(f"sha256sum < {fault.place}/faults-record 2> /dev/null").split(" ")[0]
    finally:
        for child in host.children:
            child.kill()
        host.remove()
    return judge(fault, work, code, seconds, left, digest, trouble)


def judge(fault, work, code, seconds, left, digest, wrong):
    saw, message, steady = read(work, code)
    if saw != fault.expect:
        wrong.append(f"it was to be {fault.expect}")
    expected = CODES[fault.expect] if fault.code is None else fault.code
    if code != expected:
        wrong.append(f"the exit code was to be {expected}")
    if fault.says and not re.search(fault.says, message):
        wrong.append(f"the message was to say: {fault.says}")
    if fault.expect in (FAILED, UNREACHABLE) and not message.strip():
        wrong.append("no message")
    if seconds > fault.within:
        wrong.append(f"it was to take {fault.within} s at most")
    unexpected = [line for line in left if not any(re.search(pattern, line) for pattern in fault.left)]
    if unexpected:
        wrong.append(f"left there: {unexpected}")
    wrote = {"": "nothing"}.get(digest) or contents(work).get(digest)
    if wrote is None:
        wrong.append("its file is neither what it was nor what it was to be")
    if saw == RECOVERED and fault.play != "timeout" and wrote != "after":
        wrong.append(f"it says that it went well, and its file holds {wrote}")
    if steady is not None and steady != RECOVERED:
        wrong.append(f"the host beside it was {steady}")
    return Outcome(saw, message, seconds, code, left, wrong)


def read(work, code):
    """What the run says of the host, with its first message; and what it says of the one beside it."""
    try:
        said = json.loads((work / "out").read_text())
    except ValueError:
        text = (work / "err").read_text().strip()
        return (KILLED if code < 0 else FAILED), text, None
    message = ""
    for play in said["plays"]:
        for task in play["tasks"]:
            result = task["hosts"].get("f", {})
            if not message and (result.get("unreachable") or result.get("failed")):
                message = str(result.get("msg", ""))
    saw = INTERRUPTED if code == CODES[INTERRUPTED] else count(said, "f")
    return saw, message, count(said, "steady")


def count(said, host):
    stats = said["stats"].get(host, {})
    if stats.get("unreachable"):
        return UNREACHABLE
    return FAILED if stats.get("failures") else RECOVERED
