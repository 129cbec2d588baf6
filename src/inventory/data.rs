use std::borrow::Cow;
use std::collections::{HashSet, VecDeque};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use indexmap::{IndexMap, IndexSet};

use super::computed::{Computed, safe_group_name};
use super::layers::{LayerCache, implicit_vars};
use super::vars_dir::VarsDir;
use crate::diagnostic::{Diagnostic, Place, Result};
use crate::value::{Dict, Value};

/// The names by which a machine calls itself: they exist even where the inventory does not name them.
pub(super) const LOCALHOST: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// The variable of a group that says how it ranks among groups of the same depth.
pub(super) const PRIORITY: &str = "ansible_group_priority";

const DEFAULT_PRIORITY: i64 = 1;

/// All hosts and groups of a run. Grows while it runs (`add_host`, `group_by`).
#[derive(Debug)]
pub struct Inventory {
    pub(super) hosts: IndexMap<Arc<str>, Host>,
    pub(super) groups: IndexMap<Arc<str>, Group>,
    /// Where `group_vars` and `host_vars` lie beside the sources, in the order of the sources.
    pub(super) vars_dirs: Vec<Arc<VarsDir>>,
    /// The files that were read, in order.
    pub(super) files: Vec<Arc<Path>>,
    pub(super) cache: LayerCache,
    /// Texts that came out of expressions: they are never rendered, and `--list` says so.
    pub(super) computed: Computed,
    /// Whether the names of groups are made safe, and how many were.
    pub(super) replaces_names: bool,
    /// Whether dictionaries of one name are laid over each other.
    pub(super) merges: bool,
    pub(super) replaced: usize,
    /// What the run added, in order.
    additions: Vec<Addition>,
    groups_value: OnceLock<Arc<Dict>>,
}

/// Something a run added to its inventory.
#[derive(Clone, Debug)]
enum Addition {
    Host { name: Arc<str>, groups: Vec<Arc<str>>, vars: Dict },
    Membership { host: Arc<str>, group: Arc<str>, parents: Vec<Arc<str>> },
}

/// A host, with what its sources say about it.
#[derive(Debug, Default)]
pub struct Host {
    /// The groups that name it themselves, `all` excepted unless a source says so.
    pub(super) groups: IndexSet<Arc<str>>,
    pub(super) vars: Arc<Dict>,
    /// The first source that named it.
    pub(super) source: Option<Arc<Path>>,
}

/// A group, with what its sources say about it.
#[derive(Debug)]
pub struct Group {
    pub(super) hosts: IndexSet<Arc<str>>,
    pub(super) children: IndexSet<Arc<str>>,
    pub(super) parents: IndexSet<Arc<str>>,
    pub(super) vars: Arc<Dict>,
    /// The longest way down from `all`.
    pub(super) depth: u32,
    /// See [`PRIORITY`].
    pub(super) priority: i64,
}

impl Default for Group {
    fn default() -> Self {
        Self {
            hosts: IndexSet::new(),
            children: IndexSet::new(),
            parents: IndexSet::new(),
            vars: Arc::default(),
            depth: 0,
            priority: DEFAULT_PRIORITY,
        }
    }
}

impl Host {
    /// The variables from the inventory source alone.
    pub fn vars(&self) -> &Arc<Dict> {
        &self.vars
    }

    /// The absolute path of the source that named the host first, a host list as it was given; `None` after
    /// `add_host`.
    pub fn inventory_file(&self) -> Option<&Path> {
        self.source.as_deref()
    }

    /// The directory of the same source; host lists have none.
    pub fn inventory_dir(&self) -> Option<&Path> {
        self.inventory_file().filter(|source| source.is_absolute())?.parent()
    }
}

impl Group {
    /// The variables from the inventory source alone.
    pub fn vars(&self) -> &Arc<Dict> {
        &self.vars
    }

    /// The hosts that the group names itself.
    pub fn own_hosts(&self) -> impl Iterator<Item = &Arc<str>> {
        self.hosts.iter()
    }

    pub fn children(&self) -> impl Iterator<Item = &Arc<str>> {
        self.children.iter()
    }

    pub fn parents(&self) -> impl Iterator<Item = &Arc<str>> {
        self.parents.iter()
    }
}

impl Default for Inventory {
    /// No hosts: `all` and `ungrouped` always exist.
    fn default() -> Self {
        let mut inventory = Self {
            hosts: IndexMap::new(),
            groups: IndexMap::new(),
            vars_dirs: Vec::new(),
            files: Vec::new(),
            cache: LayerCache::default(),
            computed: Computed::default(),
            replaces_names: false,
            merges: false,
            replaced: 0,
            additions: Vec::new(),
            groups_value: OnceLock::new(),
        };
        inventory.add_group("all");
        inventory.add_group("ungrouped");
        inventory.reconcile();
        inventory
    }
}

impl Inventory {
    /// All hosts in the order in which the sources name them; an implicit localhost is not among them.
    pub fn hosts(&self) -> impl Iterator<Item = (&Arc<str>, &Host)> {
        self.hosts.iter()
    }

    /// All groups in the order in which the sources name them, `all` and `ungrouped` first.
    pub fn groups(&self) -> impl Iterator<Item = (&Arc<str>, &Group)> {
        self.groups.iter()
    }

    pub fn host(&self, name: &str) -> Option<&Host> {
        self.hosts.get(name)
    }

    /// Whether variables can be asked for: of hosts it names, and of localhost.
    pub fn is_known(&self, host: &str) -> bool {
        self.hosts.contains_key(host) || LOCALHOST.contains(&host)
    }

    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.get(name)
    }

    /// The hosts of a group and of all groups below it, each once, the nearest first.
    pub fn hosts_of(&self, group: &str) -> Vec<Arc<str>> {
        let mut hosts: IndexSet<&Arc<str>> = IndexSet::new();
        for name in self.below(group) {
            if let Some(group) = self.groups.get(name) {
                hosts.extend(&group.hosts);
            }
        }
        hosts.into_iter().map(Arc::clone).collect()
    }

    /// The group itself and all below it, level by level.
    fn below<'a>(&'a self, group: &str) -> Vec<&'a str> {
        let Some((name, _)) = self.groups.get_key_value(group) else { return Vec::new() };
        let mut seen: HashSet<&str> = HashSet::from([&**name]);
        let mut queue: VecDeque<&'a str> = VecDeque::from([&**name]);
        let mut order = Vec::new();
        while let Some(name) = queue.pop_front() {
            order.push(name);
            for child in self.groups.get(name).into_iter().flat_map(|group| &group.children) {
                if seen.insert(child) {
                    queue.push_back(child);
                }
            }
        }
        order
    }

    /// The groups a host is in, directly or not, without `all`.
    pub(super) fn groups_above(&self, host: &str) -> Vec<&Arc<str>> {
        let mut seen: IndexSet<&Arc<str>> =
            self.hosts.get(host).into_iter().flat_map(|host| &host.groups).collect();
        let mut index = 0;
        while let Some(name) = seen.get_index(index) {
            if let Some(group) = self.groups.get(*name) {
                seen.extend(&group.parents);
            }
            index += 1;
        }
        seen.into_iter().filter(|name| &***name != "all").collect()
    }

    /// `group_names`: sorted, without `all`.
    pub fn group_names(&self, host: &str) -> Vec<Arc<str>> {
        let mut names: Vec<Arc<str>> = self.groups_above(host).into_iter().cloned().collect();
        names.sort_unstable();
        names
    }

    /// `groups`: every group with the names of all its hosts.
    pub fn groups_dict(&self) -> Arc<Dict> {
        let compute = || {
            let groups = self.groups.keys().map(|name| {
                let hosts = self.hosts_of(name).into_iter().map(Value::Str).collect();
                (Value::Str(Arc::clone(name)), Value::list(hosts))
            });
            Arc::new(groups.collect())
        };
        Arc::clone(self.groups_value.get_or_init(compute))
    }

    /// The name under which `host` is known: itself, or the inventory's own localhost for any of
    /// localhost's names.
    pub(super) fn localhost(&self, name: &str) -> Option<Arc<str>> {
        if !LOCALHOST.contains(&name) {
            return None;
        }
        let known = LOCALHOST.iter().find_map(|name| self.hosts.get_key_value(*name));
        Some(known.map_or_else(|| name.into(), |(name, _)| Arc::clone(name)))
    }

    /// What `add_host` does: names a host if need be, puts it into groups (made if need be) and sets its
    /// variables. Answers whether anything changed.
    pub fn add_host(&mut self, name: &str, groups: &[Arc<str>], vars: &Dict) -> Result<bool> {
        let mut changed = !self.hosts.contains_key(name);
        self.name_host(name, None);
        for group in groups {
            changed |= self.add_group(group);
            changed |= self.put(name, group);
        }
        for (key, value) in vars {
            let old = self.hosts.get(name).and_then(|host| host.vars.get_value(key));
            changed |= old != Some(value);
            self.set_host_var(name, key, value.clone());
        }
        if changed {
            let (name, groups) = (name.into(), groups.to_vec());
            self.additions.push(Addition::Host { name, groups, vars: vars.clone() });
        }
        self.adopt();
        self.ground(name);
        Ok(changed)
    }

    /// What `group_by` does: puts a known host into a group below the parents. Answers whether anything
    /// changed.
    pub fn add_to_group(&mut self, host: &str, group: &str, parents: &[Arc<str>]) -> Result<bool> {
        if !self.hosts.contains_key(host) && self.localhost(host).is_some() {
            // A localhost that nobody named is a host like others once it is in a group.
            self.add_host(host, &[], &implicit_vars())?;
        }
        if !self.hosts.contains_key(host) {
            return Err(Diagnostic::new(format!("no host `{host}` in the inventory")));
        }
        let mut changed = self.add_group(group);
        for parent in parents {
            changed |= self.add_group(parent);
            changed |= self.add_child(parent, group)?;
        }
        changed |= self.put(host, group);
        if changed {
            let (host, group, parents) = (host.into(), group.into(), parents.to_vec());
            self.additions.push(Addition::Membership { host, group, parents });
        }
        self.adopt();
        self.ground(host);
        Ok(changed)
    }

    /// Adds what a run added to the inventory it had before. A host that is no more has left its groups.
    pub fn repeat_additions(&mut self, before: &Self) -> Result<()> {
        for addition in before.additions.clone() {
            match addition {
                Addition::Host { name, groups, vars } => self.add_host(&name, &groups, &vars)?,
                Addition::Membership { host, group, parents } if self.hosts.contains_key(&host) => {
                    self.add_to_group(&host, &group, &parents)?
                }
                Addition::Membership { .. } => false,
            };
        }
        Ok(())
    }

    /// The name under which a group is kept.
    pub(super) fn group_name<'n>(&self, name: &'n str) -> Cow<'n, str> {
        if self.replaces_names { safe_group_name(name).into() } else { name.into() }
    }

    /// Makes a group; `false` when it is there already.
    pub fn add_group(&mut self, name: &str) -> bool {
        let safe = self.group_name(name);
        self.replaced += usize::from(*safe != *name);
        let name = &*safe;
        if self.groups.contains_key(name) {
            return false;
        }
        self.forget();
        self.groups.insert(name.into(), Group::default());
        true
    }

    /// Puts a group below another; `false` when it is there already. Both must exist, and no group may
    /// come to lie below itself.
    pub fn add_child(&mut self, parent: &str, child: &str) -> Result<bool> {
        let (parent, child) = (&*self.group_name(parent), &*self.group_name(child));
        let Some((child, _)) = self.groups.get_key_value(child) else {
            return Err(Diagnostic::new(format!("no group `{child}` in the inventory")));
        };
        let child = Arc::clone(child);
        if *child == *parent {
            return Err(Diagnostic::new(format!("the group `{child}` cannot be its own child")));
        }
        if &*child == "all" {
            return Err(Diagnostic::new("the group `all` holds every group, it cannot be a child"));
        }
        if self.below(&child).contains(&parent) {
            return Err(Diagnostic::new(format!(
                "the group `{child}` cannot be a child of `{parent}`, which lies below it"
            )));
        }
        let Some((parent, group)) = self.groups.get_key_value(parent) else {
            return Err(Diagnostic::new(format!("no group `{parent}` in the inventory")));
        };
        if group.children.contains(&child) {
            return Ok(false);
        }
        let (parent, depth) = (Arc::clone(parent), group.depth + 1);
        self.forget();
        if let Some(group) = self.groups.get_mut(&*parent) {
            group.children.insert(Arc::clone(&child));
        }
        if let Some(group) = self.groups.get_mut(&*child) {
            group.parents.insert(parent);
        }
        self.deepen(&child, depth);
        Ok(true)
    }

    /// Lets a group lie at least so deep, and everything below it accordingly.
    fn deepen(&mut self, group: &str, depth: u32) {
        let mut todo = vec![(Arc::<str>::from(group), depth)];
        while let Some((name, depth)) = todo.pop() {
            let Some(group) = self.groups.get_mut(&name) else { continue };
            if group.depth < depth {
                group.depth = depth;
                todo.extend(group.children.iter().map(|child| (Arc::clone(child), depth + 1)));
            }
        }
    }

    /// Names a host, so that it exists.
    pub(super) fn name_host(&mut self, name: &str, source: Option<&Arc<Path>>) {
        if !self.hosts.contains_key(name) {
            self.forget();
            let host = Host { source: source.cloned(), ..Host::default() };
            self.hosts.insert(name.into(), host);
        }
    }

    /// Puts a named host into a group that exists; `false` when it is there already.
    pub(super) fn put(&mut self, host: &str, group: &str) -> bool {
        let group = &*self.group_name(group);
        let (Some((host_name, _)), Some((group_name, _))) =
            (self.hosts.get_key_value(host), self.groups.get_key_value(group))
        else {
            return false;
        };
        let (host_name, group_name) = (Arc::clone(host_name), Arc::clone(group_name));
        self.forget();
        if let Some(host) = self.hosts.get_mut(host) {
            host.groups.insert(group_name);
        }
        self.groups.get_mut(group).is_some_and(|group| group.hosts.insert(host_name))
    }

    pub(super) fn set_host_var(&mut self, host: &str, name: &Value, value: Value) {
        self.forget();
        if let Some(host) = self.hosts.get_mut(host) {
            set_var(Arc::make_mut(&mut host.vars), name, value, self.merges);
        }
    }

    /// Sets a group's variable.
    pub(super) fn set_group_var(&mut self, group: &str, name: &Value, value: Value) -> Option<Diagnostic> {
        self.forget();
        let group = &*self.group_name(group);
        let warning = if name.as_str() == Some(PRIORITY) { self.set_priority(group, &value) } else { None };
        if let Some(group) = self.groups.get_mut(group) {
            set_var(Arc::make_mut(&mut group.vars), name, value, self.merges);
        }
        warning
    }

    fn set_priority(&mut self, name: &str, value: &Value) -> Option<Diagnostic> {
        let priority = value.as_int().or_else(|| value.as_str()?.trim().parse().ok());
        self.groups.get_mut(name)?.priority = priority.unwrap_or(DEFAULT_PRIORITY);
        match priority {
            Some(_) => None,
            None => Some(Diagnostic::new(format!(
                "Invalid priority value {} for group '{name}'. Setting priority to default value",
                value.repr()
            ))),
        }
    }

    /// Gives every group a parent and every host a group. Answers the names that are both.
    pub(super) fn reconcile(&mut self) -> Vec<Arc<str>> {
        self.adopt();
        let names: Vec<_> = self.hosts.keys().cloned().collect();
        for name in &names {
            self.ground(name);
        }
        names.into_iter().filter(|name| self.groups.contains_key(&**name)).collect()
    }

    /// Gives every group a parent.
    fn adopt(&mut self) {
        self.forget();
        let orphans: Vec<Arc<str>> = self
            .groups
            .iter()
            .filter(|(name, group)| group.parents.is_empty() && &***name != "all")
            .map(|(name, _)| Arc::clone(name))
            .collect();
        for name in orphans {
            // Never refused: both exist, and nothing lies above `all`.
            let _ = self.add_child("all", &name);
        }
    }

    /// Gives a host a group where it has none of its own.
    fn ground(&mut self, name: &str) {
        let key = "ungrouped";
        let Some((name, _)) = self.hosts.get_key_value(name) else { return };
        let name = Arc::clone(name);
        let (Some(host), Some(ungrouped)) = (self.hosts.get_mut(&name), self.groups.get_mut(key)) else {
            return;
        };
        let is_grouped = host.groups.iter().any(|group| !matches!(&**group, "all" | "ungrouped"));
        if is_grouped {
            ungrouped.hosts.shift_remove(&name);
            host.groups.shift_remove(key);
        } else if !host.groups.contains(key) {
            ungrouped.hosts.insert(name);
            host.groups.insert(key.into());
        }
    }

    /// Drops what was computed from the state before a change.
    fn forget(&mut self) {
        self.groups_value = OnceLock::new();
        self.cache.clear();
    }
}

/// Sets a variable that an earlier source may have set already.
fn set_var(vars: &mut Dict, name: &Value, value: Value, merges: bool) {
    let value = match vars.get_value(name) {
        Some(held) if merges => crate::vars::merge_deep(held.clone(), &value),
        _ => value,
    };
    vars.insert(name.clone(), value);
}

/// Turns a refusal without a place into one at `place`.
pub(super) fn located<T>(result: Result<T>, place: &Place) -> Result<T> {
    result.map_err(|error| error.at(place))
}
