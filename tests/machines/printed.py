"""What a tool printed of a run: each task's results, the counts, and what check mode foretold."""
import json
import re


def results(run):
    """Each task, and what came of it for each item."""
    return [line for name, lines, _ in tasks(run) for line in [name, *lines]]


def tasks(run):
    """Each task's name, its results, and what its failures say."""
    found = []
    for line in re.findall(r"(?m)^(?:(?:PLAY|TASK|RUNNING HANDLER) \[.*?\](?= \*)|(?:ok|changed|skipping|failed|fatal|included): .*|\.\.\.ignoring)", run["out"]):
        if re.match("PLAY|TASK|RUNNING", line):
            found.append((line, [], []))
            continue
        failure = re.match(r"(?:fatal|failed): .*?(?:=> |! )(\{.*\})$", line)
        if failure:
            found[-1][2].append(message(failure[1]))
        line = line if line.startswith("included") else re.sub(r"( => \{.*|: (FAILED|UNREACHABLE)!.*)$", "", line)
        # What was found of a file names moments and places that no two machines share.
        found[-1][1].append(re.sub(r"'(inode|dev|atime|mtime|ctime|version)': '?[\d.]+'?", r"'\1': …", line))
    return found


def message(text):
    try:
        return str(json.loads(text).get("msg", ""))
    except ValueError:
        return ""


def counts(run):
    recap = re.search(r"(?m)^web +: (.*)$", run["out"])
    return recap[1].split() if recap else run["out"][-1500:]


def foretold(theirs, ours, real):
    """How fanfare's check differs from Ansible's: what is told where it was no better, and of each task where it was as the
    real run, why Ansible's was not."""
    (a, failures), (o, _), (r, _) = (numbered(run) for run in (theirs, ours, real))
    told, better = [], {}
    for name in dict.fromkeys([*a, *o]):
        left, right, really = (run.get(name, ["not there"]) for run in (a, o, r))
        # Where Ansible has given up, what is not done in check mode has nothing to be compared with.
        skipped = name not in a and theirs["code"] and all(line.startswith("skipping") for line in right)
        if left == right or skipped:
            continue
        if right == really:
            better[name] = failures.get(name) or left
        else:
            told.append(f"{name}\nansible {left}\nfanfare {right}\nreally {really}")
    return told, better


def explained(better):
    """What Ansible's check does not foretell, in words."""
    plain = {name: [line.split(" => ")[0].replace(": [web]", "") for line in why] for name, why in better.items()}
    gone = [name for name, why in plain.items() if why == ["not there"]]
    said = [f"`{name.split('[', 1)[1].split(' : ')[-1].rstrip(']')}` ({'; '.join(dict.fromkeys(why))})" for name, why in plain.items() if name not in gone]
    more = [f"what it does not come to ({len(gone)})"] * bool(gone)
    return "Ansible does not foretell " + ", ".join(said + more)


def numbered(run):
    """The results by the task's name, which has a number where it is not the first of that name; and failures."""
    found, failures = {}, {}
    for name, lines, said in tasks(run):
        times = sum(other == name or other.startswith(f"{name} (") for other in found)
        key = f"{name} ({times + 1})" if times else name
        found[key], failures[key] = lines, said
    return found, failures
