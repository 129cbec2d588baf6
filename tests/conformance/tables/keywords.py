"""Keywords: each where it may stand, with a literal and with a template; with a value of a wrong type; and where it may
not stand. What may stand where is language.json's."""
import json
import pathlib

LANGUAGE = pathlib.Path(__file__).resolve().parent.parent.parent / "data/language.json"

# keyword: (literal, the same as a template, a value of a wrong type), as YAML.
VALUES = {
    "action": ("debug msg=said", None, "[5]"),
    "allow_duplicates": ("true", "'{{ yes_ }}'", "[a]"),
    "always": ("[{debug: {msg: always}}]", None, "5"),
    "any_errors_fatal": ("true", "'{{ yes_ }}'", "[a]"),
    "args": ("{chdir: /}", "'{{ {\"chdir\": \"/\"} }}'", "5"),
    "argument_specs": ("{main: {options: {o: {type: str}}}}", None, "5"),
    "async": ("0", "'{{ 0 }}'", "soon"),
    "become": ("false", "'{{ no_ }}'", "[a]"),
    "become_exe": ("/usr/bin/sudo", "'{{ \"/usr/bin/sudo\" }}'", "[a]"),
    "become_flags": ("-H", "'{{ \"-H\" }}'", "{a: 1}"),
    "become_method": ("sudo", "'{{ \"sudo\" }}'", "[a]"),
    "become_user": ("root", "'{{ \"root\" }}'", "{a: 1}"),
    "block": ("[{debug: {msg: block}}]", None, "5"),
    "break_when": ("item == 1", "'{{ item == 1 }}'", "{a: 1}"),
    "changed_when": ("false", "'{{ no_ }}'", "{a: 1}"),
    "check_mode": ("true", "'{{ yes_ }}'", "[a]"),
    "collections": ("[ansible.builtin]", "['{{ \"ansible.builtin\" }}']", "{a: 1}"),
    "connection": ("local", "'{{ \"local\" }}'", "[a]"),
    "debugger": ("never", "'{{ \"never\" }}'", "sometimes"),
    "delay": ("0.1", "'{{ 0.1 }}'", "long"),
    "delegate_facts": ("true", "'{{ yes_ }}'", "[a]"),
    "delegate_to": ("t1", "'{{ inventory_hostname }}'", "[a]"),
    "dependencies": ("[{role: other}]", None, "5"),
    "diff": ("true", "'{{ yes_ }}'", "[a]"),
    "environment": ("{A: env}", "'{{ {\"A\": \"env\"} }}'", "5"),
    "extended": ("true", "'{{ yes_ }}'", "[a]"),
    "extended_allitems": ("false", "'{{ no_ }}'", "[a]"),
    "fact_path": ("/tmp", "'{{ \"/tmp\" }}'", "[a]"),
    "failed_when": ("false", "'{{ no_ }}'", "{a: 1}"),
    "force_handlers": ("true", "'{{ yes_ }}'", "[a]"),
    "galaxy_info": ("{author: me}", None, "5"),
    "gather_facts": ("false", "'{{ no_ }}'", "[a]"),
    "gather_subset": ("[min]", "['{{ \"min\" }}']", "{a: 1}"),
    "gather_timeout": ("5", "'{{ 5 }}'", "long"),
    "handlers": ("[{name: h, debug: {msg: handled}}]", None, "5"),
    "hosts": ("t1", "'{{ \"t1\" }}'", "{a: 1}"),
    "ignore_errors": ("true", "'{{ yes_ }}'", "[a]"),
    "ignore_unreachable": ("true", "'{{ yes_ }}'", "[a]"),
    "index_var": ("nth", None, "[a]"),
    "label": ("labelled", "'{{ item }}!'", "{a: 1}"),
    "listen": ("topic", "'{{ \"topic\" }}'", "{a: 1}"),
    "loop": ("[1, 2]", "'{{ [1, 2] }}'", "5"),
    "loop_control": ("{label: labelled}", None, "5"),
    "loop_var": ("it", None, "[a]"),
    "max_fail_percentage": ("50", "'{{ 50 }}'", "many"),
    "module_defaults": ("{command: {chdir: /}}", "{command: '{{ {\"chdir\": \"/\"} }}'}", "5"),
    "name": ("named", "'{{ \"named\" }}'", "{a: 1}"),
    "no_log": ("true", "'{{ yes_ }}'", "[a]"),
    "notify": ("always_there", "'{{ \"always_there\" }}'", "{a: 1}"),
    "order": ("reverse_inventory", "'{{ \"reverse_inventory\" }}'", "random"),
    "pause": ("0.1", "'{{ 0.1 }}'", "long"),
    "poll": ("1", "'{{ 1 }}'", "often"),
    "port": ("22", "'{{ 22 }}'", "door"),
    "post_tasks": ("[{debug: {msg: post}}]", None, "5"),
    "pre_tasks": ("[{debug: {msg: pre}}]", None, "5"),
    "register": ("kept", None, "5"),
    "remote_user": ("someone", "'{{ \"someone\" }}'", "{a: 1}"),
    "rescue": ("[{debug: {msg: rescue}}]", None, "5"),
    "retries": ("1", "'{{ 1 }}'", "often"),
    "roles": ("[other]", None, "5"),
    "run_once": ("true", "'{{ yes_ }}'", "[a]"),
    "serial": ("1", "'{{ 1 }}'", "{a: 1}"),
    "strategy": ("free", "'{{ \"free\" }}'", "nowhere"),
    "tags": ("[t]", "['{{ \"t\" }}']", "{a: 1}"),
    "tasks": ("[{debug: {msg: tasks}}]", None, "5"),
    "throttle": ("1", "'{{ 1 }}'", "few"),
    "timeout": ("30", "'{{ 30 }}'", "long"),
    "until": ("true", "'{{ yes_ }}'", "{a: 1}"),
    "validate_argspec": ("false", "'{{ no_ }}'", "[a]"),
    "vars": ("{v: set}", "'{{ {\"v\": \"set\"} }}'", "5"),
    "vars_files": ("[v.yml]", "['{{ \"v.yml\" }}']", "5"),
    "vars_prompt": ("[{name: asked, default: d}]", None, "5"),
    "when": ("true", "'{{ yes_ }}'", "{a: 1}"),
}
# What makes the object what it is.
OWN = {"Task": {"action", "args"}, "Handler": {"action"}, "Block": {"block"}, "Play": {"hosts"}, "RoleInclude": {"role"},
       "PlaybookInclude": {"import_playbook"}, "TaskInclude": {"action", "args"}, "IncludeRole": {"action", "args"}}
# So many plays to a playbook.
PLAYS = 24
# The debugger and argument specs of plays have cases of their own; `public` is an option of include_role.
ELSEWHERE = {"debugger", "validate_argspec", "public"}

SHOW = "shell: 'echo A=$A v={{ v | default(0) }} {{ ansible_check_mode }} {{ ansible_diff_mode }}'"
FILES = f"""-- v.yml --
v: file
-- shown.yml --
- name: included
  {SHOW}
-- roles/r/tasks/main.yml --
- name: in the role
  {SHOW}
-- roles/other/tasks/main.yml --
- debug: {{msg: other}}
"""
# A play around a task, a block or a role; the object's own lines are indented so far.
AROUND = """- hosts: all
  gather_facts: false
  vars: {{yes_: true, no_: false}}
  handlers: [{{name: always_there, debug: {{msg: notified}}}}]
  {section}:
{entries}
"""
SECTIONS = {"RoleInclude": "roles"}
CLASS = {"include_tasks": "TaskInclude", "import_tasks": "TaskInclude", "include_role": "IncludeRole", "import_role": "IncludeRole"}
KINDS = ["Play", "Task", "Handler", "Block", "include_tasks", "import_tasks", "include_role", "import_role", "RoleInclude",
         "PlaybookInclude", "LoopControl", "RoleMetadata"]
# What runs later takes few of a task's keywords.
INCLUDES = {"include_tasks", "include_role"}
OF_INCLUDES = {"collections", "ignore_errors", "loop", "loop_control", "name", "no_log", "register", "run_once", "tags",
               "timeout", "vars", "when"}
# These end the run, or have their own hosts: each in a run of its own.
ALONE = {("vars", "template"), ("hosts", "template"), ("strategy", "template"), ("roles", "template"), ("loop", "template"),
         ("dependencies", "literal"), ("listen", "template")}
# Looping and waiting are for what runs later.
ALONE |= {(keyword, how) for keyword in ("loop", "until") for how in ("literal", "template")}
# Objects that share their table with one of these are looked at once.
TYPED = ["Play", "Task", "RoleInclude", "LoopControl"]
MISPLACED = ["Play", "Task", "Block", "include_tasks", "RoleInclude", "PlaybookInclude", "LoopControl"]


def cases():
    keywords = json.loads(LANGUAGE.read_text())["keywords"]
    known = {kind: {k for k in own if "(private)" not in k} - ELSEWHERE for kind, own in keywords.items()}
    everywhere = sorted(set.union(*known.values()))
    if missing := [k for k in everywhere if k not in VALUES and not any(k in own for own in OWN.values())]:
        raise SystemExit(f"{__file__}: no value for: {', '.join(missing)}")
    for kind in KINDS:
        mine = CLASS.get(kind, kind)
        fitting = sorted((known[mine] & OF_INCLUDES if kind in INCLUDES else known[mine]) - OWN.get(mine, set()))
        yield f"keywords/{kind}", allowed(kind, fitting)
        if kind in TYPED:
            yield f"keywords/{kind}_wrong", refused(kind, "values of a wrong type", [(k, VALUES[k][2]) for k in fitting])
        if kind in MISPLACED:
            strange = [k for k in everywhere if k in VALUES and k not in OWN.get(mine, ()) and k not in fitting] + ["bogus"]
            yield f"keywords/{kind}_strange", refused(kind, "keywords that do not belong there",
                                                      [(k, VALUES.get(k, ("5",))[0]) for k in strange], " --syntax-check")


def allowed(kind, fitting):
    """Playbooks with a play for each keyword and way to write its value."""
    together, files, alone, checks = [], [], [], 0
    for keyword in fitting:
        literal, template, _ = VALUES[keyword]
        for how, value in (("literal", literal), ("template", template)):
            if value is None:
                continue
            checks += 1
            text = playbook(kind, keyword, value, f"{keyword}_{how}")
            if (keyword, how) in ALONE:
                files.append(text)
                alone.append(f"run: {keyword}_{how}.yml --diff")
            else:
                play, *rest = text.split("\n-- ", 1)
                together.append(play.split("\n", 1)[1].rstrip("\n") + "\n")
                files += [f"-- {rest[0]}"] if rest else []
    parts = [together[n:n + PLAYS] for n in range(0, len(together), PLAYS)]
    files += [f"-- part_{n}.yml --\n" + "".join(part) for n, part in enumerate(parts)]
    runs = [f"run: part_{n}.yml --diff" for n in range(len(parts))] + alone
    return case(f"Keywords of {kind}, each as a literal and as a template.", runs, files, checks)


def refused(kind, what, pairs, options=""):
    runs = [f"refuse: {keyword}_bad.yml{options}" for keyword, _ in pairs]
    return case(f"Keywords of {kind}: {what}.", runs, [playbook(kind, k, value, f"{k}_bad") for k, value in pairs], len(runs))


def case(about, runs, files, checks):
    return f"# {about}\nhosts: 1 local\nchecks: {checks}\n" + "\n".join(runs) + "\n\n" + FILES + "".join(files)


def playbook(kind, keyword, value, name):
    line = f"{keyword}: {value}"
    if kind == "Play":
        hosts = "" if keyword == "hosts" else "hosts: all\n  "
        gather = "" if keyword.startswith(("gather_", "fact_")) else "gather_facts: false\n  "
        given = "" if keyword == "vars" else "vars: {yes_: true, no_: false}\n  "
        tasks = "" if keyword == "tasks" else f"\n  tasks:\n    - {SHOW}"
        return f"-- {name}.yml --\n- {hosts}{gather}{given}{line}{tasks}\n"
    if kind == "PlaybookInclude":
        # No variable of a play is known here.
        line = line.replace("yes_", "true").replace("no_", "false")
        inner = AROUND.format(section="tasks", entries=f"    - {SHOW}")
        return f"-- {name}.yml --\n- import_playbook: {name}_in.yml\n  {line}\n-- {name}_in.yml --\n{inner}"
    if kind == "Handler":
        notified = {"name": "named", "listen": "topic"}.get(keyword, "h")
        return (f"-- {name}.yml --\n- hosts: all\n  gather_facts: false\n  vars: {{yes_: true, no_: false}}\n"
                f"  tasks: [{{command: echo, notify: {notified}}}]\n  handlers:\n"
                f"    - {'' if keyword == 'name' else 'name: h' + chr(10) + '      '}{SHOW}\n      {line}\n"
                f"    - {{name: always_there, debug: {{msg: notified}}}}\n")
    if kind == "RoleMetadata":
        return (f"-- {name}.yml --\n" + AROUND.format(section="roles", entries=f"    - {name}")
                + f"-- roles/{name}/meta/main.yml --\n{line}\n-- roles/{name}/tasks/main.yml --\n- {SHOW}\n")
    entry = {
        "Task": f"    - {SHOW}\n      {line}",
        "Block": f"    - block: [{{name: in the block, {SHOW}}}]\n      {line}",
        "LoopControl": f"    - {SHOW}\n      loop: [1, 2]\n      loop_control: {{{line}}}",
        "RoleInclude": f"    - role: r\n      {line}",
        "include_tasks": f"    - include_tasks: shown.yml\n      {line}",
        "import_tasks": f"    - import_tasks: shown.yml\n      {line}",
        "include_role": f"    - include_role: {{name: r}}\n      {line}",
        "import_role": f"    - import_role: {{name: r}}\n      {line}",
    }[kind]
    return f"-- {name}.yml --\n" + AROUND.format(section=SECTIONS.get(kind, "tasks"), entries=entry)
