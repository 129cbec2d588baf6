"""The network"""

import time

from battery import RECOVERED, UNREACHABLE, Fault

GONE = "not responding|timed out|closed by remote host"


def blackhole(host):
    host.link("blackhole")


def short_blackhole(host):
    host.link("blackhole")
    time.sleep(2)
    host.link("up")


def flap(host):
    for _ in range(2):
        host.link("blackhole")
        time.sleep(1)
        host.link("up")
        time.sleep(1)


FAULTS = [
    Fault("link_down", "its cable is out", UNREACHABLE, "timed out|No route to host", before=lambda h: h.link("down")),
    Fault("blackhole", "its packets vanish", UNREACHABLE, "timed out|No route to host", before=blackhole),
    Fault("blackhole_midway", "its packets begin to vanish in the middle of a task", UNREACHABLE, GONE, play="long",
          during=blackhole, after=lambda h: (time.sleep(20), h.heal())),
    Fault("blackhole_short", "its packets vanish for two seconds in the middle of a task", RECOVERED, "", play="long",
          during=short_blackhole),
    Fault("flap", "its link comes and goes every second in the middle of a task", RECOVERED, "", play="long", during=flap),
    Fault("drop_in", "a firewall swallows what goes to its port", UNREACHABLE, "timed out", before=lambda h: h.drop_in()),
    Fault("drop_out", "a firewall swallows what comes from its port", UNREACHABLE, "timed out", before=lambda h: h.drop_out()),
    Fault("reset", "a firewall answers every packet by a reset", UNREACHABLE, "Connection refused|reset",
          before=lambda h: h.reset()),
    Fault("reset_midway", "a firewall begins to answer by resets in the middle of a task", UNREACHABLE,
          "Connection reset|" + GONE, play="long", during=lambda h: h.reset()),
    Fault("unreachable", "a router says that there is no such host", UNREACHABLE, "No route to host",
          before=lambda h: h.unreachable()),
    Fault("slow", "every packet takes 300 ms each way", RECOVERED, "", before=lambda h: h.net("delay=300ms"), within=60),
    Fault("lossy", "one packet in twenty is lost", RECOVERED, "", before=lambda h: h.net("loss=5%"), within=90),
    Fault("chaos", "packets are delayed, lost, doubled, swapped and damaged", RECOVERED, "",
          before=lambda h: h.net("delay=10ms", "jitter=5ms", "loss=1%", "dup=2%", "reorder=5%", "corrupt=0.2%"), within=120),
    Fault("narrow", "a line of 8 Mbit/s", RECOVERED, "", before=lambda h: h.net("rate=8mbit"), within=60),
    Fault("mtu_hole", "big packets vanish: the connection comes about, keys are not exchanged", UNREACHABLE, "timed out|not responding",
          before=lambda h: h.big_packets_vanish()),
    Fault("mtu_hole_midway", "big packets begin to vanish while a file is sent", UNREACHABLE, GONE, play="big", at=4,
          before=lambda h: h.net("rate=16mbit"), during=lambda h: h.big_packets_vanish(), within=90,
          after=lambda h: (time.sleep(10), h.heal())),
    Fault("cut_while_sending", "its sshd's session is killed while a file is sent over another", UNREACHABLE, GONE + "|reset",
          play="big", at=5, before=lambda h: h.net("rate=16mbit"), during=lambda h: h.kill_sessions(), within=60),
]
