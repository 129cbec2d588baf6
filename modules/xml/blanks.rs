//! Which blanks only lay a document out: libxml2 guesses, and this guesses the same.

use super::names::is_space;
use super::tree::{Id, Kind, Tree};

/// What is known of the blanks of an element.
#[derive(Clone, Copy, PartialEq)]
enum Space {
    Unknown,
    /// `xml:space="default"`.
    Default,
    /// `xml:space="preserve"`.
    Preserved,
    /// Some were of account: so are all that follow.
    OfAccount,
}

/// Of the elements around, outermost first.
pub struct Blanks(Vec<Space>);

impl Default for Blanks {
    fn default() -> Self {
        Self(vec![Space::Unknown])
    }
}

impl Blanks {
    pub fn enter(&mut self, xml_space: Option<&str>) {
        let inherited = match self.here() {
            Space::OfAccount => Space::Unknown,
            other => other,
        };
        self.0.push(match xml_space {
            Some("default") => Space::Default,
            Some("preserve") => Space::Preserved,
            _ => inherited,
        });
    }

    pub fn leave(&mut self) {
        self.0.pop();
    }

    fn here(&self) -> Space {
        self.0.last().copied().unwrap_or(Space::Unknown)
    }

    /// Whether this text of an element is to be left out; `rest` is what follows it.
    pub fn only_lay_out(&mut self, text: &str, rest: &str, tree: &Tree, parent: Id) -> bool {
        if self.are_to_drop(text, rest, tree, parent) {
            return true;
        }
        // libxml2 looks at the blanks of text that begins with some, or has more than ASCII.
        let looked_at = text.starts_with(is_space) || !text.is_ascii();
        if let Some(last) = self.0.last_mut()
            && *last == Space::Unknown
            && looked_at
        {
            *last = Space::OfAccount;
        }
        false
    }

    fn are_to_drop(&self, text: &str, rest: &str, tree: &Tree, parent: Id) -> bool {
        if matches!(self.here(), Space::Preserved | Space::OfAccount)
            || !text.chars().all(is_space)
            || !rest.starts_with('<')
        {
            return false;
        }
        let children = &tree.node(parent).children;
        let is_text = |id: Option<&Id>| id.is_some_and(|id| matches!(tree.node(*id).kind, Kind::Text(_)));
        if children.is_empty() {
            !rest.starts_with("</")
        } else {
            !is_text(children.last()) && !is_text(children.first())
        }
    }
}
