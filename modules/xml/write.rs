//! A tree as text, as lxml writes it.

use super::read::written;
use super::tree::{Id, Kind, ROOT, Tree};

/// The whole document, in UTF-8, with a declaration. `pretty` lays out what has no text of its own.
pub fn document(tree: &Tree, pretty: bool) -> String {
    let mut out = format!("<?xml version='{}' encoding='UTF-8'?>\n", tree.version);
    let own = tree.document_element();
    let name = own.and_then(|id| tree.element(id)).map(|element| element.name.local.as_str());
    let mut behind = false;
    for id in tree.node(ROOT).children.iter().copied() {
        let is_doctype = matches!(tree.node(id).kind, Kind::Doctype { .. });
        if pretty && behind {
            out.push('\n');
        }
        if let Kind::Doctype { public, system } = &tree.node(id).kind {
            doctype(&mut out, name.unwrap_or_default(), public, system);
        } else {
            node(&mut out, tree, id, pretty.then_some(0));
        }
        behind |= Some(id) == own;
        if pretty && !behind && !is_doctype {
            out.push('\n');
        }
    }
    if pretty {
        out.push('\n');
    }
    out
}

/// An element by itself, laid out as it is.
pub fn element(tree: &Tree, id: Id) -> String {
    let mut out = String::new();
    node(&mut out, tree, id, None);
    out
}

fn doctype(out: &mut String, name: &str, public: &str, system: &str) {
    let quoted = |text: &str| if text.contains('"') { format!("'{text}'") } else { format!("\"{text}\"") };
    let ids = match (public, system) {
        ("", "") => String::new(),
        ("", system) => format!(" SYSTEM {}", quoted(system)),
        (public, system) => format!(" PUBLIC {} {}", quoted(public), quoted(system)),
    };
    out.push_str(&["<!DOCTYPE ", name, &ids, ">\n"].concat());
}

/// `level` is how deep what is laid out stands; without one nothing is.
fn node(out: &mut String, tree: &Tree, id: Id, level: Option<usize>) {
    match &tree.node(id).kind {
        Kind::Root | Kind::Doctype { .. } => {}
        Kind::Text(text) => escape(out, text, false),
        Kind::Cdata(text) => cdata(out, text),
        Kind::Comment(text) => {
            out.push_str("<!--");
            out.push_str(text);
            out.push_str("-->");
        }
        Kind::Instruction { target, data } => {
            let between = if data.is_empty() { "" } else { " " };
            out.push_str(&["<?", target, between, data, "?>"].concat());
        }
        Kind::Element(element) => {
            let name = written(&element.name.prefix, &element.name.local);
            out.push('<');
            out.push_str(&name);
            for declared in &element.declared {
                let name = if declared.prefix.is_empty() {
                    "xmlns".to_owned()
                } else {
                    written("xmlns", &declared.prefix)
                };
                attribute(out, &name, &declared.uri);
            }
            for one in &element.attributes {
                attribute(out, &written(&one.name.prefix, &one.name.local), &one.value);
            }
            let children = &tree.node(id).children;
            if children.is_empty() {
                out.push_str("/>");
                return;
            }
            out.push('>');
            let inner = level.filter(|_| children.iter().all(|id| tree.characters(*id).is_none()));
            for child in children {
                lay_out(out, inner.map(|level| level + 1));
                node(out, tree, *child, inner.map(|level| level + 1));
            }
            lay_out(out, inner);
            out.push_str(&["</", &name, ">"].concat());
        }
    }
}

fn lay_out(out: &mut String, level: Option<usize>) {
    if let Some(level) = level {
        out.push('\n');
        // libxml2 knows no deeper ones.
        out.push_str(&"  ".repeat(level.min(30)));
    }
}

fn attribute(out: &mut String, name: &str, value: &str) {
    out.push_str(&[" ", name, "=\""].concat());
    escape(out, value, true);
    out.push('"');
}

/// A section cannot hold its own end: it is split there.
fn cdata(out: &mut String, text: &str) {
    out.push_str("<![CDATA[");
    out.push_str(&text.replace("]]>", "]]]]><![CDATA[>"));
    out.push_str("]]>");
}

fn escape(out: &mut String, text: &str, in_attribute: bool) {
    for char in text.chars() {
        match char {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\r' => out.push_str("&#13;"),
            '"' if in_attribute => out.push_str("&quot;"),
            '\n' if in_attribute => out.push_str("&#10;"),
            '\t' if in_attribute => out.push_str("&#9;"),
            _ => out.push(char),
        }
    }
}
