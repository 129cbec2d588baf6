//! The variables nobody sets: who, where and in what run a task is.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::Arc;

use parking_lot::RwLock;

use super::Scope;
use super::hostvars::HostVars;
use crate::playbook::{Keywords, Role};
use crate::value::{Dict, Value};

/// The version of Ansible whose language is spoken: playbooks compare `ansible_version`.
pub const SPOKEN: (i64, i64, i64) = (2, 21, 5);

/// What magic variables ask of the run about hosts other than the task's own.
pub trait World: Send + Sync {
    /// The scope of a host outside any play: what `hostvars[host]` sees.
    fn host_scope(&self, host: &str) -> Option<Scope>;

    /// Every host of the inventory, in order.
    fn hosts(&self) -> Vec<Arc<str>>;

    /// `groups`: name -> hosts.
    fn groups(&self) -> Value;

    /// The groups a host is in, sorted, without `all`.
    fn group_names(&self, host: &str) -> Value;

    /// The inventory source a host came from, as a path; `None` for host lists.
    fn inventory_file(&self, host: &str) -> Option<String>;
}

/// Facts about the run as a whole.
#[derive(Debug, Default)]
pub struct RunFacts {
    pub forks: i64,
    pub verbosity: i64,
    pub limit: Option<String>,
    pub run_tags: Vec<String>,
    pub skip_tags: Vec<String>,
    pub inventory_sources: Vec<String>,
    pub config_file: Option<String>,
}

/// Facts about the play and its batch.
#[derive(Default)]
pub struct PlayFacts {
    pub name: String,
    pub playbook_dir: String,
    /// Those of `roles:`, and each that was included since.
    pub role_names: RwLock<Vec<String>>,
    /// Those that these depend on.
    pub dependent_role_names: RwLock<Vec<String>>,
    pub hosts_all: Vec<Arc<str>>,
    pub batch: Vec<Arc<str>>,
    /// The hosts of the play that have not failed.
    pub active: Arc<RwLock<Vec<Arc<str>>>>,
    /// Hosts that left the batch without failing (`meta: end_host`).
    pub ended: RwLock<HashSet<Arc<str>>>,
}

impl PlayFacts {
    /// Names roles that others depend on, and what they depend on themselves.
    pub fn add_dependencies<'r>(&self, roles: impl Iterator<Item = &'r Arc<Role>>) {
        for role in roles {
            let mut known = self.dependent_role_names.write();
            if !known.contains(&role.name) {
                known.push(role.name.clone());
            }
            drop(known);
            self.add_dependencies(role.dependencies.iter());
        }
    }
}

/// Where a scope stands: what the magic variables are computed from when asked.
#[derive(Clone)]
pub struct Magic {
    pub world: Arc<dyn World>,
    pub run: Arc<RunFacts>,
    pub play: Option<Arc<PlayFacts>>,
    pub host: Arc<str>,
    pub role: Option<Arc<Role>>,
    /// Where the task's kind of files lie: `files`, `templates`, `vars`.
    pub files_dir: &'static str,
    /// The directory of the file the task stands in.
    pub task_dir: Option<Arc<Path>>,
    pub check: bool,
    pub diff: bool,
    /// Those in force for the task; only inside of one.
    pub keywords: Option<Arc<Keywords>>,
    /// Only inside of a task.
    pub reached: Option<Reached>,
}

/// How a task's host is reached: what its connection variables are where nobody sets them.
#[derive(Clone, Debug)]
pub struct Reached {
    pub host: Value,
    pub connection: Value,
    pub user: Option<Value>,
    /// The password that was asked for; variables may say another.
    pub password: Option<Value>,
}

impl Reached {
    pub(super) fn get(&self, name: &str) -> Option<Value> {
        match name {
            "ansible_host" => Some(self.host.clone()),
            "ansible_connection" => Some(self.connection.clone()),
            "ansible_user" => self.user.clone(),
            "ansible_password" => self.password.clone(),
            _ => None,
        }
    }
}

impl Magic {
    /// Every name [`Magic::get`] may answer, sorted.
    pub const NAMES: &'static [&'static str] = &[
        "ansible_check_mode",
        "ansible_collection_name",
        "ansible_config_file",
        "ansible_current_hosts",
        "ansible_dependent_role_names",
        "ansible_diff_mode",
        "ansible_failed_hosts",
        "ansible_forks",
        "ansible_inventory_sources",
        "ansible_limit",
        "ansible_parent_role_names",
        "ansible_parent_role_paths",
        "ansible_play_batch",
        "ansible_play_hosts",
        "ansible_play_hosts_all",
        "ansible_play_name",
        "ansible_play_role_names",
        "ansible_playbook_python",
        "ansible_role_name",
        "ansible_role_names",
        "ansible_run_tags",
        "ansible_search_path",
        "ansible_skip_tags",
        "ansible_verbosity",
        "ansible_version",
        "environment",
        "group_names",
        "groups",
        "hostvars",
        "inventory_dir",
        "inventory_file",
        "inventory_hostname",
        "inventory_hostname_short",
        "omit",
        "play_hosts",
        "playbook_dir",
        "role_name",
        "role_names",
        "role_path",
        "role_uuid",
    ];

    /// Those that other variables of the name hide.
    pub(super) const WEAK: &'static [&'static str] = &[
        "group_names",
        "inventory_dir",
        "inventory_file",
        "inventory_hostname",
        "inventory_hostname_short",
        "omit",
    ];

    /// The value of a magic variable; `None` for other names and where it does not exist (`role_path`
    /// outside a role).
    pub fn get(&self, name: &str) -> Option<Value> {
        if Self::NAMES.binary_search(&name).is_err() {
            return None;
        }
        match name {
            "inventory_hostname" => Some(Value::Str(self.host.clone())),
            "inventory_hostname_short" => {
                Some(Value::from(self.host.split('.').next().unwrap_or(&self.host)))
            }
            "groups" => Some(self.world.groups()),
            "group_names" => Some(self.world.group_names(&self.host)),
            "hostvars" => Some(Value::Object(Arc::new(HostVars(self.world.clone())))),
            "inventory_file" => self.world.inventory_file(&self.host).map(Value::from),
            "inventory_dir" => {
                let file = self.world.inventory_file(&self.host)?;
                Some(Value::from(Path::new(&file).parent()?.to_string_lossy().into_owned()))
            }
            "omit" => Some(Value::Omit),
            "ansible_check_mode" => Some(self.check.into()),
            "ansible_diff_mode" => Some(self.diff.into()),
            "ansible_playbook_python" => Some("/usr/bin/python3".into()),
            "ansible_version" => Some(version()),
            "environment" => {
                let given = &self.keywords.as_ref()?.environment;
                Some(Value::list(given.iter().map(|setting| setting.value.clone()).collect()))
            }
            _ => self.of_role(name).or_else(|| self.of_play(name)).or_else(|| self.of_run(name)),
        }
    }

    fn of_role(&self, name: &str) -> Option<Value> {
        if name == "ansible_search_path" {
            return Some(strings(self.search_path()));
        }
        let role = self.role.as_ref()?;
        match name {
            "role_name" | "ansible_role_name" => Some(role.name.as_str().into()),
            "role_path" => Some(role.path.to_string_lossy().into_owned().into()),
            "role_uuid" => Some(uuid(&role.identity).into()),
            "ansible_parent_role_names" | "ansible_parent_role_paths"
                if self.includers().next().is_none() =>
            {
                None
            }
            "ansible_parent_role_names" => Some(strings(self.includers().map(|parent| parent.name.clone()))),
            "ansible_parent_role_paths" => {
                Some(strings(self.includers().map(|parent| parent.path.to_string_lossy().into_owned())))
            }
            "ansible_collection_name" => {
                let mut parts = role.name.splitn(3, '.');
                Some(match (parts.next(), parts.next(), parts.next()) {
                    (Some(namespace), Some(collection), Some(_)) => {
                        format!("{namespace}.{collection}").into()
                    }
                    _ => Value::None,
                })
            }
            _ => None,
        }
    }

    fn of_play(&self, name: &str) -> Option<Value> {
        let play = self.play.as_ref()?;
        match name {
            "playbook_dir" => Some(play.playbook_dir.as_str().into()),
            "ansible_play_name" => Some(play.name.as_str().into()),
            "ansible_play_hosts_all" => Some(hosts(play.hosts_all.iter())),
            "ansible_failed_hosts" => {
                let active = play.active.read();
                let active: HashSet<_> = active.iter().collect();
                Some(hosts(play.hosts_all.iter().filter(|host| !active.contains(host))))
            }
            "ansible_play_batch" | "ansible_current_hosts" | "play_hosts" => {
                let active = play.active.read();
                let active: HashSet<_> = active.iter().collect();
                let ended = play.ended.read();
                let is_there = |host: &&Arc<str>| active.contains(host) && !ended.contains(*host);
                Some(hosts(play.batch.iter().filter(is_there)))
            }
            "ansible_play_hosts" => {
                let ended = play.ended.read();
                Some(hosts(play.active.read().iter().filter(|host| !ended.contains(*host))))
            }
            "ansible_play_role_names" | "role_names" => Some(strings(play.role_names.read().clone())),
            "ansible_dependent_role_names" => Some(strings(play.dependent_role_names.read().clone())),
            "ansible_role_names" => {
                let mut names = play.role_names.read().clone();
                names.extend(play.dependent_role_names.read().iter().cloned());
                names.sort_unstable();
                names.dedup();
                Some(strings(names))
            }
            _ => None,
        }
    }

    fn of_run(&self, name: &str) -> Option<Value> {
        let run = &self.run;
        match name {
            "ansible_forks" => Some(run.forks.into()),
            "ansible_verbosity" => Some(run.verbosity.into()),
            "ansible_limit" => run.limit.clone().map(Value::from),
            "ansible_run_tags" => Some(tuple(&run.run_tags)),
            "ansible_skip_tags" => Some(tuple(&run.skip_tags)),
            "ansible_inventory_sources" => Some(tuple(&run.inventory_sources)),
            "ansible_config_file" => Some(run.config_file.clone().map_or(Value::None, Value::from)),
            _ => None,
        }
    }

    fn parents(&self) -> impl Iterator<Item = Arc<Role>> {
        std::iter::successors(self.role.as_ref().and_then(|role| role.parent.clone()), |role| {
            role.parent.clone()
        })
    }

    /// The roles whose tasks brought this one in.
    fn includers(&self) -> impl Iterator<Item = Arc<Role>> {
        let above = |role: &Arc<Role>| role.parent.clone().filter(|_| !role.is_dependency);
        std::iter::successors(self.role.as_ref().and_then(above), above)
    }

    /// Where relative files are looked for: the role and its parents, the task's file, the playbook.
    pub fn search_path(&self) -> Vec<String> {
        let text = |path: &Path| {
            // A playbook that is named without a directory stands in the current one.
            let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
            std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).to_string_lossy().into_owned()
        };
        let mut paths: Vec<String> = Vec::new();
        if let Some(role) = &self.role {
            paths.push(text(&role.path));
            paths.extend(self.parents().map(|parent| text(&parent.path)));
        }
        paths.extend(self.task_dir.as_deref().map(text));
        paths.extend(self.play.as_ref().map(|play| play.playbook_dir.clone()));
        let mut seen = std::collections::HashSet::new();
        paths.retain(|path| seen.insert(path.clone()));
        paths
    }
}

fn version() -> Value {
    let (major, minor, revision) = SPOKEN;
    let full = format!("{major}.{minor}.{revision}");
    let mut version = Dict::new();
    version.insert("string", full.as_str());
    version.insert("full", full.as_str());
    version.insert("major", major);
    version.insert("minor", minor);
    version.insert("revision", revision);
    Value::dict(version)
}

fn strings(items: impl IntoIterator<Item = String>) -> Value {
    Value::list(items.into_iter().map(Value::from).collect())
}

/// What the command line gave.
fn tuple(items: &[String]) -> Value {
    Value::Tuple(Arc::new(items.iter().map(|item| Value::from(item.as_str())).collect()))
}

fn hosts<'a>(hosts: impl Iterator<Item = &'a Arc<str>>) -> Value {
    Value::list(hosts.cloned().map(Value::Str).collect())
}

/// A name in the form of a UUID: the same for the same use of a role.
fn uuid(identity: &str) -> String {
    let mut hasher = DefaultHasher::new();
    identity.hash(&mut hasher);
    let first = hasher.finish();
    hasher.write_u8(1);
    let hex = format!("{first:016x}{:016x}", hasher.finish());
    let part = |from, to| hex.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

#[cfg(test)]
mod tests {
    use super::Magic;

    #[test]
    fn names_are_sorted() {
        assert!(Magic::NAMES.is_sorted());
    }
}
