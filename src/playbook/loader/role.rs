use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::argument_specs::validation;
use super::around::Around;
use super::search::expand_home;
use super::{Found, Loader, locked};
use crate::diagnostic::{Diagnostic, Place, Result};
use crate::path::normal;
use crate::playbook::{Layer, Node, Role};
use crate::value::Dict;

/// Endings that role files may have, in the order they are tried.
const ENDINGS: [&str; 4] = [".yml", ".yaml", ".json", ""];

/// A role as one place asks for it.
pub(super) struct RoleUse {
    pub name: String,
    pub place: Place,
    pub from: From,
    pub params: Layer,
    /// What tells this use from others of the same role.
    pub identity: String,
    /// Overrides what the role's meta says.
    pub allow_duplicates: Option<bool>,
    /// Whether it is another role's dependency.
    pub is_dependency: bool,
    /// Whether the role's argument spec is to be checked.
    pub is_validated: bool,
}

/// Which files of the role to take instead of `main`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct From {
    pub tasks: Option<String>,
    pub vars: Option<String>,
    pub defaults: Option<String>,
    pub handlers: Option<String>,
}

impl Found {
    /// Gives a role's variables to the whole play, dependencies first.
    pub fn expose(&mut self, role: &Arc<Role>) {
        for dependency in &role.dependencies {
            self.expose(dependency);
        }
        self.roles.push(role.clone());
    }
}

impl Loader {
    /// Loads a role whose tasks have `around.keywords`. Its nodes are those of its dependencies, its own, and
    /// the mark of its end.
    pub(super) fn use_role(
        &self,
        wanted: &RoleUse,
        around: &Around,
        parent: Option<Arc<Role>>,
        found: &mut Found,
    ) -> Result<(Arc<Role>, Vec<Node>)> {
        let (name, path) = self.find_role(wanted, around)?;
        // A role may import itself where other tasks of it do.
        let itself = path.join("tasks").join(wanted.from.tasks.as_deref().unwrap_or("main"));
        if around.imports.contains(&itself) {
            return Err(Diagnostic::new(format!(
                "A recursion loop was detected with the roles specified: '{name}' needs itself. Make sure child \
                 roles do not have dependencies on parent roles."
            ))
            .at(&wanted.place));
        }
        self.may_have_plugins(&path);
        let meta = self.meta(&name, &path)?;
        let from = &wanted.from;
        let role = Role {
            defaults: self.role_vars(&path, "defaults", from.defaults.as_deref(), wanted)?,
            vars: self.role_vars(&path, "vars", from.vars.as_deref(), wanted)?,
            params: wanted.params.clone(),
            parent,
            is_dependency: wanted.is_dependency,
            dependencies: Vec::new(),
            allow_duplicates: wanted.allow_duplicates.unwrap_or(meta.allow_duplicates),
            // Two names of one directory are two roles.
            identity: format!("{name} {} {from:?} {}", path.display(), wanted.identity).into(),
            place: Some(wanted.place.clone()),
            path: path.clone(),
            name,
        };
        let imports: Arc<[PathBuf]> = around.imports.iter().cloned().chain([itself]).collect();
        // A role of a collection finds its neighbours without their full names.
        let own = role
            .name
            .rsplit_once('.')
            .map(|(space, _)| space)
            .filter(|space| space.contains('.'))
            .map(str::to_owned);
        let spaces: Arc<[String]> = own.into_iter().chain(meta.collections.iter().cloned()).collect();
        let bare = Arc::new(role);
        let mut nodes = Vec::new();
        let mut dependencies = Vec::new();
        for entry in &meta.dependencies {
            let outside = Around {
                imports: imports.clone(),
                role: Some(bare.clone()),
                collections: spaces.clone(),
                ..around.clone()
            };
            let (dependency, inside) = self.role_entry(entry, &outside)?;
            let (dependency, tasks) = self.use_role(&dependency, &inside, Some(bare.clone()), found)?;
            nodes.extend(tasks);
            dependencies.push(dependency);
        }
        let role = if dependencies.is_empty() {
            bare
        } else {
            Arc::new(Role { dependencies, ..Role::clone(&bare) })
        };
        let inside = Around { role: Some(role.clone()), collections: spaces, imports, ..around.clone() };
        self.role_handlers(&role, &wanted.from, &inside, found)?;
        if let Some(specs) = meta.specs.as_ref().filter(|_| wanted.is_validated) {
            let entry = wanted.from.tasks.as_deref().unwrap_or("main");
            nodes.extend(validation(specs, entry, &role, &inside)?.map(|task| Node::Task(Arc::new(task))));
        }
        if let Some(file) = role_file(&role.path, "tasks", wanted.from.tasks.as_deref(), wanted)?
            && let Some(list) = self.file(&file)?
        {
            let what = file_phrase("tasks", &file, &role.name);
            nodes.extend(self.nodes(&list, &what, &inside, found)?);
        }
        nodes.push(Node::RoleEnd(role.clone()));
        Ok((role, nodes))
    }

    /// A role's handlers join the play once, however often it is used the same way.
    fn role_handlers(&self, role: &Role, from: &From, around: &Around, found: &mut Found) -> Result<()> {
        if !found.seen.insert(role.identity.clone()) {
            return Ok(());
        }
        let given = from.handlers.as_deref();
        let directory = role.path.join("handlers");
        let Some(file) = find_role_file(&directory, given.unwrap_or("main")) else {
            return match given {
                Some(name) => Err(missing("handlers", name, role.place.as_ref())),
                None => Ok(()),
            };
        };
        is_inside(&file, &directory, &role.name, role.place.as_ref())?;
        if let Some(list) = self.file(&file)? {
            let what = file_phrase("handlers", &file, &role.name);
            let handlers = self.handlers(&list, &what, around, found)?;
            found.handlers.extend(handlers);
        }
        Ok(())
    }

    /// `vars/main.yml`, or every file beneath `vars/main/`.
    fn role_vars(&self, role: &Path, kind: &str, given: Option<&str>, wanted: &RoleUse) -> Result<Layer> {
        if let Some(file) = role_file(role, kind, given, wanted)? {
            return self.layer(&file, &file_phrase(kind, &file, &wanted.name));
        }
        let mut files = Vec::new();
        list_vars(&role.join(kind).join(given.unwrap_or("main")), &mut files);
        let mut all = Dict::new();
        for file in files {
            let layer = self.layer(&file, &file_phrase(kind, &file, &wanted.name))?;
            all.extend(layer.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
        Ok(Arc::new(all))
    }

    /// The role's name as shown, and its directory, absolute.
    fn find_role(&self, wanted: &RoleUse, around: &Around) -> Result<(String, PathBuf)> {
        let name = wanted.name.trim();
        if name.contains(',') {
            return Err(Diagnostic::new(format!("Invalid old style role requirement: {name}"))
                .at(&wanted.place)
                .hint("install the role first, and name it without version"));
        }
        if name.is_empty() {
            return Err(Diagnostic::new("role definitions must contain a role name").at(&wanted.place));
        }
        let names: Vec<_> = around.collections.iter().map(|space| format!("{space}.{name}")).collect();
        for full in names.iter().map(String::as_str).chain([name]) {
            if let Some(path) = self.find_in_collections(full, &around.play.dir) {
                return Ok((full.to_owned(), path));
            }
        }
        let places = self.role_places(wanted, around);
        let path =
            places.iter().map(|place| normal(&place.join(expand_home(name)))).find(|path| path.is_dir());
        // As a last resort, a role is a path from where the user is.
        let direct = normal(&self.cwd.join(expand_home(name)));
        if let (None, Some(last), true) = (&path, direct.file_name(), direct.is_dir()) {
            return Ok((last.to_string_lossy().into_owned(), real(direct)));
        }
        let Some(path) = path else {
            let looked: Vec<_> = places.iter().map(|place| place.display().to_string()).collect();
            let error =
                Diagnostic::missing(format!("The role '{name}' was not found in: {}", looked.join(":")))
                    .at(&wanted.place);
            let known = places.iter().flat_map(|place| directories(place)).collect::<Vec<_>>();
            return Err(match crate::nearest::nearest(name, known.iter().map(String::as_str)) {
                Some(right) => error.hint(format!("did you mean '{right}'?")),
                None => error,
            });
        };
        Ok((name.to_owned(), real(path)))
    }

    /// In a collection beside the playbook, or in one that is installed.
    fn find_in_collections(&self, full: &str, play: &Path) -> Option<PathBuf> {
        let mut parts = full.splitn(3, '.');
        let (space, collection, role) = (parts.next()?, parts.next()?, parts.next()?);
        if full.contains('/') || [space, collection, role].contains(&"") {
            return None;
        }
        let inside = |base: &PathBuf| {
            let roles = base.join("ansible_collections").join(space).join(collection).join("roles");
            Some(self.absolute(&roles.join(role.replace('.', "/")))).filter(|path| path.is_dir())
        };
        self.collections(play).iter().find_map(inside)
    }

    /// Directories that hold `ansible_collections/`, for a play in the directory `play`.
    pub(super) fn collections(&self, play: &Path) -> Vec<PathBuf> {
        let beside = locked(&self.playbooks).iter().map(|dir| dir.join("collections")).collect::<Vec<_>>();
        let installed = self.options.collections_path.iter().cloned();
        [play.join("collections")].into_iter().chain(beside).chain(installed).collect()
    }

    fn role_places(&self, wanted: &RoleUse, around: &Around) -> Vec<PathBuf> {
        let mut places = vec![around.play.dir.join("roles")];
        places.extend(self.options.roles_path.iter().map(|path| self.absolute(path)));
        // A role's dependencies may stand beside it; what its tasks include may not.
        let parent = around.role.as_ref().filter(|_| wanted.is_dependency);
        places.extend(parent.and_then(|role| role.path.parent()).map(Path::to_owned));
        places.push(around.play.dir.clone());
        let mut seen = std::collections::HashSet::new();
        places.retain(|place| seen.insert(place.clone()));
        places
    }
}

/// Where a role really is, `role_path`, however it was linked to; in collections links are kept (tried on ansible-core
/// 2.21).
fn real(role: PathBuf) -> PathBuf {
    role.canonicalize().unwrap_or(role)
}

/// A role's file in a message's words: `The tasks/main.yml file for role 'web'`.
fn file_phrase(kind: &str, file: &Path, role: &str) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    format!("The {kind}/{name} file for role '{role}'")
}

fn missing(kind: &str, name: &str, place: Option<&Place>) -> Diagnostic {
    let error = Diagnostic::missing(format!("Could not find specified file in role: {kind}/{name}"));
    match place {
        Some(place) => error.at(place),
        None => error,
    }
}

/// The file of a role; `None` when no `main` is there. A file asked for by name must be.
fn role_file(role: &Path, kind: &str, given: Option<&str>, wanted: &RoleUse) -> Result<Option<PathBuf>> {
    let directory = role.join(kind);
    let file = find_role_file(&directory, given.unwrap_or("main"));
    match given {
        Some(name) if file.is_none() && !(kind != "tasks" && directory.join(name).is_dir()) => {
            Err(missing(kind, name, Some(&wanted.place)))
        }
        _ => {
            if let Some(file) = &file {
                is_inside(file, &directory, &wanted.name, Some(&wanted.place))?;
            }
            Ok(file)
        }
    }
}

/// A role's files stand in its own directory.
fn is_inside(file: &Path, directory: &Path, role: &str, place: Option<&Place>) -> Result<()> {
    let directory = normal(directory);
    if file.starts_with(&directory) {
        return Ok(());
    }
    let error = Diagnostic::missing(format!(
        "Failed loading '{}' for role ({role}) as it is not inside the expected role path: '{}'",
        file.display(),
        directory.display()
    ));
    Err(match place {
        Some(place) => error.at(place),
        None => error,
    })
}

fn find_role_file(directory: &Path, name: &str) -> Option<PathBuf> {
    ENDINGS
        .iter()
        .map(|ending| normal(&directory.join(format!("{name}{ending}"))))
        .find(|path| path.is_file())
}

/// Files of variables beneath a directory, in order of their names.
fn list_vars(directory: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        if path.is_dir() {
            list_vars(&path, files);
        } else if path
            .extension()
            .is_none_or(|ending| ["yml", "yaml", "json"].iter().any(|known| ending == *known))
        {
            files.push(path);
        }
    }
}

fn directories(place: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(place) else { return Vec::new() };
    let directories = entries.filter_map(std::result::Result::ok).filter(|entry| entry.path().is_dir());
    directories.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
