//! What a module takes: its specification, derived from its `Args` type, and the one place of Ansible's loose
//! typing.
//!
//! The control node calls [`Spec::check`] before the run (names, and values that are no templates), then
//! [`Spec::normalise`] per task and host on the rendered values. The worker gets exact names and types and
//! reads them with plain serde.

mod coerce;
mod rules;
mod schema;
mod types;

use serde_json::{Map, Value as Json};
use thiserror::Error;

pub use self::coerce::{boolean_word, expand_paths};
pub(crate) use self::coerce::{python_repr, python_str};
pub use self::rules::{RequiredIf, Rules};
pub use self::types::{ByteSize, FileAttributes, FilePath, Secret};

/// What a module takes and what its documentation says. Derived by `Spec::of::<Args>`.
#[derive(Clone, Debug)]
pub struct Spec {
    /// As the user types it, without a collection.
    pub name: &'static str,
    /// The doc comment of `Args` before its examples: Markdown, first line a summary.
    pub doc: String,
    /// A YAML list of tasks.
    pub examples: String,
    pub options: Vec<OptionSpec>,
    /// The option that takes free text: `command: echo hi`, `_raw_params`.
    pub free_form: Option<String>,
    pub rules: Rules,
}

/// One option of a module.
#[derive(Clone, Debug, PartialEq)]
pub struct OptionSpec {
    pub name: String,
    pub aliases: Vec<String>,
    pub kind: Kind,
    pub required: bool,
    /// As the user would write it; `None` when there is none, or none that is fixed.
    pub default: Option<Json>,
    /// Empty when any value will do. For a list: what each element may be.
    pub choices: Vec<String>,
    pub doc: String,
    /// Set when the value names a file of the control node.
    pub control: Option<ControlUse>,
    /// The value never shows in logs, results or diffs.
    pub secret: bool,
}

/// The types of options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Str,
    Int,
    Float,
    Bool,
    /// A path on the target. `~` and `$VAR` are expanded there.
    Path,
    /// `0644`, `"0644"`, `u=rw,g=r`, `preserve`.
    Mode,
    /// `10M` → 10485760.
    Bytes,
    Dict,
    List(Box<Kind>),
    /// Anything, as it is.
    Raw,
    /// A path on the control node, replaced by a manifest (see [`crate::kit::control`]) before the call.
    Control,
}

/// How the control node reads what a [`Kind::Control`] option names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlUse {
    pub what: ControlKind,
    /// The directory of a role or playbook it is looked for in: `files`, `templates`.
    pub subdir: String,
    /// A boolean option that says the path is on the target after all: `remote_src`. The value is then sent as
    /// it is.
    pub unless: Option<String>,
    /// A boolean option that says so when it is false: `copy`.
    pub only_if: Option<String>,
}

impl OptionSpec {
    /// Whether a value is one: null is none, save where an option that takes anything has another by default. Neither
    /// is the empty name of a file of the control node, which would stand for the directory it is looked for in.
    fn is_given(&self, value: &Json) -> bool {
        let means_none = self.kind == Kind::Raw && self.default.is_some();
        !((value.is_null() && !means_none) || (self.kind == Kind::Control && value.as_str() == Some("")))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlKind {
    /// A file, sent as a `ControlFile`.
    File,
    /// A file or a directory, sent as a `ControlFile` or a `ControlTree`.
    FileOrTree,
    /// A file that is rendered, then sent as a `ControlFile`.
    Template,
    /// A file and the arguments to run it with: the first word of the value, and the rest. Sent as a
    /// `ControlScript`.
    Script,
    /// A form: where its parts name files (`filename`, without `content`), each name becomes a `ControlFile`.
    Parts,
    /// Where on the control node something is put. Sent as it is; nothing there reads it.
    Destination,
}

/// What is wrong with the arguments of a task.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{message}")]
pub struct ArgsError {
    /// In Ansible's words.
    pub message: String,
    /// The option it is about, as the user wrote it.
    pub option: Option<String>,
    /// What to do next.
    pub hint: Option<String>,
}

impl ArgsError {
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), option: None, hint: None }
    }

    #[must_use]
    pub fn on(mut self, option: &str) -> Self {
        self.option = Some(option.to_owned());
        self
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// The key under which free text arrives: `command: echo hi` is `{_raw_params: echo hi}`.
pub const FREE_FORM: &str = "_raw_params";

impl Spec {
    /// The option with that name or alias.
    pub fn option(&self, name: &str) -> Option<&OptionSpec> {
        if name == FREE_FORM {
            let canonical = self.free_form.as_deref()?;
            return self.options.iter().find(|option| option.name == canonical);
        }
        self.options
            .iter()
            .find(|option| option.name == name)
            .or_else(|| self.options.iter().find(|option| option.aliases.iter().any(|alias| alias == name)))
    }

    /// Whether the module takes free text.
    pub fn takes_free_form(&self) -> bool {
        self.free_form.is_some()
    }

    /// The options that name files of the control node.
    pub fn control_options(&self) -> impl Iterator<Item = (&OptionSpec, &ControlUse)> {
        self.options.iter().filter_map(|option| Some((option, option.control.as_ref()?)))
    }

    /// Whether a file of that option is on the target: the option that says so is set, or is so by default.
    pub fn is_on_target(&self, usage: &ControlUse, args: &Map<String, Json>) -> bool {
        let says = |name: &String, what: bool| {
            let usual = || self.option(name).and_then(|option| option.default.as_ref());
            args.get(name).or_else(usual) == Some(&Json::Bool(what))
        };
        usage.unless.as_ref().is_some_and(|name| says(name, true))
            || usage.only_if.as_ref().is_some_and(|name| says(name, false))
    }

    /// Brings arguments to canonical names and exact types. An option that is null is not given. Defaults are
    /// left to the module.
    pub fn normalise(&self, given: &Map<String, Json>) -> Result<Map<String, Json>, ArgsError> {
        self.exact(given).map_err(|error| self.rules.worded(error))
    }

    fn exact(&self, given: &Map<String, Json>) -> Result<Map<String, Json>, ArgsError> {
        self.known(given)?;
        let mut exact = Map::with_capacity(given.len());
        for (name, value) in given {
            let Some(option) = self.option(name).filter(|option| option.is_given(value)) else { continue };
            exact.insert(option.name.clone(), option.coerce(value)?);
        }
        self.rules.check_given(&exact)?;
        self.check_required(|name| exact.contains_key(name))?;
        self.rules.check(&exact, |name| self.option(name)?.default.as_ref())?;
        Ok(exact)
    }

    /// Finds what is wrong before anything is rendered: names, missing options, and values that `is_template`
    /// says are final.
    pub fn check(&self, given: &Map<String, Json>, is_template: &dyn Fn(&Json) -> bool) -> Vec<ArgsError> {
        let mut wrong = Vec::new();
        wrong.extend(self.known(given).err());
        for (name, value) in given {
            if let Some(option) = self.option(name)
                && option.is_given(value)
                && !is_template(value)
            {
                wrong.extend(option.coerce(value).err());
            }
        }
        let present = |name: &str| {
            given.iter().any(|(key, value)| {
                self.option(key).is_some_and(|option| option.name == name && option.is_given(value))
            })
        };
        wrong.extend(self.check_required(present).err());
        wrong.into_iter().map(|error| self.rules.worded(error)).collect()
    }

    fn known(&self, given: &Map<String, Json>) -> Result<(), ArgsError> {
        let mut unknown: Vec<&str> =
            given.keys().map(String::as_str).filter(|name| self.option(name).is_none()).collect();
        unknown.sort_unstable();
        let Some(first) = unknown.first() else { return Ok(()) };
        if unknown == [FREE_FORM] {
            return Err(ArgsError::new(format!("the {} module takes no free text, only options", self.name))
                .on(FREE_FORM)
                .hint(format!("write `{}:` with its options below it", self.name)));
        }
        let mut supported: Vec<&str> = self.options.iter().map(|option| option.name.as_str()).collect();
        supported.sort_unstable();
        let error = ArgsError::new(format!(
            "Unsupported parameters for ({}) module: {}. Supported parameters include: {}.",
            self.name,
            unknown.join(", "),
            supported.join(", ")
        ))
        .on(first);
        Err(match self.nearest(first) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error,
        })
    }

    /// The name or alias most like that one, when one is alike.
    pub fn nearest(&self, name: &str) -> Option<&str> {
        let names = self
            .options
            .iter()
            .flat_map(|option| std::iter::once(&option.name).chain(&option.aliases))
            .map(String::as_str);
        names
            .map(|known| (strsim::damerau_levenshtein(name, known), known))
            .filter(|(distance, known)| *distance <= 1 + known.len() / 4)
            .min()
            .map(|(_, known)| known)
    }

    fn check_required(&self, present: impl Fn(&str) -> bool) -> Result<(), ArgsError> {
        let mut missing: Vec<&str> = self
            .options
            .iter()
            .filter(|option| option.required && !present(&option.name))
            .map(|option| option.name.as_str())
            .collect();
        missing.sort_unstable();
        if missing.is_empty() {
            return Ok(());
        }
        Err(ArgsError::new(format!("missing required arguments: {}", missing.join(", "))))
    }
}

#[cfg(test)]
mod tests;
