"""Disks"""

from battery import FAILED, RECOVERED, Fault

FULL = "mount -t tmpfs -o size=64k,mode=1777 tmpfs {0}; dd if=/dev/zero of={0}/fill bs=1k 2> /dev/null; true"


def full(*places):
    return lambda h: h.sh("; ".join(FULL.format(place) for place in places))


def small(place):
    """Room for the worker's name, not for a file of 24 MB."""
    return lambda h: h.sh(f"mount -t tmpfs -o size=8m,mode=1777 tmpfs {place}")


def no_inodes(host):
    host.sh("mount -t tmpfs -o nr_inodes=4,mode=1777 tmpfs /srv; for i in 1 2 3 4 5 6; do : > /srv/$i; done 2> /dev/null; true")


def read_only(place):
    return lambda h: h.sh(f"mount --bind {place} {place}; mount -o remount,bind,ro {place}")


FAULTS = [
    Fault("full_tmp", "/tmp is full", RECOVERED, "", before=full("/tmp")),
    Fault("full_home", "the home is full: the worker goes elsewhere", RECOVERED, "", before=full("/root/.cache"),
          vars={"ansible_user": "root"}),
    Fault("full_everywhere", "no place has room for the worker: it runs from memory", RECOVERED, "",
          before=lambda h: (h.sh("mkdir -p /root/.cache"), full("/root/.cache", "/var/tmp", "/tmp", "/dev/shm")(h)), place="/srv"),
    Fault("full_midway", "a disk has no room for the file that is sent", FAILED, "No space left on device", play="big",
          before=small("/srv"), place="/srv"),
    Fault("no_inodes", "a disk has no room for one more file", FAILED, "No space left on device", before=no_inodes, place="/srv"),
    Fault("read_only", "the place to write to is read-only", FAILED, "Read-only file system", before=read_only("/srv"), place="/srv"),
    Fault("read_only_home", "homes are read-only", RECOVERED, "", before=read_only("/root")),
]
