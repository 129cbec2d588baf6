//! The keywords of the language: one table for checking, documentation and tests.

mod convert;
#[cfg(test)]
mod reference;
mod table;
#[cfg(test)]
mod tests;

pub use convert::{convert, invalid_name, is_variable_name, no_debugger};
pub use table::KEYWORDS;

use crate::diagnostic::{Diagnostic, Place, Result};
use crate::nearest::nearest;

/// A keyword of plays, blocks, tasks …
#[derive(Debug)]
pub struct Keyword {
    pub name: &'static str,
    pub kind: Kind,
    /// What it may stand on.
    pub on: On,
    /// What it does: the text of `fanfare doc -t keyword`.
    pub help: &'static str,
}

/// The type of a keyword's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Bool,
    Int,
    Float,
    /// A number, or a text such as `30%`.
    Percent,
    Text,
    /// A list; a single item stands for a list of one.
    List,
    Dict,
    /// `loop_control`: a mapping with keywords of its own.
    Class,
    /// The name of a variable.
    Name,
}

impl Kind {
    /// As `language.json` and the documentation name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Float => "float",
            Self::Percent => "percent",
            Self::Text => "string",
            Self::List => "list",
            Self::Dict => "dict",
            Self::Class => "class",
            Self::Name => "name",
        }
    }
}

/// What keywords stand on, under the names Ansible's messages use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Object {
    Play = 1,
    Role = 1 << 1,
    Block = 1 << 2,
    Task = 1 << 3,
    Handler = 1 << 4,
    IncludeTasks = 1 << 5,
    IncludeRole = 1 << 6,
    ImportPlaybook = 1 << 7,
    LoopControl = 1 << 8,
    RoleMeta = 1 << 9,
}

impl Object {
    pub const ALL: [Self; 10] = [
        Self::Play,
        Self::Role,
        Self::Block,
        Self::Task,
        Self::Handler,
        Self::IncludeTasks,
        Self::IncludeRole,
        Self::ImportPlaybook,
        Self::LoopControl,
        Self::RoleMeta,
    ];

    /// Ansible's name of it: `'x' is not a valid attribute for a TaskInclude`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Play => "Play",
            Self::Role => "RoleInclude",
            Self::Block => "Block",
            Self::Task => "Task",
            Self::Handler => "Handler",
            Self::IncludeTasks => "TaskInclude",
            Self::IncludeRole => "IncludeRole",
            Self::ImportPlaybook => "PlaybookInclude",
            Self::LoopControl => "LoopControl",
            Self::RoleMeta => "RoleMetadata",
        }
    }

    /// In the words of hints and documentation: `a play`.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Play => "a play",
            Self::Role => "a role",
            Self::Block => "a block",
            Self::Task => "a task",
            Self::Handler => "a handler",
            Self::IncludeTasks => "include_tasks",
            Self::IncludeRole => "include_role",
            Self::ImportPlaybook => "import_playbook",
            Self::LoopControl => "loop_control",
            Self::RoleMeta => "a role's meta",
        }
    }
}

/// A set of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct On(u16);

impl On {
    pub(super) const fn of(objects: &[Object]) -> Self {
        let mut bits = 0;
        let mut rest = objects;
        while let [first, others @ ..] = rest {
            bits |= *first as u16;
            rest = others;
        }
        Self(bits)
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub fn has(self, object: Object) -> bool {
        self.0 & object as u16 != 0
    }

    pub fn objects(self) -> impl Iterator<Item = Object> {
        Object::ALL.into_iter().filter(move |object| self.has(*object))
    }
}

pub fn find(name: &str) -> Option<&'static Keyword> {
    KEYWORDS.binary_search_by(|keyword| keyword.name.cmp(name)).ok().and_then(|index| KEYWORDS.get(index))
}

/// The keyword `name` on `object`; an error at `place` when it is unknown or stands elsewhere.
pub fn check(name: &str, object: Object, place: &Place) -> Result<&'static Keyword> {
    match find(name) {
        Some(keyword) if !keyword.on.has(object) => Err(misplaced(keyword, object).at(place)),
        Some(keyword) => Ok(keyword),
        None => Err(unknown(name, object).at(place)),
    }
}

fn invalid(name: &str, object: Object) -> Diagnostic {
    Diagnostic::new(format!("'{name}' is not a valid attribute for a {}", object.name()))
}

fn misplaced(keyword: &Keyword, object: Object) -> Diagnostic {
    let places: Vec<_> = keyword.on.objects().map(Object::phrase).collect();
    let hint = match places.split_last() {
        Some((last, [])) => format!("'{}' belongs on {last}", keyword.name),
        Some((last, others)) => format!("'{}' belongs on {} or {last}", keyword.name, others.join(", ")),
        None => String::new(),
    };
    let error = invalid(keyword.name, object).hint(hint);
    match object {
        Object::IncludeTasks | Object::IncludeRole if keyword.on.has(Object::Block) => error.hint(format!(
            "put it under `apply:` to give it to the included tasks: apply: {{{}: …}}",
            keyword.name
        )),
        _ => error,
    }
}

fn unknown(name: &str, object: Object) -> Diagnostic {
    let error = invalid(name, object);
    if name == "include" && object == Object::Play {
        return error.hint("'include' was removed from the language: use import_playbook instead");
    }
    let names = KEYWORDS.iter().filter(|keyword| keyword.on.has(object)).map(|keyword| keyword.name);
    match nearest(name, names) {
        Some(found) => error.hint(format!("did you mean '{found}'?")),
        None => error,
    }
}
