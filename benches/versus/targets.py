"""What fanfare is to reach, as data: each target is read from the cells of one run of the benchmark."""


def wall(cells, workload, hosts, tool):
    cell = cells.get((workload, hosts, 0, tool))
    return cell and cell["wall"]


def faster(workload, hosts, peer, factor):
    """fanfare's wall time is at most 1/factor of the peer's."""
    def read(cells):
        own, other = wall(cells, workload, hosts, "fanfare"), wall(cells, workload, hosts, peer)
        return other / own if own and other else None
    return f"{workload.upper()} on {hosts}: wall of {peer} / fanfare", f">= {factor:g}", read, lambda v: v >= factor


def each_task(key, most, hosts, many, few, tasks):
    """CPU for each further task and host, in ms: two workloads that differ by `tasks` tasks."""
    def read(cells):
        a, b = (cells.get((w, hosts, 0, "fanfare")) for w in (many, few))
        return (a[key] - b[key]) * 1000 / tasks / hosts if a and b else None
    name = "control" if key == "control" else "target"
    return f"{name} CPU a further task and host, {hosts} hosts (ms)", f"<= {most:g}", read, lambda v: v <= most


def trips(cells):
    rows = {w: next((c for (name, hosts, rtt, tool), c in cells.items() if (name, hosts, tool) == (w, 1, "fanfare") and rtt), None)
            for w in ("w3", "w3s")}
    return (rows["w3"]["trips"] - rows["w3s"]["trips"]) / 80 if all(rows.values()) else None


def distant(cells):
    """A hundred tasks on one host that is 100 ms away."""
    cell = cells.get(("w3", 1, 100, "fanfare"))
    return cell and cell["wall"]


def memory(cells):
    sizes = [c["memory"] / 1e6 for (_, hosts, _, tool), c in cells.items() if hosts == 50 and tool == "fanfare"]
    return max(sizes) if sizes else None


TARGETS = [
    faster("w3", 1, "ssh-cm", 2), faster("w3", 1, "mitogen", 10), faster("w3", 1, "ansible-pipe", 40),
    faster("w5", 1, "mitogen", 10),
    faster("w1", 50, "pyinfra", 1), faster("w1", 50, "pyinfra-nodelay", 1),
    faster("w3s", 50, "pyinfra", 1), faster("w3s", 50, "pyinfra-nodelay", 1),
    ("round trips a task on the wire (W3 - W3s)", "<= 1", trips, lambda v: v <= 1.02),
    ("W3 on a host that is 100 ms away (s)", "<= 2", distant, lambda v: v <= 2),
    each_task("control", 0.3, 1, "w3", "w3s", 80), each_task("targets", 1.5, 1, "w3", "w3s", 80),
    each_task("control", 0.3, 50, "w3s", "w1", 19), each_task("targets", 1.5, 50, "w3s", "w1", 19),
    ("memory of the control side for 50 hosts (MB)", "<= 40", memory, lambda v: v <= 40),
]
