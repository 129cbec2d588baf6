//! XML 1.0 as text to a tree. What is not well-formed is an error with its place.

use super::blanks::Blanks;
use super::names::{self, XML_URI, is_char, is_space};
use super::tree::{Attribute, Declared, Element, Id, Kind, Name, ROOT, Tree};

/// As libxml2 has it.
const DEPTH: usize = 256;
const HUGE_DEPTH: usize = 2048;

#[derive(Clone, Copy, Default)]
pub struct Options {
    /// CDATA sections become text.
    pub strip_cdata: bool,
    /// Blanks that only lay the text out are left out.
    pub drop_blanks: bool,
    pub huge: bool,
}

/// Reads a whole document.
pub fn read(text: &str, options: Options) -> Result<Tree, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n");
    let mut reader = Reader {
        text: &text,
        rest: &text,
        options,
        tree: Tree::new(),
        open: vec![ROOT],
        blanks: Blanks::default(),
    };
    reader.document().map_err(|what| {
        let read = text.get(..text.len() - reader.rest.len()).unwrap_or_default();
        let line = read.matches('\n').count() + 1;
        let column = read.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("{what}, line {line}, column {column}")
    })?;
    Ok(reader.tree)
}

struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
    options: Options,
    tree: Tree,
    /// The elements around, outermost first; the root is the first.
    open: Vec<Id>,
    blanks: Blanks,
}

type Done<T = ()> = Result<T, String>;

impl<'a> Reader<'a> {
    fn document(&mut self) -> Done {
        if let Some(char) = self.text.chars().find(|char| !is_char(*char)) {
            return Err(format!("the character U+{:04X} is not allowed in XML", u32::from(char)));
        }
        self.declaration()?;
        loop {
            let outside = self.open.len() == 1;
            if outside {
                self.rest = self.rest.trim_start_matches(is_space);
            }
            if self.rest.is_empty() {
                break;
            }
            if self.take("<!--") {
                self.comment()?;
            } else if self.take("<?") {
                self.instruction()?;
            } else if self.take("</") {
                self.end_tag()?;
            } else if self.rest.starts_with("<!DOCTYPE") {
                self.doctype()?;
            } else if !outside && self.take("<![CDATA[") {
                self.cdata()?;
            } else if self.rest.starts_with('<') {
                self.start_tag()?;
            } else if outside {
                return Err(match self.tree.document_element() {
                    Some(_) => "extra content at the end of the document".to_owned(),
                    None => "start tag expected, '<' not found".to_owned(),
                });
            } else {
                self.characters()?;
            }
        }
        match (self.open.last(), self.tree.document_element()) {
            (Some(&ROOT), Some(_)) => Ok(()),
            (Some(&ROOT) | None, _) => Err("the document is empty".to_owned()),
            (Some(open), _) => Err(format!("the element {} is not closed", self.written(*open))),
        }
    }

    fn take(&mut self, mark: &str) -> bool {
        match self.rest.strip_prefix(mark) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn skip_space(&mut self) -> bool {
        let before = self.rest.len();
        self.rest = self.rest.trim_start_matches(is_space);
        self.rest.len() < before
    }

    fn until(&mut self, mark: &str, what: &str) -> Done<&'a str> {
        let (text, rest) = self.rest.split_once(mark).ok_or_else(|| format!("{what} is not closed"))?;
        self.rest = rest;
        Ok(text)
    }

    fn name(&mut self) -> Done<&'a str> {
        let (name, rest) = names::split_name(self.rest).ok_or("a name is expected")?;
        self.rest = rest;
        Ok(name)
    }

    /// A name with its prefix, which may be empty.
    fn qualified(&mut self) -> Done<(&'a str, &'a str)> {
        let first = self.name()?;
        if self.take(":") { Ok((first, self.name()?)) } else { Ok(("", first)) }
    }

    fn quoted(&mut self) -> Done<&'a str> {
        let quote = match self.rest.chars().next() {
            Some(quote @ ('"' | '\'')) => quote.to_string(),
            _ => return Err("a quoted value is expected".to_owned()),
        };
        self.take(&quote);
        self.until(&quote, "a quoted value")
    }

    fn add(&mut self, kind: Kind) -> Id {
        let id = self.tree.make(kind);
        self.tree.append(self.open.last().copied().unwrap_or(ROOT), id);
        id
    }

    fn written(&self, id: Id) -> String {
        let name = self.tree.element(id).map(|element| &element.name);
        name.map(|name| written(&name.prefix, &name.local)).unwrap_or_default()
    }

    /// `<?xml version="1.0" encoding="…" standalone="…"?>`; of the encoding others make use.
    fn declaration(&mut self) -> Done {
        let is_one = self.rest.strip_prefix("<?xml").is_some_and(|rest| rest.starts_with(is_space));
        if !is_one {
            return Ok(());
        }
        self.take("<?xml");
        let inside = self.until("?>", "the XML declaration")?;
        let after = std::mem::replace(&mut self.rest, inside);
        let mut expected = ["version", "encoding", "standalone"].iter();
        while self.skip_space() && !self.rest.is_empty() {
            let name = self.name()?;
            self.skip_space();
            if !expected.any(|known| *known == name) || !self.take("=") {
                return Err("the XML declaration is malformed".to_owned());
            }
            self.skip_space();
            let value = self.quoted()?;
            match name {
                "version" if value.starts_with("1.") => value.clone_into(&mut self.tree.version),
                "version" => return Err(format!("XML of version {value} is not supported")),
                "standalone" if !matches!(value, "yes" | "no") => {
                    return Err("standalone accepts only 'yes' or 'no'".to_owned());
                }
                _ => {}
            }
        }
        if !self.rest.is_empty() || !inside.contains("version") {
            return Err("the XML declaration is malformed".to_owned());
        }
        self.rest = after;
        Ok(())
    }

    fn comment(&mut self) -> Done {
        let text = self.until("-->", "a comment")?;
        if text.contains("--") || text.ends_with('-') {
            return Err("a comment must not contain '--'".to_owned());
        }
        self.add(Kind::Comment(text.to_owned()));
        Ok(())
    }

    fn instruction(&mut self) -> Done {
        let target = self.name()?;
        if target.eq_ignore_ascii_case("xml") {
            return Err("an XML declaration is allowed only at the start of the document".to_owned());
        }
        let spaced = self.skip_space();
        let data = self.until("?>", "a processing instruction")?;
        if !spaced && !data.is_empty() {
            return Err(format!("the processing instruction {target} is malformed"));
        }
        self.add(Kind::Instruction { target: target.to_owned(), data: data.to_owned() });
        Ok(())
    }

    fn doctype(&mut self) -> Done {
        let has_one = self
            .tree
            .node(ROOT)
            .children
            .iter()
            .any(|id| matches!(self.tree.node(*id).kind, Kind::Doctype { .. } | Kind::Element(_)));
        if has_one || self.open.len() > 1 {
            return Err("a document type stands once, before the document element".to_owned());
        }
        self.take("<!DOCTYPE");
        if !self.skip_space() {
            return Err("the document type is malformed".to_owned());
        }
        self.qualified()?;
        let (mut public, mut system) = ("", "");
        if self.skip_space() {
            if self.take("PUBLIC") {
                self.skip_space();
                public = self.quoted()?;
                self.skip_space();
                system = self.quoted()?;
            } else if self.take("SYSTEM") {
                self.skip_space();
                system = self.quoted()?;
            }
            self.skip_space();
        }
        if self.take("[") {
            self.skip_space();
            // Whatever it declares, lxml would drop.
            if !self.take("]") {
                return Err(
                    "declarations within the document type are not supported: they would be lost when the \
                            document is written"
                        .to_owned(),
                );
            }
            self.skip_space();
        }
        if !self.take(">") {
            return Err("the document type is malformed".to_owned());
        }
        self.add(Kind::Doctype { public: public.to_owned(), system: system.to_owned() });
        Ok(())
    }

    fn cdata(&mut self) -> Done {
        let text = self.until("]]>", "a CDATA section")?.to_owned();
        if self.options.strip_cdata {
            if !text.is_empty() {
                self.add_text(&text);
            }
        } else {
            self.add(Kind::Cdata(text));
        }
        Ok(())
    }

    fn add_text(&mut self, text: &str) {
        let parent = self.open.last().copied().unwrap_or(ROOT);
        let last = self.tree.node(parent).children.last().copied();
        if !last.is_some_and(|last| self.tree.extend_text(last, text)) {
            self.add(Kind::Text(text.to_owned()));
        }
    }

    fn characters(&mut self) -> Done {
        if self.take("&") {
            let reference = self.until(";", "a reference")?;
            let char = resolve(reference)?;
            self.add_text(char.encode_utf8(&mut [0; 4]));
            return Ok(());
        }
        let end = self.rest.find(['<', '&']).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        if text.contains("]]>") {
            return Err("']]>' is not allowed in content".to_owned());
        }
        self.rest = rest;
        let parent = self.open.last().copied().unwrap_or(ROOT);
        if !(self.options.drop_blanks && self.blanks.only_lay_out(text, rest, &self.tree, parent)) {
            self.add_text(text);
        }
        Ok(())
    }

    fn end_tag(&mut self) -> Done {
        let (prefix, local) = self.qualified()?;
        let found = written(prefix, local);
        let open = self.open.pop().filter(|id| *id != ROOT).map(|id| self.written(id));
        if open.as_ref() != Some(&found) {
            let open = open.unwrap_or_else(|| "none".to_owned());
            return Err(format!("opening and ending tag mismatch: {open} and {found}"));
        }
        self.blanks.leave();
        self.skip_space();
        if self.take(">") { Ok(()) } else { Err(format!("the end tag of {found} is malformed")) }
    }

    fn start_tag(&mut self) -> Done {
        if self.open.len() == 1 && self.tree.document_element().is_some() {
            return Err("extra content at the end of the document".to_owned());
        }
        let limit = if self.options.huge { HUGE_DEPTH } else { DEPTH };
        if self.open.len() > limit {
            return Err(format!("elements are nested more than {limit} deep"));
        }
        self.take("<");
        let (prefix, local) = self.qualified()?;
        let name = Name { prefix: prefix.to_owned(), uri: String::new(), local: local.to_owned() };
        let mut element = Element { name, ..Element::default() };
        let shown = written(prefix, local);
        let closed = loop {
            let spaced = self.skip_space();
            if self.take("/>") {
                break true;
            }
            if self.take(">") {
                break false;
            }
            if !spaced {
                return Err(format!("the start tag of {shown} is malformed"));
            }
            let (prefix, local) = self.qualified()?;
            self.skip_space();
            if !self.take("=") {
                return Err(format!("the attribute {} has no value", written(prefix, local)));
            }
            self.skip_space();
            let value = attribute_value(self.quoted()?)?;
            if prefix == "xmlns" || (prefix.is_empty() && local == "xmlns") {
                let prefix = if prefix.is_empty() { "" } else { local };
                declare(&mut element, prefix, value)?;
            } else {
                let name = Name { prefix: prefix.to_owned(), uri: String::new(), local: local.to_owned() };
                element.attributes.push(Attribute { name, value });
            }
        };
        let space = element
            .attributes
            .iter()
            .find(|attribute| attribute.name.prefix == "xml" && attribute.name.local == "space");
        self.blanks.enter(space.map(|attribute| attribute.value.as_str()));
        let id = self.add(Kind::Element(element));
        self.bind(id)?;
        if closed {
            self.blanks.leave();
        } else {
            self.open.push(id);
        }
        Ok(())
    }

    /// Finds what the prefixes of an element stand for.
    fn bind(&mut self, id: Id) -> Done {
        let Some(mut element) = self.tree.element(id).cloned() else { return Ok(()) };
        let uri = |prefix: &str, local: &str| match self.tree.namespace(id, prefix) {
            Some(uri) => Ok(uri.to_owned()),
            None if prefix.is_empty() => Ok(String::new()),
            None => Err(format!("namespace prefix {prefix} on {local} is not defined")),
        };
        element.name.uri = uri(&element.name.prefix, &element.name.local)?;
        for attribute in element.attributes.iter_mut().filter(|attribute| !attribute.name.prefix.is_empty()) {
            attribute.name.uri = uri(&attribute.name.prefix, &attribute.name.local)?;
        }
        for (at, one) in element.attributes.iter().enumerate() {
            if element.attributes.iter().take(at).any(|other| other.name.is(&one.name)) {
                return Err(format!(
                    "the attribute {} is given twice",
                    written(&one.name.prefix, &one.name.local)
                ));
            }
        }
        if let Some(place) = self.tree.element_mut(id) {
            *place = element;
        }
        Ok(())
    }
}

pub fn written(prefix: &str, local: &str) -> String {
    if prefix.is_empty() { local.to_owned() } else { format!("{prefix}:{local}") }
}

fn declare(element: &mut Element, prefix: &str, uri: String) -> Done {
    if element.declared.iter().any(|declared| declared.prefix == prefix) {
        return Err(format!("the attribute {} is given twice", written("xmlns", prefix)));
    }
    match prefix {
        "xml" if uri == XML_URI => return Ok(()),
        "xml" | "xmlns" => return Err(format!("the prefix {prefix} cannot be declared")),
        "" => {}
        _ if uri.is_empty() => return Err(format!("xmlns:{prefix}: an empty namespace is not allowed")),
        _ => {}
    }
    element.declared.push(Declared { prefix: prefix.to_owned(), uri });
    Ok(())
}

/// The value as written, with references resolved and blanks made spaces.
fn attribute_value(written: &str) -> Done<String> {
    if written.contains('<') {
        return Err("'<' is not allowed in attribute values".to_owned());
    }
    let mut pieces = written.split('&');
    let spaced = |text: &str| text.replace(['\n', '\t'], " ");
    let mut value = spaced(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (reference, text) = piece.split_once(';').ok_or("a reference is not closed")?;
        value.push(resolve(reference)?);
        value.push_str(&spaced(text));
    }
    Ok(value)
}

/// What stands between `&` and `;`.
fn resolve(reference: &str) -> Done<char> {
    let number = match reference.strip_prefix('#') {
        Some(number) => match number.strip_prefix('x') {
            Some(hex) => parse_digits(hex, 16),
            None => parse_digits(number, 10),
        },
        None => {
            return match reference {
                "lt" => Ok('<'),
                "gt" => Ok('>'),
                "amp" => Ok('&'),
                "quot" => Ok('"'),
                "apos" => Ok('\''),
                _ if names::is_name(reference) => Err(format!("entity '{reference}' is not defined")),
                _ => Err("a reference is malformed".to_owned()),
            };
        }
    };
    let char = number.and_then(char::from_u32).filter(|char| is_char(*char));
    char.ok_or_else(|| format!("&{reference}; is no character of XML"))
}

fn parse_digits(digits: &str, radix: u32) -> Option<u32> {
    let all = digits.chars().all(|char| char.is_digit(radix));
    all.then(|| u32::from_str_radix(digits, radix).ok()).flatten()
}
