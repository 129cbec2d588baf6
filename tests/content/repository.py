"""What a repository has to load: its playbooks, and its roles in playbooks of their own."""
import dataclasses
import hashlib
import os
import pathlib
import re

SKIPPED = {".git", ".github", "node_modules", ".tox", ".venv"}
NO_PLAYBOOKS = {"tasks", "handlers", "vars", "defaults", "meta", "group_vars", "host_vars", "templates", "files"}
PLAYS = ("hosts", "import_playbook", "ansible.builtin.import_playbook")


@dataclasses.dataclass(frozen=True)
class Target:
    repository: str
    name: str           # as the table shows it: the playbook's path, or `role PATH`
    cwd: pathlib.Path
    playbook: str
    env: tuple = ()     # pairs


def digest(root):
    """The hash of all there is in the repository."""
    whole = hashlib.blake2b(digest_size=16)
    for path in files(root):
        whole.update(f"\0{path.relative_to(root)}\0".encode("utf-8", "surrogateescape"))
        whole.update(os.readlink(path).encode() if path.is_symlink() else path.read_bytes())
    return whole.hexdigest()


def files(root):
    for at, dirs, names in os.walk(root):
        dirs[:] = sorted(d for d in dirs if d not in SKIPPED)
        links = [d for d in dirs if os.path.islink(os.path.join(at, d))]
        yield from (pathlib.Path(at, name) for name in sorted(names + links))


def targets(root, work, each):
    """At most `each` of the repository's playbooks and roles (0: all), evenly spread. `work` is for what is written."""
    found = [*playbooks(root), *roles(root)]
    if each and len(found) > each:
        found = [found[i * len(found) // each] for i in range(each)]
    space = collection(root)
    if space:
        link = work / "collections/ansible_collections" / space.replace(".", "/")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(root)
    shared = (("ANSIBLE_COLLECTIONS_PATH", str(work / "collections")),)
    for n, (kind, path) in enumerate(found):
        if kind == "playbook":
            cwd = next(d for d in path.parents if d == root or (d / "ansible.cfg").exists())
            yield Target(root.name, str(path.relative_to(root)), cwd, str(path.relative_to(cwd)), shared)
            continue
        own = work / f"role{n}"
        own.mkdir()
        full = f"{space}.{path.name}" if space and path.parent == root / "roles" else path.name
        (own / "site.yml").write_text(f"- hosts: all\n  gather_facts: false\n  roles:\n    - role: '{full}'\n")
        # Roles find each other beside each other.
        env = (*shared, ("ANSIBLE_ROLES_PATH", str(path.parent)))
        yield Target(root.name, f"role {path.relative_to(root.parent)}", own, "site.yml", env)


def playbooks(root):
    for path in files(root):
        if path.suffix in (".yml", ".yaml") and not NO_PLAYBOOKS.intersection(path.relative_to(root).parts[:-1]):
            if not path.is_symlink() and is_playbook(path.read_text("utf-8", "replace")):
                yield "playbook", path


def roles(root):
    for path in files(root):
        if path.name in ("main.yml", "main.yaml") and path.parent.name == "tasks" and "{" not in str(path):
            yield "role", path.parent.parent


def is_playbook(text):
    """Whether the text is a list whose first entry has the keys of a play. By its lines alone: no YAML parser is at hand,
    and a file that none can read is worth loading too."""
    lines = [line for line in text.splitlines() if line.strip() and not re.match(r"\s*#|---|%", line)]
    first = re.match(r"(\s*)-\s+(?=\S)", lines[0]) if lines else None
    if not first:
        return False
    keys = first.end()
    for n, line in enumerate(lines):
        if n and len(line) - len(line.lstrip()) < keys:
            return False
        if (key := re.match(r"[\"']?([\w.]+)[\"']?\s*:", line[keys:])) and key[1] in PLAYS and line[keys - 1] in " \t":
            return True
    return False


def collection(root):
    """`namespace.name`, where the repository is a collection."""
    try:
        text = (root / "galaxy.yml").read_text()
    except OSError:
        return None
    parts = [re.search(rf"^{key}:\s*[\"']?(\w+)", text, re.M) for key in ("namespace", "name")]
    return ".".join(part[1] for part in parts) if all(parts) else None
