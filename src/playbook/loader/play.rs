use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::around::{Around, PlayAround};
use super::fields::{Fields, setting_of};
use super::merge::vars;
use super::meta::collections;
use super::prompts::prompts;
use super::task::without_effect;
use super::{Found, Loader, Purpose, locked};
use crate::config::Strategy;
use crate::diagnostic::{Diagnostic, Result};
use crate::nearest::nearest;
use crate::playbook::keyword::{KEYWORDS, Kind, Object};
use crate::playbook::{self, Keywords, Layer, Play, Playbook, Setting};
use crate::value::{Dict, Value};
use crate::yaml::Node;

/// What `import_playbook` lays over the plays it brings.
#[derive(Clone, Default)]
pub(super) struct Importing {
    tags: Vec<Setting>,
    when: Vec<Setting>,
    vars: Layer,
    /// The playbooks that led here, outermost first.
    chain: Vec<PathBuf>,
}

impl Loader {
    /// A setting of a play, rendered with what is known without a host: its own vars, its vars_files, what its roles
    /// bring, and the command line's.
    pub fn play_value(&self, play: &Play, setting: &Setting) -> Result<Value> {
        if !setting.value.holds_template() {
            return Ok(setting.value.clone());
        }
        let mut defaults = Dict::new();
        for role in &play.roles {
            defaults.extend(role.defaults.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
        let around = PlayAround { vars: Arc::new(over(&defaults, &with_defaults(play))), ..around(play) };
        let vars = play.roles.iter().map(|role| role.vars.clone()).collect();
        let keywords = Keywords { vars, ..Keywords::default() };
        self.render(&self.outermost(around, Arc::new(keywords)), &setting.value)
            .map_err(|error| error.at(&setting.place))
    }

    /// What a play's `vars_files` hold as far as it is known without a host, weakest first.
    pub fn files_of(&self, play: &Play) -> Vec<Layer> {
        let mut layers = self.vars_files(&around(play));
        layers.reverse();
        layers
    }

    pub(super) fn load_playbook(&self, path: &Path) -> Result<Playbook> {
        let path = self.collected(path).unwrap_or_else(|| self.absolute(path));
        locked(&self.playbooks).extend(path.parent().map(Path::to_owned));
        let mut plays = Vec::new();
        self.plays(&path, &Importing::default(), &mut plays)?;
        Ok(Playbook { path, plays })
    }

    fn plays(&self, path: &Path, importing: &Importing, plays: &mut Vec<Play>) -> Result<()> {
        path.parent().into_iter().for_each(|dir| self.may_have_plugins(dir));
        let Some(node) = self.file(path)?.filter(|node| !node.is_null()) else {
            return Err(Diagnostic::new(format!(
                "Empty playbook, nothing to do: {}",
                self.shown(path).display()
            )));
        };
        let items = node.as_list().ok_or_else(|| {
            Diagnostic::new(format!("A playbook must be a list of plays, got {} instead", node.describe()))
                .at(&node.place)
        })?;
        if items.is_empty() {
            return Err(Diagnostic::new("A playbook must contain at least one play").at(&node.place));
        }
        for item in items {
            if item.as_map().is_none() {
                return Err(Diagnostic::new(
                    "playbook entries must be either valid plays or 'import_playbook' statements",
                )
                .at(&item.place));
            }
            let fields = Fields::of(item, "a play")?;
            let import =
                ["import_playbook", "ansible.builtin.import_playbook", "ansible.legacy.import_playbook"]
                    .iter()
                    .find(|name| fields.get(name).is_some());
            match import {
                Some(name) => self.import_playbook(name, &fields, path, importing, plays)?,
                None => plays.push(self.play(&fields, path, importing)?),
            }
        }
        Ok(())
    }

    fn import_playbook(
        &self,
        key: &str,
        fields: &Fields<'_>,
        path: &Path,
        importing: &Importing,
        plays: &mut Vec<Play>,
    ) -> Result<()> {
        for field in fields.all.iter().filter(|field| field.name != key) {
            let keyword = field.check(Object::ImportPlaybook)?;
            if matches!(keyword.kind, Kind::Bool | Kind::Int | Kind::Float | Kind::Percent | Kind::Text) {
                field.setting(keyword)?;
            }
        }
        let inert: Vec<_> = KEYWORDS
            .iter()
            .map(|keyword| keyword.name)
            .filter(|name| !["name", "tags", "vars", "when", "import_playbook"].contains(name))
            .collect();
        without_effect(self, &fields.all, &inert, "import_playbook");
        let Some(field) = fields.get(key).filter(|field| !field.value.is_null()) else {
            return Err(
                Diagnostic::new("The field 'import_playbook' is required but was not set.").at(fields.place)
            );
        };
        if field.value.as_str().is_none() {
            return Err(Diagnostic::new(format!(
                "The field 'import_playbook' is supposed to be a string type, but it is {}",
                field.value.describe()
            ))
            .at(&field.value.place));
        }
        let dir = path.parent().unwrap_or(Path::new("/"));
        let play = PlayAround { dir: dir.to_owned(), ..PlayAround::default() };
        let own: Vec<_> = fields
            .all
            .iter()
            .filter(|field| ["tags", "vars", "when"].contains(&field.name))
            .copied()
            .collect();
        let keywords = self.merge(&self.outermost(play, Arc::default()), &own)?;
        let around =
            self.outermost(PlayAround { dir: dir.to_owned(), ..PlayAround::default() }, keywords.clone());
        let name = self.render_text(&around, &setting_of(field.value))?;
        let target = self.find_playbook(&name, dir);
        if !target.is_file() {
            return Err(Diagnostic::new(format!("could not find the playbook '{name}'"))
                .at(&field.value.place)
                .hint(format!("looked for {}", target.display())));
        }
        if target == path || importing.chain.contains(&target) {
            return Err(
                Diagnostic::new(format!("import_playbook: '{name}' imports itself")).at(&field.value.place)
            );
        }
        let mut inner = importing.clone();
        inner.chain.push(path.to_owned());
        inner.tags.extend(keywords.tags.iter().cloned());
        inner.when.extend(keywords.when.iter().cloned());
        if let Some(vars) = keywords.vars.first() {
            // The outer import's vars win.
            inner.vars = Arc::new(over(vars, &importing.vars));
        }
        self.plays(&target, &inner, plays)
    }

    /// A path relative to the importing playbook, or `namespace.collection.playbook`.
    fn find_playbook(&self, name: &str, dir: &Path) -> PathBuf {
        let beside = crate::path::normal(&dir.join(super::search::expand_home(name)));
        if beside.is_file() {
            return beside;
        }
        self.find_collected(name, dir).unwrap_or(beside)
    }

    /// A playbook of the command line that is `namespace.collection.playbook`.
    pub fn collected(&self, name: &Path) -> Option<PathBuf> {
        (!name.exists()).then(|| self.find_collected(name.to_str()?, &self.cwd)).flatten()
    }

    fn find_collected(&self, name: &str, dir: &Path) -> Option<PathBuf> {
        let mut parts = name.splitn(3, '.');
        let (space, collection, book) = (parts.next()?, parts.next()?, parts.next()?);
        let book = book.replace('.', "/");
        let inside = |base: &PathBuf| {
            let books = base.join("ansible_collections").join(space).join(collection).join("playbooks");
            let found = [".yml", ".yaml", ".json", ""].iter().map(|end| books.join(format!("{book}{end}")));
            found.map(|path| self.absolute(&path)).find(|path| path.is_file())
        };
        self.collections(dir).iter().find_map(inside)
    }

    pub(super) fn play(&self, fields: &Fields<'_>, path: &Path, importing: &Importing) -> Result<Play> {
        fields.check(Object::Play)?;
        let hosts = hosts(fields)?;
        if let Some(field) = fields.get("vars") {
            self.warn_of_reserved(field.value);
        }
        let own_vars = fields.get("vars").map(|field| vars(field.value)).transpose()?.flatten();
        let play = PlayAround {
            dir: path.parent().unwrap_or(Path::new("/")).to_owned(),
            vars: Arc::new(over(&own_vars.unwrap_or_default(), &importing.vars)),
            vars_files: vars_files(fields)?,
        };
        let (vars, vars_files) = (play.vars.clone(), play.vars_files.clone());
        // The play's vars are its own level, not the tasks'.
        let shared: Vec<_> = fields.all.iter().filter(|field| field.name != "vars").copied().collect();
        let mut around = self.outermost(play, Arc::default());
        around.keywords = self.merge(&around, &shared)?;
        Self::import_keywords(fields, importing, &mut around)?;
        around.collections = collections(fields)?.unwrap_or_default();
        let mut found = Found::default();
        let section = |name: &str, found: &mut Found| match fields.get(name) {
            Some(field) => self.nodes(field.value, name, &around, found),
            None => Ok(Vec::new()),
        };
        let pre_tasks = section("pre_tasks", &mut found)?;
        let roles = self.roles(fields, &around, &mut found)?;
        let brought = std::mem::take(&mut found.handlers);
        let tasks = section("tasks", &mut found)?;
        let post_tasks = section("post_tasks", &mut found)?;
        let own = match fields.get("handlers") {
            Some(field) => self.handlers(field.value, "handlers", &around, &mut found)?,
            None => Vec::new(),
        };
        let setting = |name| fields.setting(name, Object::Play);
        Ok(Play {
            place: fields.place.clone(),
            path: path.to_owned(),
            name: setting("name")?,
            hosts,
            vars,
            vars_files,
            prompts: prompts(fields)?,
            validation: self.play_validation(fields, path, &around)?.map(Arc::new).map(playbook::Node::Task),
            sections: [pre_tasks, roles, tasks, post_tasks],
            roles: found.roles,
            handlers: brought.into_iter().chain(own).chain(found.handlers).collect(),
            gather_facts: setting("gather_facts")?,
            gather_subset: setting("gather_subset")?,
            gather_timeout: setting("gather_timeout")?,
            fact_path: setting("fact_path")?,
            serial: serial(fields).or_else(|error| self.refuse(error))?,
            strategy: self.strategy(fields, &around)?,
            order: order(fields).or_else(|error| self.refuse(error))?,
            max_fail_percentage: setting("max_fail_percentage")?,
            force_handlers: setting("force_handlers")?,
            keywords: around.keywords,
        })
    }

    fn roles(&self, fields: &Fields<'_>, around: &Around, found: &mut Found) -> Result<Vec<playbook::Node>> {
        let Some(field) = fields.get("roles").filter(|field| !field.value.is_null()) else {
            return Ok(Vec::new());
        };
        let entries = field.value.as_list().ok_or_else(|| {
            Diagnostic::new(format!(
                "A malformed role declaration was encountered: roles should be a list, but is {}",
                field.value.describe()
            ))
            .at(&field.value.place)
        })?;
        let mut nodes = Vec::new();
        for entry in entries {
            let (wanted, inside) = self.role_entry(entry, around)?;
            let (role, tasks) = self.use_role(&wanted, &inside, None, found)?;
            nodes.extend(tasks);
            if self.options.private_role_vars != Some(true) {
                found.expose(&role);
            }
        }
        Ok(nodes)
    }

    /// What the import of the playbook adds to the play, and the old `user`.
    fn import_keywords(fields: &Fields<'_>, importing: &Importing, around: &mut Around) -> Result<()> {
        if let Some(user) = fields.setting("user", Object::Play)? {
            if fields.get("remote_user").is_some() {
                return Err(Diagnostic::new(
                    "both 'user' and 'remote_user' are set for this play. The use of 'user' is deprecated, and \
                     should be removed",
                )
                .at(fields.place));
            }
            Arc::make_mut(&mut around.keywords).remote_user = Some(user);
        }
        if !importing.tags.is_empty() || !importing.when.is_empty() {
            let keywords = Arc::make_mut(&mut around.keywords);
            keywords.tags.extend(importing.tags.iter().cloned());
            keywords.when.extend(importing.when.iter().cloned());
        }
        Ok(())
    }

    /// The world around the first thing of a play.
    fn outermost(&self, play: PlayAround, keywords: Arc<Keywords>) -> Around {
        Around {
            keywords,
            role: None,
            is_handler: false,
            may_fail: self.options.purpose == Purpose::Listing,
            collections: Arc::default(),
            play: Arc::new(play),
            imports: Arc::default(),
        }
    }

    fn strategy(&self, fields: &Fields<'_>, around: &Around) -> Result<Option<Strategy>> {
        let Some(strategy) = fields.setting("strategy", Object::Play)? else { return Ok(None) };
        if self.render(around, &strategy.value).is_ok_and(|name| name.is_omit()) {
            return Ok(None);
        }
        let name = self.render_text(around, &strategy)?;
        let short =
            name.strip_prefix("ansible.builtin.").or(name.strip_prefix("ansible.legacy.")).unwrap_or(&name);
        match short {
            "linear" => Ok(Some(Strategy::Linear)),
            "debug" => Ok(Some(Strategy::Debug)),
            // Hosts run to the end of the play by themselves in both; `free` starts no more of them at once, either.
            "free" | "host_pinned" => Ok(Some(Strategy::Free)),
            _ => self.refuse(
                Diagnostic::new(format!("Invalid play strategy specified: {name}"))
                    .at(&strategy.place)
                    .hint("there are 'linear', 'free', 'host_pinned' and 'debug'"),
            ),
        }
    }
}

fn around(play: &Play) -> PlayAround {
    PlayAround {
        dir: play.path.parent().unwrap_or(Path::new("/")).to_owned(),
        vars: play.vars.clone(),
        vars_files: play.vars_files.clone(),
    }
}

/// A play's variables where nobody is asked for those it prompts for.
fn with_defaults(play: &Play) -> Dict {
    let mut vars = Dict::clone(&play.vars);
    for prompt in &play.prompts {
        if let Some(default) = &prompt.default {
            vars.insert(prompt.name.value.clone(), default.value.clone());
        }
    }
    vars
}

fn over(below: &Dict, above: &Dict) -> Dict {
    let mut merged = below.clone();
    merged.extend(above.iter().map(|(key, value)| (key.clone(), value.clone())));
    merged
}

fn hosts(fields: &Fields<'_>) -> Result<Setting> {
    let Some(field) = fields.get("hosts") else {
        return Err(Diagnostic::new("The field 'hosts' is required but was not set.").at(fields.place));
    };
    let node = field.value;
    let error = |message: String, node: &Node| Err(Diagnostic::new(message).at(&node.place));
    match (node.as_scalar(), node.as_list()) {
        (Some(Value::None), _) | (_, Some([])) => {
            error("Hosts list cannot be empty. Please check your playbook".into(), field.key)
        }
        (Some(Value::Str(text)), _) if text.trim().is_empty() => {
            error("Hosts list cannot be empty. Please check your playbook".into(), node)
        }
        (Some(Value::Str(_) | Value::Template(_) | Value::Vault(_)), _) => Ok(setting_of(node)),
        (_, Some(items)) => {
            for item in items {
                match item.as_scalar() {
                    Some(Value::None) => {
                        return error(
                            "Hosts list cannot contain values of 'None'. Please check your playbook".into(),
                            item,
                        );
                    }
                    Some(Value::Str(_) | Value::Template(_) | Value::Vault(_)) => {}
                    _ => {
                        let shown = item.to_value();
                        return error(format!("Hosts list contains an invalid host value: '{shown}'"), item);
                    }
                }
            }
            Ok(setting_of(node))
        }
        _ => error("Hosts list must be a sequence or string. Please check your playbook.".into(), node),
    }
}

/// Each a path, or a list of which the first that exists is taken.
fn vars_files(fields: &Fields<'_>) -> Result<Vec<Setting>> {
    let is_name = |node: &Node| matches!(node.as_scalar(), Some(Value::Str(_) | Value::Template(_)));
    fields
        .items("vars_files")
        .into_iter()
        .map(|item| match item.as_list() {
            _ if is_name(item) => Ok(setting_of(item)),
            Some(names) if names.iter().all(is_name) => Ok(setting_of(item)),
            _ => Err(Diagnostic::new(format!("Invalid `vars_files` value: {}.", item.describe()))
                .at(&item.place)
                .hint("a `vars_files` value should either be a string or list of strings")),
        })
        .collect()
}

fn serial(fields: &Fields<'_>) -> Result<Vec<Setting>> {
    let valid = |value: &Value| match value {
        Value::Int(number) => *number >= 0,
        Value::Str(text) => text.trim().trim_end_matches('%').trim().parse::<f64>().is_ok(),
        Value::Template(_) | Value::Vault(_) => true,
        _ => false,
    };
    let settings = fields.settings("serial");
    match settings.iter().find(|setting| !valid(&setting.value)) {
        Some(wrong) => Err(Diagnostic::new(format!(
            "Error processing keyword 'serial': The value {:?} is no number of hosts",
            wrong.value
        ))
        .at(&wrong.place)
        .hint("a batch is a number such as 2, or a percentage such as 30%")),
        None => Ok(settings),
    }
}

fn order(fields: &Fields<'_>) -> Result<Option<Setting>> {
    const ORDERS: [&str; 5] = ["inventory", "reverse_inventory", "reverse_sorted", "shuffle", "sorted"];
    let Some(order) = fields.setting("order", Object::Play)? else { return Ok(None) };
    match &order.value {
        Value::Str(name) if !ORDERS.contains(&&**name) => {
            let error = Diagnostic::new(format!("Invalid 'order' specified for inventory hosts: {name}"))
                .at(&order.place);
            Err(match nearest(name, ORDERS) {
                Some(right) => error.hint(format!("did you mean '{right}'?")),
                None => error.hint(format!("it is one of {}", ORDERS.join(", "))),
            })
        }
        _ => Ok(Some(order)),
    }
}
