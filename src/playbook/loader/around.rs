use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Loader;
use crate::diagnostic::{Diagnostic, Place, Result};
use crate::playbook::{Keywords, Layer, Role, Setting};
use crate::template::{Context, Names, resolve_deep};
use crate::value::Value;

/// What surrounds the nodes being loaded.
#[derive(Clone, Debug)]
pub(crate) struct Around {
    pub keywords: Arc<Keywords>,
    pub role: Option<Arc<Role>>,
    pub is_handler: bool,
    /// Wrong options of a task are that task's failure, and no reason not to begin: it stands within a block that has
    /// a `rescue`, is brought in while the play runs, or is listed alone.
    pub may_fail: bool,
    /// Where roles without a namespace are also looked for.
    pub collections: Arc<[String]>,
    pub play: Arc<PlayAround>,
    /// The files of tasks that are being imported, outermost first: none may import itself.
    pub imports: Arc<[PathBuf]>,
}

/// What static names can use of the play.
#[derive(Debug, Default)]
pub(crate) struct PlayAround {
    /// The directory of the play's file, absolute.
    pub dir: PathBuf,
    pub vars: Layer,
    pub vars_files: Vec<Setting>,
}

impl Around {
    pub fn with(&self, keywords: Arc<Keywords>) -> Self {
        Self { keywords, ..self.clone() }
    }

    /// The same with more tags, known by now.
    pub fn tagged(&self, tags: &[String], place: &Place) -> Self {
        let mut tagged = self.clone();
        if !tags.is_empty() {
            let tags = tags.iter().map(|tag| Setting::new(Value::str(tag.as_str()), place.clone()));
            Arc::make_mut(&mut tagged.keywords).tags.extend(tags);
        }
        tagged
    }
}

impl Loader {
    /// Renders what must be known before any host is: names of static imports, tags.
    pub(super) fn render(&self, around: &Around, value: &Value) -> Result<Value> {
        if let Value::Str(_) = value {
            return Ok(value.clone());
        }
        let mut magic = magic(around);
        if !self.options.groups.is_empty() {
            magic.push(("groups", Value::Dict(self.options.groups.clone())));
        }
        let names = StaticNames { loader: self, around, magic };
        resolve_deep(value, &Context::new(&names))
    }

    /// A name that must be text once rendered.
    pub(super) fn render_text(&self, around: &Around, setting: &Setting) -> Result<String> {
        match self.render(around, &setting.value).map_err(|error| error.at(&setting.place))? {
            Value::None => Err(Diagnostic::new("a name is missing here").at(&setting.place)),
            rendered @ (Value::List(_) | Value::Dict(_)) => {
                Err(Diagnostic::new(format!("a name is needed here, not {rendered:?}")).at(&setting.place))
            }
            rendered => Ok(rendered.to_string()),
        }
    }
}

fn magic(around: &Around) -> Vec<(&'static str, Value)> {
    let text = |path: &Path| Value::str(path.to_string_lossy());
    let mut magic = vec![("playbook_dir", text(&around.play.dir))];
    if let Some(role) = &around.role {
        magic.push(("role_path", text(&role.path)));
        magic.push(("role_name", Value::str(role.name.as_str())));
        magic.push(("ansible_role_name", Value::str(role.name.as_str())));
    }
    magic
}

/// The variables that are known without a host.
struct StaticNames<'a> {
    loader: &'a Loader,
    around: &'a Around,
    magic: Vec<(&'static str, Value)>,
}

impl StaticNames<'_> {
    /// Strongest first.
    fn layers(&self) -> Vec<Layer> {
        let keywords = &self.around.keywords;
        let mut layers = vec![self.loader.options.extra_vars.clone()];
        layers.extend(keywords.params.iter().rev().cloned());
        layers.extend(keywords.vars.iter().rev().cloned());
        let roles: Vec<_> =
            std::iter::successors(self.around.role.clone(), |role| role.parent.clone()).collect();
        for role in &roles {
            layers.push(role.params.clone());
            layers.push(role.vars.clone());
        }
        layers.extend(self.loader.vars_files(&self.around.play));
        layers.push(self.around.play.vars.clone());
        layers.extend(roles.iter().map(|role| role.defaults.clone()));
        layers
    }
}

impl Names for StaticNames<'_> {
    fn get(&self, name: &str) -> Option<Value> {
        let magic = self.magic.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
        magic.or_else(|| self.layers().iter().find_map(|layer| layer.get(name).cloned()))
    }

    fn names(&self) -> Vec<Arc<str>> {
        let layers = self.layers();
        let stored = layers.iter().flat_map(|layer| layer.keys()).filter_map(Value::as_str).map(Arc::from);
        self.magic.iter().map(|(name, _)| Arc::from(*name)).chain(stored).collect()
    }
}
