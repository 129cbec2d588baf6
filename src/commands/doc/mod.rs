//! `fanfare doc`: what modules and keywords are and take, from the one place where it is written.

mod keyword;
mod module;
mod wrap;

use super::Exit;
use crate::cli::{DocCommand, DocFormat, DocTopic};
use crate::config::Config;
use crate::diagnostic::{Diagnostic, Result};
use crate::nearest::nearest;
use crate::output;
use crate::playbook::Actions;
use crate::run::actions::Library;

/// Something with a page of its own.
trait Entry {
    fn name(&self) -> &str;
    /// One line.
    fn summary(&self) -> String;
    fn page(&self) -> String;
    fn json(&self) -> serde_json::Value;
    /// The page for `docs/`.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "a test writes them, and sees to it that they are fresh")
    )]
    fn markdown(&self) -> String;
    /// A task to start from; `None` where that makes no sense.
    fn snippet(&self) -> Option<String>;
}

pub(super) fn doc(command: &DocCommand, config: &Config) -> Result<Exit> {
    output::announce(config);
    let entries: Vec<Box<dyn Entry>> = match command.topic {
        DocTopic::Module => module::all(),
        DocTopic::Keyword => keyword::all(),
    };
    output::print(&text(command, &entries)?)?;
    Ok(Exit::Done)
}

fn text(command: &DocCommand, entries: &[Box<dyn Entry>]) -> Result<String> {
    Ok(match command.format {
        DocFormat::List => list(command, entries),
        DocFormat::ListJson => {
            let named = listed(command, entries);
            pretty(named.map(|entry| (entry.name().to_owned(), entry.summary().into())).collect())
        }
        DocFormat::Page => {
            let pages = chosen(command, entries)?;
            pages.iter().map(|entry| entry.page()).collect::<Vec<_>>().join("\n")
        }
        DocFormat::PageJson => {
            let pages = chosen(command, entries)?;
            pretty(pages.iter().map(|entry| (entry.name().to_owned(), entry.json())).collect())
        }
        DocFormat::Snippet => {
            let pages = chosen(command, entries)?;
            let snippets = pages.iter().map(|entry| {
                let wrong = || Diagnostic::new(format!("not supported: a snippet of {}", entry.name()));
                entry.snippet().ok_or_else(wrong)
            });
            snippets.collect::<Result<Vec<_>>>()?.join("\n")
        }
    })
}

fn list(command: &DocCommand, entries: &[Box<dyn Entry>]) -> String {
    let named: Vec<_> = listed(command, entries).collect();
    let width = named.iter().map(|entry| entry.name().len()).max().unwrap_or_default();
    let line = |entry: &&dyn Entry| format!("{:width$}  {}\n", entry.name(), entry.summary());
    named.iter().map(line).collect()
}

/// Those whose names hold one of the given parts; all when none is given.
fn listed<'a>(command: &'a DocCommand, entries: &'a [Box<dyn Entry>]) -> impl Iterator<Item = &'a dyn Entry> {
    let wanted = |entry: &&dyn Entry| {
        command.names.is_empty() || command.names.iter().any(|part| entry.name().contains(part.as_str()))
    };
    entries.iter().map(|entry| &**entry).filter(wanted)
}

fn chosen<'a>(command: &DocCommand, entries: &'a [Box<dyn Entry>]) -> Result<Vec<&'a dyn Entry>> {
    command.names.iter().map(|name| find(name, command.topic, entries)).collect()
}

fn find<'a>(name: &str, topic: DocTopic, entries: &'a [Box<dyn Entry>]) -> Result<&'a dyn Entry> {
    let resolved = Library.resolve(name).filter(|_| topic == DocTopic::Module);
    let short = match (&resolved, topic) {
        (Some(known), _) => known.canonical.as_str(),
        (None, DocTopic::Module) => module::canonical(name),
        (None, DocTopic::Keyword) => name,
    };
    if let Some(entry) = entries.iter().find(|entry| entry.name() == short) {
        return Ok(&**entry);
    }
    let what = match topic {
        DocTopic::Module => "module",
        DocTopic::Keyword => "keyword",
    };
    let all = format!("`fanfare doc -l -t {what}` lists all");
    if topic == DocTopic::Module && Library.is_foreign(name) {
        return Err(Diagnostic::new(format!("not supported yet: the module {name:?}")).hint(all));
    }
    let unknown = Diagnostic::new(format!("there is no {what} {name:?}"));
    Err(match nearest(short, entries.iter().map(|entry| entry.name())) {
        Some(near) => unknown.hint(format!("did you mean {near}?")),
        None => unknown.hint(all),
    })
}

fn pretty(entries: serde_json::Map<String, serde_json::Value>) -> String {
    format!("{:#}\n", serde_json::Value::Object(entries))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    fn show(topic: DocTopic, names: &[&str], format: DocFormat) -> String {
        let entries = match topic {
            DocTopic::Module => module::all(),
            DocTopic::Keyword => keyword::all(),
        };
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        text(&DocCommand { topic, names, format }, &entries).unwrap_or_else(|error| error.report(false))
    }

    #[test]
    fn every_module_has_every_form() {
        for module in fanfare_modules::MODULES {
            for format in [DocFormat::Page, DocFormat::PageJson, DocFormat::Snippet] {
                let text = show(DocTopic::Module, &[module.name], format);
                assert!(text.contains(module.name), "{text}");
                assert!(text.lines().all(|line| line == line.trim_end()), "{text}");
            }
        }
        for action in crate::run::actions::ACTIONS {
            let text = show(DocTopic::Module, &[action.name], DocFormat::Page);
            assert!(text.starts_with(action.name), "{text}");
        }
        let list = show(DocTopic::Module, &[], DocFormat::List);
        assert!(list.lines().count() >= fanfare_modules::MODULES.len(), "{list}");
    }

    /// Writes `docs/modules/` anew under `FANFARE_BLESS=1`.
    #[test]
    fn pages_are_fresh() {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/modules");
        let bless = std::env::var_os("FANFARE_BLESS").is_some();
        if bless {
            let _ = std::fs::remove_dir_all(&dir);
            std::fs::create_dir(&dir).unwrap();
        }
        let entries = module::all();
        let mut index = "# Modules and actions\n\n<!-- Written by a test from what the code says of itself: FANFARE_BLESS=1 \
                         cargo test pages_are_fresh -->\n\n"
            .to_owned();
        for entry in &entries {
            let _ = writeln!(index, "- [{0}]({0}.md): {1}", entry.name(), entry.summary());
        }
        let pages = entries.iter().map(|entry| (entry.name().to_owned(), entry.markdown()));
        let mut expected: Vec<(String, String)> = pages.chain([("README".to_owned(), index)]).collect();
        expected.sort();
        if bless {
            for (name, page) in &expected {
                std::fs::write(dir.join(format!("{name}.md")), page).unwrap();
            }
        }
        let mut found: Vec<_> = std::fs::read_dir(&dir).map_or_else(
            |_| Vec::new(),
            |files| files.map(|file| file.unwrap().file_name().to_string_lossy().into_owned()).collect(),
        );
        found.sort();
        let names: Vec<_> = expected.iter().map(|(name, _)| format!("{name}.md")).collect();
        assert!(found == names, "docs/modules/ is stale: run this test with FANFARE_BLESS=1");
        for (name, page) in expected {
            let written = std::fs::read_to_string(dir.join(format!("{name}.md"))).unwrap();
            assert!(written == page, "docs/modules/{name}.md is stale: run this test with FANFARE_BLESS=1");
        }
    }

    #[test]
    fn a_page() {
        insta::assert_snapshot!(show(DocTopic::Module, &["ansible.builtin.ping"], DocFormat::Page));
        insta::assert_snapshot!(show(DocTopic::Keyword, &["when"], DocFormat::Page));
        insta::assert_snapshot!(show(DocTopic::Module, &["ping"], DocFormat::Snippet));
    }

    #[test]
    fn unknown_names() {
        let text = show(DocTopic::Module, &["pign"], DocFormat::Page);
        assert!(
            text.contains("there is no module \"pign\"") && text.contains("did you mean ping?"),
            "{text}"
        );
    }
}
