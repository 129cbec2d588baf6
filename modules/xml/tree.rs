//! A document in memory: nodes by number, none of which is ever given up.

use super::names::XML_URI;

/// The number of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id(usize);

impl Id {
    pub fn index(self) -> usize {
        self.0
    }
}

/// What holds the document element, and what stands beside it.
pub const ROOT: Id = Id(0);

/// A name with its namespace; what it has none of is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name {
    pub prefix: String,
    pub uri: String,
    pub local: String,
}

impl Name {
    /// As lxml writes it: `{uri}local`.
    pub fn full(&self) -> String {
        if self.uri.is_empty() { self.local.clone() } else { format!("{{{}}}{}", self.uri, self.local) }
    }

    pub fn is(&self, other: &Self) -> bool {
        self.uri == other.uri && self.local == other.local
    }
}

#[derive(Clone, Debug)]
pub struct Attribute {
    pub name: Name,
    pub value: String,
}

/// `xmlns:prefix="uri"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    pub prefix: String,
    pub uri: String,
}

#[derive(Clone, Debug, Default)]
pub struct Element {
    pub name: Name,
    pub declared: Vec<Declared>,
    pub attributes: Vec<Attribute>,
}

#[derive(Clone, Debug)]
pub enum Kind {
    Root,
    Element(Element),
    Text(String),
    Cdata(String),
    Comment(String),
    Instruction {
        target: String,
        data: String,
    },
    /// `<!DOCTYPE …>`: its name is the document element's.
    Doctype {
        public: String,
        system: String,
    },
}

#[derive(Clone, Debug)]
pub struct Node {
    pub parent: Option<Id>,
    pub children: Vec<Id>,
    pub kind: Kind,
}

static NONE: Node = Node { parent: None, children: Vec::new(), kind: Kind::Root };

#[derive(Clone, Debug)]
pub struct Tree {
    nodes: Vec<Node>,
    /// Of XML.
    pub version: String,
}

impl Tree {
    pub fn new() -> Self {
        Self { nodes: vec![NONE.clone()], version: "1.0".to_owned() }
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn node(&self, id: Id) -> &Node {
        self.nodes.get(id.0).unwrap_or(&NONE)
    }

    pub fn element(&self, id: Id) -> Option<&Element> {
        match &self.node(id).kind {
            Kind::Element(element) => Some(element),
            _ => None,
        }
    }

    pub fn element_mut(&mut self, id: Id) -> Option<&mut Element> {
        match &mut self.nodes.get_mut(id.0)?.kind {
            Kind::Element(element) => Some(element),
            _ => None,
        }
    }

    /// The text of a text or a CDATA section.
    pub fn characters(&self, id: Id) -> Option<&str> {
        match &self.node(id).kind {
            Kind::Text(text) | Kind::Cdata(text) => Some(text),
            _ => None,
        }
    }

    /// Adds to a text; not to anything else.
    pub fn extend_text(&mut self, id: Id, more: &str) -> bool {
        match self.nodes.get_mut(id.0).map(|node| &mut node.kind) {
            Some(Kind::Text(text)) => {
                text.push_str(more);
                true
            }
            _ => false,
        }
    }

    pub fn document_element(&self) -> Option<Id> {
        self.node(ROOT).children.iter().copied().find(|id| self.element(*id).is_some())
    }

    /// From the parent outwards.
    pub fn ancestors(&self, id: Id) -> impl Iterator<Item = Id> {
        std::iter::successors(self.node(id).parent, |id| self.node(*id).parent)
    }

    /// The node and all below it, in order.
    pub fn subtree(&self, id: Id) -> Vec<Id> {
        let (mut all, mut pending) = (Vec::new(), vec![id]);
        while let Some(id) = pending.pop() {
            all.push(id);
            pending.extend(self.node(id).children.iter().rev());
        }
        all
    }

    /// All text below it.
    pub fn text_below(&self, id: Id) -> String {
        self.subtree(id).into_iter().filter_map(|id| self.characters(id)).collect()
    }

    /// A node that stands nowhere yet.
    pub fn make(&mut self, kind: Kind) -> Id {
        self.nodes.push(Node { parent: None, children: Vec::new(), kind });
        Id(self.nodes.len() - 1)
    }

    pub fn append(&mut self, parent: Id, child: Id) {
        let end = self.node(parent).children.len();
        self.insert(parent, end, child);
    }

    /// Puts a node at that place among the children; it leaves where it was.
    pub fn insert(&mut self, parent: Id, at: usize, child: Id) {
        self.detach(child);
        if let Some(node) = self.nodes.get_mut(child.0) {
            node.parent = Some(parent);
        }
        if let Some(node) = self.nodes.get_mut(parent.0) {
            node.children.insert(at.min(node.children.len()), child);
        }
    }

    fn detach(&mut self, id: Id) {
        let Some(parent) = self.node(id).parent else { return };
        if let Some(node) = self.nodes.get_mut(parent.0) {
            node.children.retain(|child| *child != id);
        }
        if let Some(node) = self.nodes.get_mut(id.0) {
            node.parent = None;
        }
    }

    /// Takes a node away, with the text behind it: it is that node's as lxml sees it.
    pub fn remove(&mut self, id: Id) {
        let Some(parent) = self.node(id).parent else { return };
        let siblings = &self.node(parent).children;
        let behind = siblings.iter().skip_while(|sibling| **sibling != id).skip(1);
        let tail: Vec<Id> = behind.copied().take_while(|id| self.characters(*id).is_some()).collect();
        self.detach(id);
        for text in tail {
            self.detach(text);
        }
    }

    /// The place of a node among its siblings.
    pub fn place(&self, id: Id) -> Option<(Id, usize)> {
        let parent = self.node(id).parent?;
        Some((parent, self.node(parent).children.iter().position(|child| *child == id)?))
    }

    /// The text before the first child that is none; `None` without any.
    pub fn text(&self, id: Id) -> Option<String> {
        let mut texts = self.leading(id).into_iter().filter_map(|id| self.characters(id)).peekable();
        texts.peek().is_some().then(|| texts.collect())
    }

    pub fn set_text(&mut self, id: Id, text: &str) {
        for old in self.leading(id) {
            self.detach(old);
        }
        let text = self.make(Kind::Text(text.to_owned()));
        self.insert(id, 0, text);
    }

    fn leading(&self, id: Id) -> Vec<Id> {
        let children = self.node(id).children.iter().copied();
        children.take_while(|id| self.characters(*id).is_some()).collect()
    }

    pub fn attribute(&self, id: Id, name: &Name) -> Option<&str> {
        let found = self.element(id)?.attributes.iter().find(|attribute| attribute.name.is(name))?;
        Some(&found.value)
    }

    /// A node of another tree, with all below it, that stands nowhere yet.
    pub fn import(&mut self, other: &Self, id: Id) -> Id {
        let copy = self.make(other.node(id).kind.clone());
        let mut pending = vec![(id, copy)];
        while let Some((from, to)) = pending.pop() {
            for child in &other.node(from).children {
                let copied = self.make(other.node(*child).kind.clone());
                self.append(to, copied);
                pending.push((*child, copied));
            }
        }
        copy
    }

    /// What a prefix stands for at a node.
    pub fn namespace(&self, id: Id, prefix: &str) -> Option<&str> {
        if prefix == "xml" {
            return Some(XML_URI);
        }
        let here = std::iter::once(id).chain(self.ancestors(id));
        let mut declared = here.filter_map(|id| self.element(id)).flat_map(|element| &element.declared);
        declared.find(|declared| declared.prefix == prefix).map(|declared| declared.uri.as_str())
    }
}
