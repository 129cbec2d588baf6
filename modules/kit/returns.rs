//! What modules and actions return, for their documentation: `modules/returns.txt`.

/// A key of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Return {
    /// `*` stands for any other name.
    pub name: &'static str,
    pub kind: &'static str,
    pub doc: &'static str,
}

/// Keys that any result may have.
pub const ANYWHERE: &[&str] =
    &["changed", "deprecations", "diff", "exception", "failed", "msg", "skipped", "warnings"];

const TABLE: &str = include_str!("../returns.txt");

/// The keys that results of that module may have besides those, sorted; `None` where nobody has written them down.
pub fn of(module: &str) -> Option<Vec<Return>> {
    let (shared, sections) = TABLE.split_once("\n[")?;
    let section =
        sections.split("\n[").find_map(|section| section.strip_prefix(module)?.strip_prefix("]\n"))?;
    let mut returns = Vec::new();
    for line in section.lines() {
        match entry(line) {
            Some(entry) => returns.push(entry),
            None => returns.extend(
                line.split_whitespace()
                    .filter_map(|name| shared.lines().filter_map(entry).find(|entry| entry.name == name)),
            ),
        }
    }
    returns.sort_by_key(|entry| entry.name);
    Some(returns)
}

/// `NAME (TYPE): what it is`
fn entry(line: &'static str) -> Option<Return> {
    if line.starts_with('#') {
        return None;
    }
    let (name, rest) = line.split_once(" (")?;
    let (kind, doc) = rest.split_once("): ")?;
    Some(Return { name, kind, doc })
}

#[cfg(test)]
mod tests {
    use super::{TABLE, entry, of};

    #[test]
    fn every_word_of_the_table_is_an_entry() {
        let (shared, sections) = TABLE.split_once("\n[").unwrap();
        let known: Vec<_> = shared.lines().filter_map(entry).map(|entry| entry.name).collect();
        assert!(known.is_sorted() && known.len() > 100);
        let mut used = Vec::new();
        for line in sections.lines().filter(|line| !line.ends_with(']') && entry(line).is_none()) {
            for word in line.split_whitespace() {
                assert!(known.contains(&word), "{word} is not among the shared keys");
                used.push(word);
            }
        }
        let idle: Vec<_> = known.iter().filter(|name| !used.contains(name)).collect();
        assert!(idle.is_empty(), "no module has {idle:?}");
        for module in crate::MODULES {
            assert!(of(module.name).is_some(), "modules/returns.txt does not know {}", module.name);
        }
    }
}
