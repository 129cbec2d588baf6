//! What zypper tells with `--xmlout`.

use crate::kit::Output;

/// A package, patch or pattern that comes, goes or changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Solvable {
    /// `to-install`, `to-upgrade`, `to-remove` …
    pub verb: String,
    pub name: String,
    pub edition: String,
    pub old_edition: Option<String>,
}

/// What it will do or did, of its summary.
pub(crate) fn solvables(output: &Output) -> Vec<Solvable> {
    let text = output.stdout();
    let mut verb = String::new();
    let mut found = Vec::new();
    for tag in tags(&text) {
        if tag.name.starts_with("to-") {
            tag.name.clone_into(&mut verb);
        } else if tag.name.starts_with("/to-") {
            verb.clear();
        } else if tag.name == "solvable" && !verb.is_empty() {
            found.push(Solvable {
                verb: verb.clone(),
                name: tag.attribute("name").unwrap_or_default(),
                edition: tag.attribute("edition").unwrap_or_default(),
                old_edition: tag.attribute("edition-old"),
            });
        }
    }
    found
}

/// The texts of its messages that are errors, or of all when none is.
pub(crate) fn messages(output: &Output) -> Vec<String> {
    let text = output.stdout();
    let told = |errors: bool| -> Vec<String> {
        let of_kind = |tag: &Tag<'_>| {
            tag.name == "message" && (!errors || tag.attribute("type").as_deref() == Some("error"))
        };
        let texts = tags(&text).filter(of_kind).map(|tag| plain(tag.text.trim()));
        texts.filter(|text| !text.is_empty()).collect()
    };
    let errors = told(true);
    if errors.is_empty() { told(false) } else { errors }
}

/// A tag, as `<name …>text`.
pub(crate) struct Tag<'t> {
    pub name: &'t str,
    inside: &'t str,
    /// What follows it, up to the next tag.
    pub text: &'t str,
}

impl Tag<'_> {
    pub fn attribute(&self, name: &str) -> Option<String> {
        let mut rest = self.inside;
        while let Some((known, after)) = rest.split_once("=\"") {
            let (value, after) = after.split_once('"')?;
            if known.trim() == name {
                return Some(plain(value));
            }
            rest = after;
        }
        None
    }
}

/// The tags of a text of zypper's, which knows neither comments nor CDATA.
pub(crate) fn tags(text: &str) -> impl Iterator<Item = Tag<'_>> {
    text.split('<').skip(1).filter_map(|part| {
        let (tag, text) = part.split_once('>')?;
        let tag = tag.trim_end_matches('/');
        let (name, inside) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
        Some(Tag { name, inside, text })
    })
}

pub(crate) fn plain(text: &str) -> String {
    let marks = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    marks.iter().fold(text.to_owned(), |text, (mark, plain)| text.replace(mark, plain))
}
