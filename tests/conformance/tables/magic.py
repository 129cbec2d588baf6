"""Magic variables: what each holds, and of which type, wherever a task may stand."""
from .expressions import quoted

# The versions, the path of Python and the id of a role are each tool's own.
EXPRESSIONS = """
ansible_check_mode
ansible_collection_name
ansible_config_file
ansible_dependent_role_names
ansible_diff_mode
ansible_facts | dict2items | length
ansible_failed_result.msg
ansible_failed_task.name
ansible_forks
ansible_host
ansible_index_var
ansible_inventory_sources
ansible_limit
ansible_local
ansible_loop
ansible_loop.index
ansible_loop.allitems
ansible_loop_var
ansible_parent_role_names
ansible_parent_role_paths
ansible_play_batch
ansible_play_hosts
ansible_play_hosts_all
ansible_play_name
ansible_play_role_names
ansible_playbook_python | type_debug
ansible_role_name
ansible_role_names | sort
ansible_run_tags
ansible_search_path
ansible_skip_tags
ansible_verbosity
ansible_version | list | sort
ansible_version.major | type_debug
ansible_version.string == ansible_version.full
group_names
groups
groups.all
groups | list
hostvars | list
hostvars['t2'].group_names
hostvars['t2'].inventory_hostname
hostvars['t2'].own
hostvars['t2'].ansible_play_hosts
hostvars['t2'].hostvars
hostvars['nobody']
hostvars.nobody.x | default('none')
hostvars[inventory_hostname].own
hostvars | length
't2' in hostvars
inventory_dir
inventory_file
inventory_hostname
inventory_hostname_short
item
nth
omit
play_hosts
playbook_dir
role_name
role_names
role_path
role_uuid | type_debug
vars | type_debug
vars.inventory_hostname
vars['own']
environment
ansible_current_hosts
ansible_failed_hosts
ansible_async_path
ansible_delegated_vars | type_debug
template_path
ansible_managed
ansible_connection
ansible_user
ansible_port
ansible_python_interpreter
lookup('varnames', '^ansible_(play|role|loop)', wantlist=true) | sort
""".strip().splitlines()
ENTRIES = ",\n".join(f"      {quoted(e)}: {quoted('{{ ' + e + ' }}')}" for e in EXPRESSIONS)


def cases():
    yield "magic/everywhere", f"""# Magic variables in tasks, roles, blocks, loops, handlers, rescues, delegated, in checks, limited and tagged.
hosts: 3 local
checks: {18 * len(EXPRESSIONS)}
run: site.yml -f 2 --tags all --skip-tags never
run: site.yml --limit t1,t2 -f 2 --check --diff

-- shown.yml --
- name: show
  vars:
    e: {{
{ENTRIES}}}
  debug: {{msg: "{{{{ [e[k] | type_debug, e[k]] }}}}"}}
  loop: "{{{{ e.keys() }}}}"
  loop_control: {{loop_var: k}}
  ignore_errors: true
-- site.yml --
- name: first
  hosts: t1
  gather_facts: false
  vars: {{own: mine}}
  environment: {{A: b}}
  pre_tasks:
    - import_tasks: shown.yml
  roles: [outer]
  tasks:
    - include_tasks: shown.yml
      loop: [a, b]
      loop_control: {{extended: true, index_var: nth}}
    - block:
        - {{name: fails, fail: {{msg: it does}}}}
      rescue:
        - include_tasks: shown.yml
    - include_tasks: {{file: shown.yml, apply: {{delegate_to: t2}}}}
    - include_role: {{name: inner}}
    - {{command: echo, notify: [h], check_mode: false}}
  handlers:
    - name: h
      include_tasks: shown.yml
- hosts: t1:t2:t3
  name: "second {{{{ 1 + 1 }}}}"
  gather_facts: false
  serial: 2
  tasks:
    - include_tasks: shown.yml
      when: inventory_hostname != 't2'
-- roles/outer/meta/main.yml --
dependencies: [deep]
-- roles/outer/tasks/main.yml --
- import_tasks: ../../../shown.yml
- include_role: {{name: inner}}
-- roles/inner/tasks/main.yml --
- import_tasks: ../../../shown.yml
-- roles/deep/tasks/main.yml --
- import_tasks: ../../../shown.yml
-- host_vars/t2.yml --
own: "of {{{{ inventory_hostname }}}}"
"""
