"""Something answers, and it is no SSH"""

from battery import UNREACHABLE, Fault


def at(port, mode):
    return {"before": lambda h: h.listen(port, mode), "vars": {"ansible_port": port}}


FAULTS = [
    Fault("refused", "nobody listens", UNREACHABLE, "Connection refused", vars={"ansible_port": 2300}),
    Fault("no_banner", "it accepts and never speaks", UNREACHABLE, "timed out during banner exchange", **at(2301, "silent")),
    Fault("close", "it accepts and closes at once", UNREACHABLE, "closed by remote host|reset", **at(2302, "close")),
    Fault("garbage", "it speaks HTTP", UNREACHABLE, "does not speak SSH|closed by remote host|reset by peer", **at(2303, "garbage")),
    Fault("half_kex", "it says its version and falls silent", UNREACHABLE, "timed out", **at(2304, "banner")),
    Fault("drip", "a tarpit: lines without end before the version", UNREACHABLE, "timed out|does not speak SSH", **at(2305, "drip")),
    Fault("backlog", "its queue of connections is full", UNREACHABLE, "timed out", **at(2306, "backlog")),
    Fault("no_name", "its name is not known to the resolver", UNREACHABLE, "Could not resolve hostname",
          vars={"ansible_host": "no-such-host.invalid"}),
]
