"""A place for the worker"""

from battery import FAILED, RECOVERED, UNREACHABLE, Fault

CACHE = "/root/.cache/fanfare"


def tamper(host):
    """A cache that others can write to, with something in it that is no worker."""
    host.sh(f"mkdir -p {CACHE}; for i in 1 2 3; do echo 'echo stolen >> /stolen' > {CACHE}/w-$i; chmod 755 {CACHE}/w-$i; done")


def linked(host):
    host.sh("mkdir -p /root/.cache /home/deploy/planted; chown deploy: /home/deploy/planted; ln -s /home/deploy/planted " + CACHE)


def without(*programs):
    return lambda h: h.sh("; ".join(f"rm -f $(command -v {program})" for program in programs))


FAULTS = [
    Fault("busybox", "busybox and dropbear: no bash, no Python, no sftp, no scp", RECOVERED, "", image="busybox", place="/tmp"),
    Fault("no_python", "no Python", RECOVERED, "", image="debian12+plain+nopython"),
    Fault("no_gzip", "no gzip", RECOVERED, "", before=without("gzip")),
    Fault("noexec", "every place to write to is mounted noexec", RECOVERED, "", image="debian12+plain+noexec"),
    Fault("noexec_tmp", "/tmp and /home are mounted noexec", RECOVERED, "", vars={"ansible_user": "deploy"},
          before=lambda h: h.sh("mount -t tmpfs -o noexec,mode=1777 tmpfs /tmp; mount --bind /home /home; mount -o remount,bind,noexec /home")),
    Fault("noexec_bare", "every place is noexec, and no helper can run a program from memory", FAILED, "noexec",
          image="debian12+plain+noexec", before=without("perl", "python3", "python3.11")),
    Fault("tampered", "strangers' files lie in the worker's cache", RECOVERED, "", before=tamper),
    Fault("linked", "the worker's cache is a link to another user's directory", RECOVERED, "", before=linked),
    Fault("arch", "a machine of a kind that no worker is there for", FAILED, "armv7",
          before=lambda h: h.sh("mv /usr/bin/uname /usr/bin/uname.real; printf '#!/bin/sh\\necho Linux armv7l\\n' > /usr/bin/uname; chmod 755 /usr/bin/uname")),
    Fault("no_memory", "the account may not start processes", UNREACHABLE, "fork|[Rr]esource|no shell|process|refused to run a command", vars={"ansible_user": "deploy"},
          before=lambda h: h.sh("mkdir -p /etc/security/limits.d; echo 'deploy hard nproc 0' > /etc/security/limits.d/f.conf")),
]
