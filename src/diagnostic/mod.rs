//! Errors that say what, where and what next.

mod as_ansible;
mod report;

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::path::PathBuf;
use std::sync::Arc;

pub use as_ansible::{is_written_as_ansible, write_as_ansible};

use crate::value::Undefined;

/// A text that places point into: a file, or something typed on the command line.
pub struct Source {
    /// The path as the user would type it, or a description in angle brackets (`<extra vars>`).
    pub path: PathBuf,
    pub text: Arc<str>,
    /// It was decrypted: nothing of it shows in messages.
    pub secret: bool,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Source({})", self.path.display())
    }
}

/// A spot in a source. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Place {
    pub source: Arc<Source>,
    /// Counted from 1.
    pub line: u32,
    /// Counted in characters from 1.
    pub column: u32,
    /// The length of what is pointed at, in characters; 0 when only the start is known.
    pub length: u32,
}

impl Display for Place {
    /// `file:line:column`.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.source.path.display(), self.line, self.column)
    }
}

/// One problem, told in fields: what, where, what next.
///
/// `Display` gives the message alone, on one line, as task results carry it; [`Diagnostic::report`]
/// gives the whole story with the excerpt and the caret.
#[derive(Clone, Debug)]
pub struct Diagnostic(Box<Fields>);

#[derive(Clone, Debug)]
struct Fields {
    message: String,
    place: Option<Place>,
    /// Other places that matter, each with what it is: `first defined here`.
    notes: Vec<(String, Option<Place>)>,
    hints: Vec<String>,
    kind: Kind,
}

/// What sets an error apart from others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Plain,
    /// The reading of something undefined, which `default` may still rescue.
    Undefined,
    /// What a file names is not there; the file itself is well.
    Missing,
    /// The user wanted no more of it.
    Interrupted,
}

impl Diagnostic {
    pub fn new(message: impl Into<String>) -> Self {
        Self(Box::new(Fields {
            message: message.into(),
            place: None,
            notes: Vec::new(),
            hints: Vec::new(),
            kind: Kind::Plain,
        }))
    }

    /// The error of reading an undefined value.
    pub fn undefined(what: &Undefined) -> Self {
        let mut diagnostic = match &what.cause {
            Some(cause) => (**cause).clone(),
            None => Self::new(&*what.message),
        };
        diagnostic.0.kind = Kind::Undefined;
        diagnostic
    }

    /// The error of naming what is not there: a role, a file of tasks, a handler, the password of a vault.
    pub fn missing(message: impl Into<String>) -> Self {
        let mut diagnostic = Self::new(message);
        diagnostic.0.kind = Kind::Missing;
        diagnostic
    }

    /// Ctrl-C where a question was asked.
    pub fn interrupted() -> Self {
        let mut diagnostic = Self::new("User interrupted execution");
        diagnostic.0.kind = Kind::Interrupted;
        diagnostic
    }

    /// Whether the user broke it off.
    pub fn is_interrupted(&self) -> bool {
        self.0.kind == Kind::Interrupted
    }

    /// Whether this is the reading of something undefined: inside a template such an error travels on
    /// as an undefined value, so that `default` can still rescue it.
    pub fn is_undefined(&self) -> bool {
        self.0.kind == Kind::Undefined
    }

    /// Whether something is named that is not there.
    pub fn is_missing(&self) -> bool {
        self.0.kind == Kind::Missing
    }

    /// Says where, unless something closer to the cause has already said so.
    #[must_use]
    pub fn at(mut self, place: &Place) -> Self {
        self.0.place.get_or_insert_with(|| place.clone());
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hints.push(hint.into());
        self
    }

    #[must_use]
    pub fn note(mut self, note: impl Into<String>, place: Option<Place>) -> Self {
        self.0.notes.push((note.into(), place));
        self
    }

    /// Puts a lead before the message: `Task failed: Finalization of task args failed: …`.
    #[must_use]
    pub fn context(mut self, lead: impl Display) -> Self {
        self.0.message = format!("{lead}: {}", self.0.message);
        self
    }

    pub fn message(&self) -> &str {
        &self.0.message
    }

    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }

    pub fn hints(&self) -> &[String] {
        &self.0.hints
    }

    pub fn notes(&self) -> &[(String, Option<Place>)] {
        &self.0.notes
    }
}

impl Display for Diagnostic {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl Error for Diagnostic {}

pub type Result<T, E = Diagnostic> = std::result::Result<T, E>;
