use std::fmt::Write;

use super::dump::dump;
use super::{data, loader, told};
use crate::playbook::{Listing, list};
use crate::value::Dict;

/// Every wrong playbook of the corpus, with what is said about it.
#[test]
fn bad_playbooks() {
    let corpus = std::fs::read_to_string(data("bad.txt")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().canonicalize().unwrap();
    std::fs::write(root.join("inc.yml"), "- debug:\n").unwrap();
    std::fs::write(root.join("self.yml"), "- import_tasks: self.yml\n").unwrap();
    std::fs::write(root.join("ok.yml"), "- hosts: localhost\n").unwrap();
    let mut report = String::new();
    for case in corpus.split("=== ").skip(1) {
        let (name, text) = case.split_once('\n').unwrap();
        let path = root.join("p.yml");
        std::fs::write(&path, text).unwrap();
        let loader = loader(Dict::new());
        let outcome = match loader.playbook(&path) {
            Ok(_) => "ok".to_owned(),
            Err(error) => told(&error),
        };
        writeln!(report, "{name}: {outcome}").unwrap();
        for warning in loader.take_warnings() {
            writeln!(report, "  warning: {}", told(&warning)).unwrap();
        }
    }
    let hidden =
        report.replace(&root.display().to_string(), "ROOT").replace(&data("").display().to_string(), "DATA/");
    insta::assert_snapshot!(hidden);
}

/// What is listed of the good playbooks is what ansible-playbook lists (`tests/data/playbooks/oracle`).
#[test]
fn good_playbooks_are_listed_as_ansible_lists_them() {
    let words = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
    let (some, skipped) = (words("users,byhand,again"), words("base,web"));
    let tasks = Listing { tasks: true, ..Listing::default() };
    for book in ["site", "web", "more"] {
        let loader = loader(Dict::new());
        let playbook = loader
            .playbook(&data(&format!("good/{book}.yml")))
            .unwrap_or_else(|error| panic!("{}", told(&error)));
        for (ending, listing) in [
            ("all", Listing { tags: true, ..tasks }),
            ("some", Listing { only: &some, ..tasks }),
            ("skipped", Listing { skip: &skipped, ..tasks }),
            ("syntax", Listing::default()),
        ] {
            let ours = list(&loader, &playbook, &format!("{book}.yml"), &listing, &|_| Vec::new()).unwrap();
            let expect = std::fs::read_to_string(data(&format!("good/{book}.{ending}"))).unwrap();
            assert_eq!(steady(&ours), steady(&expect), "{book}.{ending}");
        }
    }
}

/// Ansible gives the tags of a play in no order.
fn steady(listing: &str) -> String {
    let line = |line: &str| match line.split_once("\tTAGS: [").filter(|_| line.starts_with("  play")) {
        Some((play, tags)) => {
            let mut tags: Vec<_> = tags.trim_end_matches(']').split(',').collect();
            tags.sort_unstable();
            format!("{play}\tTAGS: [{}]", tags.join(","))
        }
        None => line.to_owned(),
    };
    listing.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn good_playbook_in_full() {
    let loader = loader(Dict::new());
    let mut text = String::new();
    for book in ["site", "more"] {
        let playbook = loader.playbook(&data(&format!("good/{book}.yml"))).unwrap();
        writeln!(text, "# {book}.yml\n{}", dump(&playbook)).unwrap();
    }
    for warning in loader.take_warnings() {
        writeln!(text, "warning: {}", told(&warning)).unwrap();
    }
    insta::assert_snapshot!(text);
}
