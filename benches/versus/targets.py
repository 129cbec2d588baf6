"""What fanfare is to reach, as data: each target is read from the cells of one run of the benchmark."""


def wall(cells, workload, hosts, tool):
    return figure(cells, "wall", workload, hosts, 0, tool)


def figure(cells, key, workload, hosts, rtt, tool):
    cell = cells.get((workload, hosts, rtt, tool))
    return cell and cell[key]


def share(key, workload, hosts, rtt, peer, most):
    """fanfare's figure is at most that share of the peer's."""
    def read(cells):
        own, other = (figure(cells, key, workload, hosts, rtt, tool) for tool in ("fanfare", peer))
        return own / other if own and other else None
    behind = f" behind {rtt} ms" if rtt else ""
    name = "control CPU" if key == "control" else key
    return f"{workload.upper()} on {hosts}{behind}: {name} of fanfare / {peer}", f"<= {most:g}", read, lambda v: v <= most


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
    return f"{many.upper()} on {hosts}: {name} CPU a further task and host (ms)", f"<= {most:g}", read, lambda v: v <= most


def on_wire(key):
    """What each of the 80 tasks by which W3 and W3s differ adds on the wire."""
    def read(cells):
        many, few = (figure(cells, key, workload, 1, 20, "fanfare") for workload in ("w3", "w3s"))
        return (many - few) / 80 if many and few else None
    return read


def first_contact(cells):
    """Round trips that a host costs more which never had the worker: what grows with the delay. Turns on the wire are no measure
    here: the window's updates cross a long upload, and nobody waits for them."""
    def waits(tool):
        far, near = (figure(cells, "wall", "w1", 1, rtt, tool) for rtt in (100, 20))
        return (far - near) / 0.080 if far and near else None
    first, again = waits("fanfare-first"), waits("fanfare")
    return first - again if first and again else None


def memory(cells):
    sizes = [c["memory"] / 1e6 for (_, hosts, _, tool), c in cells.items() if hosts == 50 and tool == "fanfare"]
    return max(sizes) if sizes else None


def memory_a_host(cells):
    few, many = (figure(cells, "memory", "w3s", hosts, 0, "fanfare") for hosts in (50, 200))
    return (many - few) / 150 / 1024 if many and few else None


TARGETS = [
    faster("w3", 1, "ssh-cm", 2), faster("w3", 1, "mitogen", 10), faster("w3", 1, "ansible-pipe", 40),
    faster("w5", 1, "mitogen", 10),
    faster("w1", 50, "pyinfra", 1), faster("w1", 50, "pyinfra-nodelay", 1),
    faster("w3s", 50, "pyinfra", 1), faster("w3s", 50, "pyinfra-nodelay", 1),
    share("wall", "w1", 1, 0, "ssh", 0.8), share("wall", "w1", 1, 100, "ssh", 1),
    ("round trips more where the worker is not there yet", "<= 2", first_contact, lambda v: v <= 2),
    ("round trips a task on the wire (W3 - W3s)", "<= 1", on_wire("trips"), lambda v: v <= 1.02),
    ("bytes sent a task (W3 - W3s)", "<= 200", on_wire("out"), lambda v: v <= 200),
    ("W3 on a host that is 100 ms away (s)", "<= 2", lambda cells: figure(cells, "wall", "w3", 1, 100, "fanfare"), lambda v: v <= 2),
    each_task("control", 0.2, 1, "w3", "w3s", 80), each_task("targets", 1, 1, "w3", "w3s", 80),
    each_task("control", 0.2, 50, "w3s", "w1", 19), each_task("targets", 1, 50, "w3s", "w1", 19),
    each_task("control", 0.2, 1, "w5", "w1", 49), each_task("targets", 1, 1, "w5", "w1", 49),
    share("control", "w3s", 200, 0, "ansible-pipe", 1 / 20), share("control", "w3s", 200, 0, "mitogen", 1 / 5),
    ("memory of the control side for 50 hosts (MB)", "<= 40", memory, lambda v: v <= 40),
    ("memory for a further host (KiB)", "<= 256", memory_a_host, lambda v: v <= 256),
    share("wall", "w9", 1, 0, "scp", 1 / 0.9),
]
