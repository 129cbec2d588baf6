//! What `update-alternatives` knows of a name: `--query` on Debian, `--display` on Red Hat and its kin.

use std::collections::BTreeMap;
use std::path::Path;

use crate::kit::{Command, Failure, Result, System};

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Listing {
    /// Absent where the name is not known.
    pub link: Option<String>,
    pub manual: bool,
    /// The program that is used.
    pub current: Option<String>,
    /// Link of each subcommand.
    pub links: BTreeMap<String, String>,
    pub alternatives: BTreeMap<String, Alternative>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Alternative {
    pub priority: Option<i64>,
    /// Name of each subcommand -> its program.
    pub subcommands: BTreeMap<String, String>,
}

/// Where Red Hat's program keeps what it knows, a file a name.
const KEPT: &str = "/var/lib/alternatives";

impl Listing {
    pub fn read(program: &Path, name: &str, sys: &mut System<'_>) -> Result<Self> {
        let ask = |verb: &str| Command::new(program).env("LC_ALL", "C").args([verb, name]);
        let queried = sys.query(ask("--query"))?;
        if queried.ok() {
            return Ok(Self::of_query(&queried.stdout()));
        }
        let said = queried.stderr();
        if said.contains("no alternatives for") {
            return Ok(Self::default());
        }
        let displayed = sys.query(ask("--display"))?;
        match displayed.code {
            0 => {
                let mut listing = Self::of_display(&displayed.stdout());
                // Of links it does not tell.
                let kept = sys.read_text_if_there(&Path::new(KEPT).join(name))?;
                listing.link_as_kept(&kept.unwrap_or_default());
                Ok(listing)
            }
            // The name is not known.
            2 => Ok(Self::default()),
            code => Err(Failure::new(format!(
                "cannot list the alternatives of {name}: {}",
                displayed.stderr().trim()
            ))
            .with("rc", code)),
        }
    }

    fn of_query(text: &str) -> Self {
        let mut listing = Self::default();
        let mut at: Option<String> = None;
        let mut in_subcommands = false;
        for line in text.lines() {
            if let Some(pair) = line.strip_prefix(' ').filter(|_| in_subcommands) {
                let Some((name, path)) = pair.split_once(' ') else { continue };
                let (name, path) = (name.to_owned(), path.to_owned());
                match at.as_ref().and_then(|at| listing.alternatives.get_mut(at)) {
                    Some(alternative) => drop(alternative.subcommands.insert(name, path)),
                    None => drop(listing.links.insert(name, path)),
                }
                continue;
            }
            let Some((key, value)) = line.split_once(':') else { continue };
            let value = value.trim();
            in_subcommands = key == "Slaves";
            match key {
                "Link" => listing.link = Some(value.to_owned()),
                "Status" => listing.manual = value == "manual",
                "Value" => listing.current = Some(value.to_owned()),
                "Alternative" => {
                    at = Some(value.to_owned());
                    listing.alternatives.insert(value.to_owned(), Alternative::default());
                }
                "Priority" => {
                    if let Some(known) = at.as_ref().and_then(|at| listing.alternatives.get_mut(at)) {
                        known.priority = value.parse().ok();
                    }
                }
                _ => {}
            }
        }
        listing
    }

    /// With the links of such a file: `auto`, the link, then name and link of each subcommand, up to an empty line.
    fn link_as_kept(&mut self, text: &str) {
        let mut lines = text.lines().skip(1).take_while(|line| !line.is_empty());
        self.link = lines.next().map(str::to_owned);
        while let (Some(name), Some(link)) = (lines.next(), lines.next()) {
            self.links.insert(name.to_owned(), link.to_owned());
        }
    }

    /// `java - status is manual.`, ` link currently points to /a`, `/a - family x priority 5`, ` slave b: /b`.
    fn of_display(text: &str) -> Self {
        let mut listing = Self::default();
        let mut at: Option<String> = None;
        for line in text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                [_, "-", "status", "is", how] => listing.manual = how.starts_with("manual"),
                ["link", "currently", "points", "to", path] => listing.current = Some((*path).to_owned()),
                [path, "-", rest @ ..] if path.starts_with('/') => {
                    let priority = rest.iter().skip_while(|word| **word != "priority").nth(1);
                    let priority = priority.and_then(|number| number.parse().ok());
                    at = Some((*path).to_owned());
                    let known = Alternative { priority, subcommands: BTreeMap::new() };
                    listing.alternatives.insert((*path).to_owned(), known);
                }
                ["slave" | "follower", _, "(null)"] => {}
                ["slave" | "follower", name, path] => {
                    if let Some(known) = at.as_ref().and_then(|at| listing.alternatives.get_mut(at)) {
                        known.subcommands.insert(name.trim_end_matches(':').to_owned(), (*path).to_owned());
                    }
                }
                _ => {}
            }
        }
        listing
    }
}

#[cfg(test)]
mod tests {
    use super::Listing;

    #[test]
    fn red_hats_display() {
        let mut listing = Listing::of_display(
            "java - status is manual.\n link currently points to /a\n/a - family java-11 priority 5\n slave jre: /j\n\
             \x20slave panel: (null)\n/b - priority 7\nCurrent `best' version is /b.\n",
        );
        listing.link_as_kept("manual\n/usr/bin/java\njre\n/usr/lib/jre\n\n/a\n5\n/j\n");
        assert_eq!(listing.link.as_deref(), Some("/usr/bin/java"));
        let links: Vec<_> = listing.links.iter().map(|(name, link)| (name.as_str(), link.as_str())).collect();
        assert_eq!(links, [("jre", "/usr/lib/jre")]);
        assert_eq!(listing.alternatives["/a"].subcommands.len(), 1);
        assert!(listing.manual);
        assert_eq!(listing.current.as_deref(), Some("/a"));
        let priorities: Vec<_> =
            listing.alternatives.iter().map(|(path, known)| (path.as_str(), known.priority)).collect();
        assert_eq!(priorities, [("/a", Some(5)), ("/b", Some(7))]);
        assert_eq!(listing.alternatives["/a"].subcommands["jre"], "/j");
    }
}
