//! What a call tells of its changes: states before and after, and what was done.

use serde_json::{Map, Value as Json, json};

use crate::kit::System;
use crate::kit::change::Shape;

/// States that change, and what is done for it.
#[derive(Default)]
pub struct Told {
    before: Map<String, Json>,
    after: Map<String, Json>,
    notes: Map<String, Json>,
    listed: Option<Json>,
    pub actions: Vec<Json>,
}

impl Told {
    /// That something is to be otherwise. The last of what is wanted counts.
    pub fn state(&mut self, what: &str, wanted: impl Into<Json>, current: impl Into<Json>) {
        self.before.entry(what.to_owned()).or_insert(current.into());
        self.after.insert(what.to_owned(), wanted.into());
    }

    /// As [`Told::state`], where what was is told anew, too.
    pub fn restate(&mut self, what: &str, wanted: impl Into<Json>, current: impl Into<Json>) {
        self.before.insert(what.to_owned(), current.into());
        self.after.insert(what.to_owned(), wanted.into());
    }

    /// What is said of the difference besides.
    pub fn note(&mut self, what: &str, value: impl Into<Json>) {
        self.notes.insert(what.to_owned(), value.into());
    }

    /// What another has told, too.
    pub fn add(&mut self, other: Self) {
        self.before.extend(other.before);
        self.after.extend(other.after);
        self.notes.extend(other.notes);
        self.actions.extend(other.actions);
    }

    /// Whether something is to be otherwise.
    pub fn differs(&self) -> bool {
        !self.after.is_empty()
    }

    /// Something is done, or would be in check mode: the call changes the engine's state.
    pub fn action(&mut self, action: Json, sys: &mut System<'_>) {
        sys.count_as_change(format!("docker: {action}"));
        self.actions.push(action);
    }

    /// What another has told, too. [`Told::listing`] names what that is about.
    pub fn list(&mut self, other: Self) {
        self.listed = Some(json!(other.after.keys().collect::<Vec<_>>()));
        self.add(other);
    }

    /// The diff of a call for a container: with `debug` it is told in any case.
    pub fn whole(self, debug: bool, sys: &mut System<'_>) {
        if debug || sys.is_diff_wanted() {
            let mut diff = self.notes;
            diff.extend(states(self.before, self.after));
            sys.shape_diff(Shape::Given(diff));
        }
    }

    /// The diff of a call for a network or a volume: `debug` lists in any case what was not as it is wanted.
    pub fn listing(self, debug: bool, sys: &mut System<'_>) {
        let is_wanted = sys.is_diff_wanted();
        if debug || is_wanted {
            let mut diff = Map::new();
            diff.extend(self.listed.filter(|_| debug).map(|names| ("differences".to_owned(), names)));
            diff.extend(is_wanted.then(|| states(self.before, self.after)).into_iter().flatten());
            sys.shape_diff(Shape::Given(diff));
        }
    }
}

/// A diff of states.
pub fn states(before: Map<String, Json>, after: Map<String, Json>) -> Map<String, Json> {
    Map::from_iter([("before".to_owned(), before.into()), ("after".to_owned(), after.into())])
}
