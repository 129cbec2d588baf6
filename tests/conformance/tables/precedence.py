"""The levels of precedence: for every pair of levels a variable that both set; who wins, and who is still seen elsewhere."""
import itertools

# From weak to strong, by the numbers of Ansible's list; 1, the command line's options, are no variables.
LEVELS = {2: "role defaults", 3: "group in the inventory file", 4: "inventory group_vars/all", 5: "playbook group_vars/all",
          6: "inventory group_vars/g", 7: "playbook group_vars/g", 8: "host in the inventory file", 9: "inventory host_vars",
          10: "playbook host_vars", 11: "cached facts", 12: "play vars", 13: "vars_prompt", 14: "vars_files", 15: "role vars",
          16: "block vars", 17: "task vars", 18: "include_vars", 19: "set_fact", 20: "role params", 21: "include params",
          22: "extra vars"}
PAIRS = list(itertools.combinations(LEVELS, 2))
FILES = {2: "roles/r/defaults/main.yml", 4: "inv/group_vars/all.yml", 5: "group_vars/all.yml", 6: "inv/group_vars/g.yml",
         7: "group_vars/g.yml", 9: "inv/host_vars/t1.yml", 10: "host_vars/t1.yml", 14: "file.yml", 15: "roles/r/vars/main.yml",
         18: "included.yml", 22: "extra.yml"}


def cases():
    yield "precedence/pairs", f"""# For every two levels of precedence, who wins; and what is still set after the role, in a later play and elsewhere.
hosts: 2 local
env: ANSIBLE_CACHE_PLUGIN=jsonfile ANSIBLE_CACHE_PLUGIN_CONNECTION=@SLOT@/case/facts
each: -i inv/hosts.yml
checks: {4 * len(PAIRS)}
run: cached.yml
run: site.yml -e @extra.yml
run: site.yml

-- cached.yml --
- hosts: t1
  gather_facts: false
  tasks: [set_fact: {values(11, ", cacheable: true")}]
-- site.yml --
- hosts: t1
  gather_facts: false
  vars: {values(12)}
  vars_prompt:
{prompts()}
  vars_files: [file.yml]
  roles:
    - {{role: r, {values(20)[1:-1]}}}
  post_tasks:
    - debug: {{msg: {shown()}}}
- hosts: all
  gather_facts: false
  tasks:
    - debug: {{msg: {shown()}}}
-- roles/r/tasks/main.yml --
- include_vars: included.yml
- set_fact: {values(19)}
- block:
    - include_tasks: inner.yml
      vars: {values(21)}
  vars: {values(16)}
-- roles/r/tasks/inner.yml --
- debug: {{msg: {shown()}}}
  vars: {values(17)}
-- inv/hosts.yml --
g: {{hosts: {{t1: {values(8)}}}, vars: {values(3)}}}
""" + "".join(f"-- {path} --\n{values(level)}\n" for level, path in FILES.items())


def values(level, more=""):
    mine = [pair for pair in PAIRS if level in pair]
    return "{" + ", ".join(f"v{a}_{b}: {level}" for a, b in mine) + more + "}"


def prompts():
    return "\n".join(f"    - {{name: v{a}_{b}, default: '13', private: false}}" for a, b in PAIRS if 13 in (a, b))


def shown():
    return "[" + ", ".join(f"'v{a}_{b}: {{{{ v{a}_{b} | default(0) }}}}'" for a, b in PAIRS) + "]"
