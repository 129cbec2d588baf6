use std::fmt::Write;
use std::sync::Arc;

use super::dump::{dump, dump_nodes};
use super::{data, loader, told};
use crate::playbook::loader::block::flatten;
use crate::playbook::loader::search::Manner::{Import, Include};
use crate::playbook::{Loader, Node, Playbook, RoleRequest, Task};
use crate::value::Dict;

/// Files in a directory of their own, and a loader that stands in it.
struct Tree {
    directory: tempfile::TempDir,
    loader: Loader,
}

impl Tree {
    fn new(files: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = directory.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self { directory, loader: loader(Dict::new()) }
    }

    fn playbook(&self) -> Playbook {
        self.loader
            .playbook(&self.directory.path().join("p.yml"))
            .unwrap_or_else(|error| panic!("{}", told(&error)))
    }

    /// What `include_tasks` brings, as dumped; or the error.
    fn include(&self, task: &Arc<Task>, file: &str) -> String {
        match self.loader.include_tasks(task, file, &[]) {
            Ok(loaded) => {
                let mut text = String::new();
                dump_nodes(&mut text, &loaded.tasks, 0);
                text
            }
            Err(error) => told(&error)
                .replace(&self.directory.path().canonicalize().unwrap().display().to_string(), "ROOT"),
        }
    }
}

fn tasks_of(nodes: &[Node]) -> Vec<Arc<Task>> {
    let mut tasks = Vec::new();
    flatten(nodes, &mut tasks);
    tasks
}

#[test]
fn included_tasks_inherit_what_is_around_the_include_but_not_its_own_keywords() {
    let tree = Tree::new(&[
        (
            "p.yml",
            "- hosts: all
  become: yes
  vars: {file: inc}
  tasks:
    - block:
        - include_tasks: {file: inc.yml, apply: {tags: applied, become_user: joe, vars: {a: 2}}}
          vars: {v: 1}
          when: x
          tags: own
          ignore_errors: yes
      tags: around
      vars: {b: 3}
  handlers:
    - include_tasks: inc.yml
      listen: l
",
        ),
        ("inc.yml", "- debug: {msg: hi}\n  when: y\n- import_tasks: deep/one.yml\n  tags: t\n"),
        ("deep/one.yml", "- ping:\n- import_role: {name: r}\n"),
        ("bad.yml", "- ping:\n  whne: x\n"),
        ("empty.yml", "---\n"),
        ("dict.yml", "a: b\n"),
        ("roles/r/tasks/main.yml", "- debug:\n"),
        ("roles/r/handlers/main.yml", "- name: h\n  debug:\n"),
    ]);
    let playbook = tree.playbook();
    let play = &playbook.plays[0];
    let include = tasks_of(&play.sections[2])[0].clone();
    insta::assert_snapshot!(dump(&playbook), @r"
play 'all' become=True
  vars Dict({'file': 'inc'})
  tasks
    block
      include_tasks Dict({'file': 'inc.yml'}) become=True ignore_errors=True when=['x'] tags=['around', 'own'] vars=[Dict({'b': 3}), Dict({'v': 1})]
        included: become=True become_user='joe' tags=['around', 'applied'] vars=[Dict({'b': 3}), Dict({'v': 1}), Dict({'a': 2})] params=[Dict({'v': 1})]
  handlers
    include_tasks Dict({'_raw_params': 'inc.yml'}) listen=['l'] become=True
      included: become=True
");
    insta::assert_snapshot!(tree.include(&include, "inc.yml"), @r"
debug Dict({'msg': 'hi'}) become=True become_user='joe' when=['y'] tags=['around', 'applied'] vars=[Dict({'b': 3}), Dict({'v': 1}), Dict({'a': 2})] params=[Dict({'v': 1})]
ping Dict({}) become=True become_user='joe' tags=['around', 'applied', 't'] vars=[Dict({'b': 3}), Dict({'v': 1}), Dict({'a': 2})] params=[Dict({'v': 1})]
r : debug Dict({}) become=True become_user='joe' tags=['around', 'applied', 't'] vars=[Dict({'b': 3}), Dict({'v': 1}), Dict({'a': 2})] params=[Dict({'v': 1})]
end of r
");
    insta::assert_snapshot!(tree.include(&include, "bad.yml"), @r"
bad.yml:2:3: 'whne' is not a valid attribute for a Task
  hint: did you mean 'when'?
");
    insta::assert_snapshot!(tree.include(&include, "nope.yml"), @r"
p.yml:6:11: Could not find or access 'nope.yml' on the Ansible Controller.
  hint: looked in ROOT
");
    insta::assert_snapshot!(tree.include(&include, "dict.yml"), @"dict.yml:1:1: included task files must contain a list of tasks");
    assert_eq!(tree.include(&include, "empty.yml"), "");

    let first = tree.loader.include_tasks(&include, "inc.yml", &[]).unwrap();
    let again = tree.loader.include_tasks(&include, "./inc.yml", &[]).unwrap();
    assert!(Arc::ptr_eq(&first, &again), "expanded once for all hosts and items");
    assert_eq!(first.roles.len(), 1);
    assert_eq!(first.handlers.len(), 1);
    assert!(first.path.is_absolute());
    let handlers = tree.loader.include_tasks(&play.handlers[0], "inc.yml", &[]);
    assert!(handlers.is_err_and(|error| error.message().contains("as a handler")));
}

#[test]
fn included_role() {
    let tree = Tree::new(&[
        (
            "p.yml",
            "- hosts: all
  become: yes
  tasks:
    - include_role: {name: r, apply: {tags: t}}
      vars: {v: 1}
      tags: own
",
        ),
        ("roles/r/meta/main.yml", "dependencies: [{role: base, p: 1, when: c}]\nallow_duplicates: no\n"),
        ("roles/r/tasks/main.yml", "- debug: {msg: main}\n"),
        ("roles/r/tasks/other.yaml", "- debug: {msg: other}\n"),
        ("roles/r/vars/main.yml", "a: 1\n"),
        ("roles/r/vars/Debian.yml", "a: 2\n"),
        ("roles/r/handlers/main.yml", "- name: h\n  debug:\n"),
        ("roles/base/tasks/main.yml", "- debug: {msg: base}\n"),
        ("roles/base/defaults/main.yml", "d: 1\n"),
    ]);
    let include = tasks_of(&tree.playbook().plays[0].sections[2])[0].clone();
    let request = |name: &str, tasks: Option<&str>, vars: Option<&str>| RoleRequest {
        name: name.to_owned(),
        tasks_from: tasks.map(str::to_owned),
        vars_from: vars.map(str::to_owned),
        defaults_from: None,
        handlers_from: None,
        allow_duplicates: true,
        rolespec_validate: true,
        tags: Vec::new(),
    };
    let check = |request: RoleRequest| match tree.loader.include_role(&include, &request) {
        Ok(loaded) => {
            let mut text = String::new();
            dump_nodes(&mut text, &loaded.tasks, 0);
            writeln!(
                text,
                "{:?} {:?} twice={}",
                loaded.role.name, loaded.role.vars, loaded.role.allow_duplicates
            )
            .unwrap();
            let names: Vec<_> = loaded.handlers.iter().map(|task| &task.action.name).collect();
            let dependency =
                loaded.role.dependencies.first().map(|role| (&role.name, &role.defaults, &role.params));
            writeln!(text, "handlers {names:?} depends on {dependency:?}").unwrap();
            text
        }
        Err(error) => told(&error)
            .replace(&tree.directory.path().canonicalize().unwrap().display().to_string(), "ROOT")
            .replace(&data("").display().to_string(), "DATA/"),
    };
    insta::assert_snapshot!(check(request("r", None, None)), @r#"
base : debug Dict({'msg': 'base'}) become=True when=['c'] tags=['t'] vars=[Dict({'v': 1})] params=[Dict({'v': 1})]
end of base
r : debug Dict({'msg': 'main'}) become=True tags=['t'] vars=[Dict({'v': 1})] params=[Dict({'v': 1})]
end of r
"r" Dict({'a': 1}) twice=true
handlers ["debug"] depends on Some(("base", Dict({'d': 1}), Dict({'p': 1})))
"#);
    insta::assert_snapshot!(check(request("r", Some("other"), Some("Debian.yml"))), @r#"
base : debug Dict({'msg': 'base'}) become=True when=['c'] tags=['t'] vars=[Dict({'v': 1})] params=[Dict({'v': 1})]
end of base
r : debug Dict({'msg': 'other'}) become=True tags=['t'] vars=[Dict({'v': 1})] params=[Dict({'v': 1})]
end of r
"r" Dict({'a': 2}) twice=true
handlers ["debug"] depends on Some(("base", Dict({'d': 1}), Dict({'p': 1})))
"#);
    insta::assert_snapshot!(check(request("r", Some("nope"), None)), @"p.yml:4:7: Could not find specified file in role: tasks/nope");
    insta::assert_snapshot!(check(request("rr", None, None)), @"p.yml:4:7: The role 'rr' was not found in: ROOT/roles:DATA/roles:ROOT");
    let first = tree.loader.include_role(&include, &request("r", None, None)).unwrap();
    let again = tree.loader.include_role(&include, &request("r", None, None)).unwrap();
    assert!(Arc::ptr_eq(&first, &again));
}

/// Tried on ansible-core 2.21 with a file in one place at a time, then in several.
#[test]
fn where_task_files_are_looked_for() {
    let inside = |place: &str| -> Vec<String> {
        let mut files = vec![
            (
                "p.yml".to_owned(),
                "- hosts: all\n  roles: [r]\n  tasks: [{import_tasks: x/a.yml}]\n".to_owned(),
            ),
            ("roles/r/tasks/main.yml".to_owned(), "- import_tasks: x/a.yml\n".to_owned()),
            ("roles/r/tasks/x/a.yml".to_owned(), "- include_tasks: f.yml\n".to_owned()),
            ("x/a.yml".to_owned(), "- include_tasks: f.yml\n".to_owned()),
        ];
        files.extend(place.split(' ').map(|place| (format!("{place}f.yml"), "- ping:\n".to_owned())));
        let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let tree = Tree::new(&files);
        let root = tree.directory.path().canonicalize().unwrap();
        let play = &tree.playbook().plays[0];
        let (in_role, in_play) =
            (tasks_of(&play.sections[1])[0].clone(), tasks_of(&play.sections[2])[0].clone());
        let find = |manner, task: &Task| {
            let around = &task.include.as_ref().unwrap().around;
            match tree.loader.find_tasks("f.yml", manner, around, &task.place) {
                Ok(path) => path
                    .canonicalize()
                    .unwrap()
                    .parent()
                    .unwrap()
                    .strip_prefix(&root)
                    .unwrap()
                    .display()
                    .to_string(),
                Err(_) => "-".to_owned(),
            }
        };
        vec![find(Include, &in_role), find(Import, &in_role), find(Include, &in_play)]
    };
    let check = |places: &str, expect: [&str; 3]| assert_eq!(inside(places), expect, "{places}");
    check("roles/r/tasks/x/", ["roles/r/tasks/x", "roles/r/tasks/x", "-"]);
    check("roles/r/tasks/", ["roles/r/tasks", "roles/r/tasks", "-"]);
    check("roles/r/", ["roles/r", "roles/r", "-"]);
    check("roles/r/tasks/y/", ["-", "-", "-"]);
    check("tasks/", ["tasks", "tasks", "-"]);
    check("./", ["", "", ""]);
    check("x/", ["-", "-", "x"]);
    check("roles/r/tasks/x/ roles/r/tasks/", ["roles/r/tasks", "roles/r/tasks/x", "-"]);
    check("roles/r/ ./", ["roles/r", "", ""]);
    check("x/ ./", ["", "", ""]);
}

#[test]
fn roles_of_collections() {
    let mut tree = Tree::new(&[
        (
            "p.yml",
            "- hosts: all
  collections: [acme.tools]
  roles: [web, acme.other.db]
  tasks:
    - block:
        - import_role: {name: cache}
      collections: [acme.more]
",
        ),
        ("c/ansible_collections/acme/tools/roles/web/tasks/main.yml", "- debug: {msg: web}\n"),
        ("c/ansible_collections/acme/other/roles/db/tasks/main.yml", "- debug: {msg: db}\n"),
        ("c/ansible_collections/acme/other/roles/db/meta/main.yml", "dependencies: [base]\n"),
        ("c/ansible_collections/acme/other/roles/base/tasks/main.yml", "- debug: {msg: base}\n"),
        ("c/ansible_collections/acme/more/roles/cache/tasks/main.yml", "- debug: {msg: cache}\n"),
    ]);
    tree.loader.options.collections_path = vec![tree.directory.path().join("c")];
    let names: Vec<_> = tree
        .playbook()
        .plays
        .iter()
        .flat_map(|play| play.sections.iter().flat_map(|section| tasks_of(section)))
        .map(|task| task.role.as_ref().unwrap().name.clone())
        .collect();
    assert_eq!(names, ["acme.tools.web", "acme.other.base", "acme.other.db", "acme.more.cache"]);
}

/// Which uses count as the same role (tried on ansible-core 2.21, where the second of two is skipped).
#[test]
fn identities() {
    let tree = Tree::new(&[
        (
            "p.yml",
            "- hosts: all
  roles:
    - r
    - role: r
    - {role: r, when: no}
    - {role: r, p: 1}
    - {name: r, p: 1}
    - {role: r, vars: {p: 1}}
    - {role: r, tags: t}
    - user
  tasks:
    - import_role: {name: r}
    - import_role: {name: r, allow_duplicates: no}
      tags: t
    - import_role: {name: r}
      vars: {p: 1}
    - import_role: {name: r, tasks_from: main}
",
        ),
        ("roles/r/tasks/main.yml", "- debug:\n"),
        ("roles/user/meta/main.yml", "dependencies: [r, {role: r, p: 1}]\n"),
    ]);
    let playbook = tree.playbook();
    let play = &playbook.plays[0];
    let mut seen: Vec<Arc<str>> = Vec::new();
    let numbers: Vec<_> = [1, 2]
        .iter()
        .flat_map(|section| &play.sections[*section])
        .filter_map(|node| match node {
            Node::RoleEnd(role) if role.name == "r" => Some(role),
            _ => None,
        })
        .map(|role| {
            let known = seen.iter().position(|identity| *identity == role.identity);
            let number = known.unwrap_or(seen.len());
            if known.is_none() {
                seen.push(role.identity.clone());
            }
            (number, role.allow_duplicates)
        })
        .collect();
    let in_roles = [0, 0, 1, 2, 2, 3, 4, 0, 2].map(|number| (number, false));
    assert_eq!(numbers[..9], in_roles);
    assert_eq!(numbers[9..], [(5, true), (5, false), (6, true), (7, true)]);
}
