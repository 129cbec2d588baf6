"""The columns: how each tool is started for a workload, and where it comes from."""
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
SUPPORT = HERE.parent.parent / "tests/support"

ABOUT = {
    "fanfare": "fanfare, its worker on the host from an earlier run",
    "fanfare-first": "fanfare on hosts that never saw it: the worker is sent",
    "ansible": "ansible-core without pipelining, forks = hosts",
    "ansible-pipe": "ansible-core with pipelining, forks = hosts",
    "mitogen": "Mitogen on the same ansible-core",
    "pyinfra": "pyinfra",
    "pyinfra-nodelay": "pyinfra with TCP_NODELAY patched into paramiko",
    "ssh": "OpenSSH, a connection a command",
    "ssh-curve": "the same with curve25519 instead of the costlier default key exchange",
    "ssh-cm": "OpenSSH, one ControlMaster, a session a command",
    "ssh-stream": "OpenSSH, one session, commands on its stdin",
    "scp": "OpenSSH's scp",
}
FLOORS = ("ssh", "ssh-curve", "ssh-cm", "ssh-stream", "scp")
PEERS = {"ansible": "ansible-core", "ansible-pipe": "ansible-core", "mitogen": "mitogen",
         "pyinfra": "pyinfra", "pyinfra-nodelay": "pyinfra"}


def peer(tool):
    """The directory of the tool's programs, installed when need be; None where that cannot be."""
    done = subprocess.run([SUPPORT / "peer", PEERS[tool]], stdout=subprocess.PIPE, text=True)
    return pathlib.Path(done.stdout.strip()) if done.returncode == 0 else None


def version(tool, programs):
    name = {"ansible": "ansible", "ansible-pipe": "ansible", "mitogen": "python", "pyinfra": "pyinfra", "pyinfra-nodelay": "pyinfra"}[tool]
    ask = ["-c", "import mitogen; print('mitogen', '.'.join(map(str, mitogen.__version__)))"] if tool == "mitogen" else ["--version"]
    said = subprocess.run([programs / name, *ask], capture_output=True, text=True)
    return (said.stdout or said.stderr).splitlines()[0]


def command(tool, play, hosts, bed, place, programs):
    """(argv, environment) of one run of `play` on the first `hosts` hosts of `bed`."""
    if tool.startswith("fanfare"):
        return [str(programs), "run", "-i", f"{bed.inventory(hosts)}.yml", "--forks", str(hosts), f"{place}/{play}.yml"], {}
    if tool in ("ansible", "ansible-pipe", "mitogen"):
        env = {"ANSIBLE_FORKS": str(hosts), "ANSIBLE_PIPELINING": str(int(tool == "ansible-pipe")),
               "ANSIBLE_RETRY_FILES_ENABLED": "0", "ANSIBLE_NOCOLOR": "1",
               # 200 logins at once on two cores take longer than its ten seconds.
               "ANSIBLE_TIMEOUT": "600"}
        if tool == "mitogen":
            plugins = next((programs.parent / "lib").glob("python*/site-packages/ansible_mitogen/plugins/strategy"))
            env |= {"ANSIBLE_STRATEGY": "mitogen_linear", "ANSIBLE_STRATEGY_PLUGINS": str(plugins)}
        return [str(programs / "ansible-playbook"), "-i", f"{bed.inventory(hosts)}.yml", f"{place}/{play}.yml"], env
    if tool.startswith("pyinfra"):
        env = {"PYTHONPATH": str(HERE / "nodelay")} if tool == "pyinfra-nodelay" else {}
        what = ["exec", "--", "true"] if play == "ping" else [f"{place}/{play}.py"]
        return [str(programs / "pyinfra"), "-y", f"{bed.inventory(hosts)}.py", *what], env
    return floor(tool, play, hosts, bed, place), {}


def floor(tool, play, hosts, bed, place):
    """The same in plain ssh, `hosts` at a time; None where there is no such thing."""
    times = {"ping": 1, "command20": 20, "command100": 100}.get(play)
    ssh = f"ssh -F {bed.inventory(hosts)}.ssh" + (" -o KexAlgorithms=curve25519-sha256" if tool == "ssh-curve" else "")
    if play == "big" and tool == "ssh":
        line = f"{ssh} $0 'cat > ../fs/big.bin' < {place}/files/big.bin"
    elif play == "huge" and tool == "scp":
        line = f"scp -q -F {bed.inventory(hosts)}.ssh {place}/files/huge.bin $0:{bed.path}/bed/$0/fs/huge.bin"
    elif play == "tree" and tool == "ssh":
        line = f"tar -C {place}/files -cf - tree | {ssh} $0 'tar -C $HOME/../fs -xf -'"
    elif times is None:
        return None
    elif tool == "ssh-stream":
        line = f"for i in $(seq {times}); do echo /bin/true; done | {ssh} $0 sh"
    elif tool == "ssh-cm":
        master = f"{ssh} -o ControlPath={bed.path}/cm-%h-%p -o ControlMaster=auto -o ControlPersist=60"
        line = f"for i in $(seq {times}); do {master} $0 /bin/true < /dev/null 2> /dev/null || exit 255; done"
    else:
        line = f"for i in $(seq {times}); do {ssh} $0 /bin/true < /dev/null || exit 255; done"
    line = line.replace("'cat > ../fs", "'cat > $HOME/../fs")
    return ["xargs", "-a", f"{bed.inventory(hosts)}.txt", "-P", str(hosts), "-n", "1", "sh", "-c", line]
