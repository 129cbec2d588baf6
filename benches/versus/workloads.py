"""The workloads: playbooks, the same work as pyinfra deploys, and their source files, written to a directory.

    w1        ping (pyinfra: exec true; ssh: /bin/true)
    w3, w3s   100 and 20 tasks of `command: /bin/true`
    w4, w5    50 tasks: 5 directories, 10 inline copies, 10 file copies, 10 templates, 5 links, 10 lineinfile;
              first run, run again
    w6        copy of one 50 MiB file that does not compress
    w7, w7n   copy of a tree of 500 small files; first run, again
    w8, w8n   a loop of 100 `file: state=directory`; first run, again
    w9        copy of one file of 1 GiB that does not compress
"""
import random

PLAYS = {"w1": "ping", "w3": "command100", "w3s": "command20", "w4": "converge", "w5": "converge", "w6": "big",
         "w7": "tree", "w7n": "tree", "w8": "loop", "w8n": "loop", "w9": "huge"}
# A workload that is the second run of another.
AGAIN = {"w5": "w4", "w7n": "w7", "w8n": "w8"}
# How many files (w8: directories) a host has afterwards: a tool that did less was not measured.
LEAVES = {"w4": 37, "w5": 37, "w6": 1, "w7": 500, "w7n": 500, "w8": 101, "w8n": 101, "w9": 1}

PLAY = "- hosts: all\n  gather_facts: false\n  tasks:\n"
DEPLOY = ("import io\nfrom pyinfra import host\nfrom pyinfra.operations import files, server\n\n"
          "D = host.data.fs\n")
D = "{{ fs }}"


def write(place, wanted):
    """Writes all of it below `place`: NAME.yml, NAME.py, files/, templates/; the largest file where it is wanted."""
    files = place / "files"
    (place / "templates").mkdir(parents=True)
    rnd = random.Random(7)
    (files / "tree").mkdir(parents=True)
    for i in range(10):
        (files / f"conf{i}.txt").write_text("".join(f"key{j} = {rnd.random()}\n" for j in range(40)))
    for i in range(500):
        leaf = files / "tree" / f"d{i // 25:02d}" / f"f{i:03d}.txt"
        leaf.parent.mkdir(exist_ok=True)
        leaf.write_text(f"file {i}\n" + "x" * rnd.randrange(200, 4000) + "\n")
    (files / "big.bin").write_bytes(rnd.randbytes(50 << 20))
    if "w9" in wanted:
        with (files / "huge.bin").open("wb") as huge:
            for _ in range(64):
                huge.write(rnd.randbytes(16 << 20))
    body = ("# managed\nname = {{ item_name }}\n{% for n in range(20) %}line{{ n }} = {{ n * 3 }} {{ item_name | upper }}\n"
            "{% endfor %}\n")
    for at in (place / "templates/app.conf.j2", place / "app.conf.j2"):
        at.write_text(body)
    for name, (tasks, operations) in {**commands(), "converge": converge(place), **rest(place)}.items():
        (place / f"{name}.yml").write_text(PLAY + tasks)
        (place / f"{name}.py").write_text(DEPLOY + operations)


def task(name, module, **options):
    extra = options.pop("vars", None)
    lines = [f"    - name: {name}", f"      ansible.builtin.{module}:"]
    lines += [f"        {k}: {quoted(v)}" for k, v in options.items()]
    if extra:
        lines += ["      vars:"] + [f"        {k}: {quoted(v)}" for k, v in extra.items()]
    return "\n".join(lines) + "\n"


def quoted(value):
    return '"' + value.replace("\n", "\\n") + '"' if isinstance(value, str) else str(value).lower()


def commands():
    return {f"command{n}": (
        "".join(f"    - name: true {i}\n      ansible.builtin.command: /bin/true\n" for i in range(n)),
        "".join(f'server.shell(name="true {i}", commands=["/bin/true"])\n' for i in range(n))) for n in (20, 100)}


def converge(place):
    t, p = [], []
    for i in range(5):
        t.append(task(f"dir {i}", "file", path=f"{D}/d{i}", state="directory", mode="0755"))
        p.append(f'files.directory(path=f"{{D}}/d{i}", mode="755")\n')
    for i in range(10):
        t.append(task(f"inline {i}", "copy", content=f"inline {i}\n", dest=f"{D}/d{i % 5}/inline{i}.txt", mode="0644"))
        p.append(f'files.put(src=io.StringIO("inline {i}\\n"), dest=f"{{D}}/d{i % 5}/inline{i}.txt", mode="644")\n')
    for i in range(10):
        t.append(task(f"copy {i}", "copy", src=f"conf{i}.txt", dest=f"{D}/d{i % 5}/conf{i}.txt", mode="0644"))
        p.append(f'files.put(src="{place}/files/conf{i}.txt", dest=f"{{D}}/d{i % 5}/conf{i}.txt", mode="644")\n')
    for i in range(10):
        t.append(task(f"template {i}", "template", src="app.conf.j2", dest=f"{D}/d{i % 5}/app{i}.conf", mode="0644",
                      vars={"item_name": f"app{i}"}))
        p.append(f'files.template(src="{place}/app.conf.j2", dest=f"{{D}}/d{i % 5}/app{i}.conf", mode="644", item_name="app{i}")\n')
    for i in range(5):
        t.append(task(f"link {i}", "file", src=f"{D}/d{i}/conf{i}.txt", dest=f"{D}/link{i}", state="link"))
        p.append(f'files.link(path=f"{{D}}/link{i}", target=f"{{D}}/d{i}/conf{i}.txt")\n')
    for i in range(10):
        t.append(task(f"line {i}", "lineinfile", path=f"{D}/d0/lines{i % 2}.txt", line=f"setting{i} = on",
                      regexp=f"^setting{i} =", create=True, mode="0644"))
        p.append(f'files.line(path=f"{{D}}/d0/lines{i % 2}.txt", line=r"^setting{i} = .*$", replace="setting{i} = on")\n')
    return "".join(t), "".join(p)


def rest(place):
    return {
        "ping": (task("ping", "ping"), ""),
        "big": (task("big", "copy", src="big.bin", dest=f"{D}/big.bin", mode="0644"),
                f'files.put(src="{place}/files/big.bin", dest=f"{{D}}/big.bin", mode="644")\n'),
        "huge": (task("huge", "copy", src="huge.bin", dest=f"{D}/huge.bin", mode="0644"),
                 f'files.put(src="{place}/files/huge.bin", dest=f"{{D}}/huge.bin", mode="644")\n'),
        "tree": (task("tree", "copy", src="tree", dest=f"{D}/"),
                 f'files.sync(src="{place}/files/tree", dest=f"{{D}}/tree")\n'),
        "loop": (task("loop", "file", path=f"{D}/loop/{{{{ item }}}}", state="directory", mode="0755")
                 + '      loop: "{{ range(100) | list }}"\n',
                 'for i in range(100):\n    files.directory(path=f"{D}/loop/{i}", mode="755")\n'),
    }
