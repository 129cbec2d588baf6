mod blanks;
mod change;
mod children;
mod look;
mod make;
mod names;
mod namespaces;
mod read;
mod tree;
mod write;
mod xpath;

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use self::children::InputType;
use self::look::Matches;
use self::xpath::{Expr, Namespaces};
use crate::command::yes;
use crate::kit::charset::Charset;
use crate::kit::{Failure, FilePath, Result, System, WriteOptions};
use crate::lineinfile::State;

/// Looks at parts of XML, and changes them.
///
/// The file must be there. It is written as UTF-8, with a declaration, and only when something of it changes. A document
/// type that declares anything within itself is an error: that would be lost.
///
/// Of XPath there are no variables, no namespace axis and no `id()`; whatever is not understood is an error.
///
/// # Examples
///
/// ```yaml
/// - name: Another rating
///   xml: {path: /srv/bar.xml, xpath: /business/rating, value: "11"}
///
/// - name: No attribute of that name
///   xml: {path: /srv/bar.xml, xpath: /business/rating/@subjective, state: absent}
///
/// - name: An attribute of an element, which is made if it is not there
///   xml: {path: /srv/bar.xml, xpath: /business/website/validxhtml, attribute: validatedon, value: "1976-08-05"}
///
/// - name: How many beers there are
///   xml: {path: /srv/bar.xml, xpath: /business/beers/beer, count: true}
///   register: hits
///
/// - name: Just these beers
///   xml:
///     path: /srv/bar.xml
///     xpath: /business/beers
///     set_children:
///       - beer: Old Rasputin
///       - beer: {brewer: Rare, +value: Old Motor Oil, _: [hops, {malt: dark}]}
///
/// - name: An element of a namespace
///   xml:
///     path: /srv/foo.xml
///     xpath: /x:foo/x:bar/y:baz
///     namespaces: {x: "http://x.test", y: "http://y.test"}
///     value: "true"
///
/// - name: Laid out anew
///   xml: {path: /srv/bar.xml, pretty_print: true}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend(
    "mutually_exclusive" = [
        ["path", "xmlstring"],
        ["add_children", "content", "count", "print_match", "set_children", "value"],
        ["insertbefore", "insertafter"]
    ],
    "required_one_of" = [["path", "xmlstring"]],
    "required_by" = {
        "add_children": ["xpath"],
        "attribute": ["value"],
        "content": ["xpath"],
        "set_children": ["xpath"],
        "value": ["xpath"]
    },
    "required_if" = [
        ["count", true, ["xpath"]],
        ["print_match", true, ["xpath"]],
        ["insertbefore", true, ["xpath"]],
        ["insertafter", true, ["xpath"]]
    ]
))]
pub struct Args {
    /// The file.
    #[schemars(extend("aliases" = ["dest", "file"]))]
    pub path: Option<FilePath>,
    /// The document itself. What becomes of it is in the result.
    pub xmlstring: Option<String>,
    /// An expression of XPath that names what it is about.
    pub xpath: Option<String>,
    /// What the prefixes in `xpath` and `attribute` stand for.
    #[serde(default)]
    pub namespaces: Map<String, Json>,
    /// Whether what `xpath` names is there.
    #[schemars(extend("aliases" = ["ensure"]))]
    #[serde(default)]
    pub state: State,
    /// The attribute that gets `value`, without `@`.
    #[serde(default)]
    pub attribute: Json,
    /// The text of the elements, or of their attribute. Text alone: numbers must be quoted.
    #[serde(default)]
    pub value: Json,
    /// Makes what gets `value` where there is none; else that is no error, and no change.
    #[serde(default = "yes")]
    pub create_if_missing: bool,
    /// Elements to add, each time: to the last element that `xpath` names, behind what it holds.
    pub add_children: Option<Vec<Json>>,
    /// The elements that are in those that `xpath` names; others go.
    pub set_children: Option<Vec<Json>>,
    /// How `add_children` and `set_children` are given.
    #[serde(default)]
    pub input_type: InputType,
    /// Puts `add_children` before the first element that `xpath` names.
    #[serde(default)]
    pub insertbefore: bool,
    /// Puts `add_children` behind the last element that `xpath` names.
    #[serde(default)]
    pub insertafter: bool,
    /// Tells how many nodes `xpath` names.
    #[serde(default)]
    pub count: bool,
    /// Tells the path of each element that `xpath` names.
    #[serde(default)]
    pub print_match: bool,
    /// Tells what the elements hold that `xpath` names.
    pub content: Option<Content>,
    /// Lays the document out: what has no text of its own is indented.
    #[serde(default)]
    pub pretty_print: bool,
    /// Makes text of CDATA sections.
    #[serde(default)]
    pub strip_cdata_tags: bool,
    /// Allows elements nested more than 256 deep.
    #[serde(default)]
    pub huge_tree: bool,
    /// Keeps a copy of the old file, with the time in its name.
    #[serde(default)]
    pub backup: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// Their attributes.
    Attribute,
    /// Their text.
    Text,
}

#[derive(Default, Serialize)]
pub struct Returns {
    #[serde(skip_serializing_if = "Option::is_none")]
    actions: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    xmlstring: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_file: Option<String>,
    #[serde(flatten)]
    matches: Option<Matches>,
}

/// `xpath`, understood.
pub(crate) struct Selector {
    pub text: String,
    pub expr: Expr,
    pub namespaces: Namespaces,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let old = match (&args.path, &args.xmlstring) {
        (Some(path), _) => text_of(&path.0, sys)?,
        (None, text) => text.clone().unwrap_or_default(),
    };
    let selector = args.xpath.as_deref().map(|xpath| understood(xpath, &args.namespaces)).transpose()?;
    let options = read::Options {
        strip_cdata: args.strip_cdata_tags,
        drop_blanks: args.pretty_print,
        huge: args.huge_tree,
    };
    let mut tree = read::read(&old, options).map_err(|why| {
        let what =
            args.path.as_ref().map_or_else(|| "xmlstring".to_owned(), |path| path.0.display().to_string());
        Failure::new(format!("Error while parsing document: {what} ({why})"))
    })?;
    let mut returns = Returns::default();
    if let Some(selector) = &selector {
        let state = if args.state == State::Present { "present" } else { "absent" };
        returns.actions =
            Some(json!({"xpath": selector.text, "namespaces": selector.namespaces, "state": state}));
        returns.matches = look::look(&args, selector, &tree)?;
    }
    let before = tree.clone();
    let changed = match &selector {
        _ if returns.matches.is_some() => false,
        None if args.state == State::Absent => {
            return Err(Failure::new("state: absent tells nothing to remove: give xpath"));
        }
        // Laid out is what is written so.
        None if args.pretty_print => write::document(&tree, true) != old,
        None => return Err(Failure::new("Don't know what to do")),
        Some(selector) => change::change(&args, selector, &mut tree)?,
    };
    let new = write::document(&tree, args.pretty_print);
    if args.path.is_none() {
        returns.xmlstring = Some(new.clone());
    }
    if !changed {
        return Ok(returns);
    }
    if let Some(path) = &args.path {
        let options = WriteOptions { backup: args.backup, hidden: true, ..WriteOptions::default() };
        let path = sys.resolve(&path.0)?;
        returns.backup_file = sys.write_with(&path, new.as_str(), &options)?.backup_file;
    }
    if selector.is_some() || args.path.is_none() {
        sys.tell_states("", write::document(&before, true), write::document(&tree, true));
    }
    Ok(returns)
}

fn understood(xpath: &str, namespaces: &Map<String, Json>) -> Result<Selector> {
    let mut known = Namespaces::new();
    for (prefix, uri) in namespaces {
        match uri {
            Json::String(uri) if !prefix.is_empty() => known.insert(prefix.clone(), uri.clone()),
            _ => {
                return Err(Failure::new(format!(
                    "namespaces: '{prefix}': {uri} is no namespace with a prefix"
                )));
            }
        };
    }
    let expr = xpath::parse(xpath, &known)
        .map_err(|why| Failure::new(format!("Syntax error in xpath expression: {xpath} ({why})")))?;
    Ok(Selector { text: xpath.to_owned(), expr, namespaces: known })
}

/// The file as text, in whatever encoding it says it is.
fn text_of(path: &Path, sys: &System<'_>) -> Result<String> {
    if !sys.stat_followed(path)?.is_some_and(|meta| meta.is_file()) {
        return Err(Failure::new(format!("The target XML source '{}' does not exist.", path.display())));
    }
    let bytes = sys.read(path)?;
    let charset = if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        "utf-16".to_owned()
    } else {
        declared_encoding(&bytes).unwrap_or_else(|| "utf-8".to_owned())
    };
    let wrong = |why: &str| Failure::new(format!("Error while parsing document: {} ({why})", path.display()));
    let known =
        Charset::named(&charset).ok_or_else(|| wrong(&format!("the encoding {charset} is not known")))?;
    known.decode(bytes).map_err(|_| wrong(&format!("it is not in the encoding {charset}")))
}

fn declared_encoding(bytes: &[u8]) -> Option<String> {
    let end = bytes.windows(2).position(|two| two == b"?>")?;
    let declaration = std::str::from_utf8(bytes.get(..end)?).ok()?;
    let declaration = declaration.trim_start_matches('\u{feff}').strip_prefix("<?xml")?;
    let value = declaration.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|char| matches!(char, '"' | '\''))?;
    Some(value.get(1..)?.split_once(quote)?.0.to_owned())
}

#[cfg(test)]
mod tests;
