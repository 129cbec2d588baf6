//! fanfare under Ansible's names, for what calls Ansible: `ansible-playbook site.yml` is `fanfare run site.yml`.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory, FromArgMatches, Parser};

use super::{Cli, WIDTH};
use crate::diagnostic::write_as_ansible;
use crate::vars::SPOKEN;

/// Ansible's programs and the subcommands that stand for them; ad hoc is none.
pub const SHIMS: [(&str, Option<&str>); 6] = [
    ("ansible", None),
    ("ansible-config", Some("config")),
    ("ansible-doc", Some("doc")),
    ("ansible-inventory", Some("inventory")),
    ("ansible-playbook", Some("run")),
    ("ansible-vault", Some("vault")),
];

/// Makes links to fanfare under Ansible's names
///
/// They are `ansible`, `ansible-playbook` and so on, for programs that call those:
///
///     fanfare install-shims ~/.local/lib/fanfare
///     PATH=~/.local/lib/fanfare:$PATH molecule test
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub struct InstallShimsArgs {
    /// The directory for the links; made when it is missing
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
}

impl Cli {
    /// Reads a command line, whatever name fanfare was called by. Ends the process on `--help`, `--version` and
    /// mistakes.
    pub fn of_process() -> Self {
        match Self::try_called(std::env::args_os().collect()) {
            Ok(cli) => {
                if cli.as_ansible {
                    // Whoever calls Ansible may look for its words.
                    write_as_ansible();
                }
                cli
            }
            Err(error) => error.exit(),
        }
    }

    fn try_called(mut args: Vec<OsString>) -> Result<Self, clap::Error> {
        let name = args.first().map(Path::new).and_then(Path::file_name).and_then(OsStr::to_str);
        let Some((name, subcommand)) = SHIMS.into_iter().find(|(shim, _)| Some(*shim) == name) else {
            return Self::try_parse_from(args);
        };
        let first = args.get(1).and_then(|word| word.to_str()).unwrap_or_default().to_owned();
        if first == "--version" {
            // Callers look for the version in brackets.
            let (major, minor, patch) = SPOKEN;
            let fanfare = env!("CARGO_PKG_VERSION");
            let version = format!("[core {major}.{minor}.{patch}]\n  fanfare {fanfare}");
            let command = Self::command().name(name).version(version);
            return command.try_get_matches_from(args).and_then(|matches| Self::from_arg_matches(&matches));
        }
        match subcommand {
            Some(subcommand) => {
                // Help and mistakes are told under the name that was called.
                if let Some(command) = Self::command().find_subcommand(subcommand) {
                    let command = command.clone().name(name).infer_long_args(true).max_term_width(WIDTH);
                    command.try_get_matches_from(&args)?;
                }
                args.insert(1, subcommand.into());
            }
            // A pattern that reads like a subcommand is none where it does not come first.
            None if Self::command().find_subcommand(&first).is_some() => {
                let pattern = args.remove(1);
                args.push(pattern);
            }
            None => {}
        }
        Ok(Self { as_ansible: true, ..Self::try_parse_from(args)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expect: &str) {
        let words = shlex::split(line).expect("words").into_iter().map(OsString::from).collect();
        let got = match Cli::try_called(words) {
            Ok(cli) => match (cli.command, cli.adhoc.pattern) {
                (Some(command), _) => {
                    format!("{command:?}").split(['(', ' ']).next().unwrap_or_default().to_owned()
                }
                (None, pattern) => format!("ad hoc on {}", pattern.unwrap_or_default()),
            },
            Err(error) => error.to_string().lines().next().unwrap_or_default().to_owned(),
        };
        assert_eq!(got, expect, "{line}");
    }

    #[test]
    fn names_choose_what_is_done() {
        check("/usr/bin/ansible-playbook -i x, site.yml", "Run");
        check("ansible-inventory --list", "Inventory");
        check("ansible-vault view x", "Vault");
        check("ansible-doc copy", "Doc");
        check("ansible-config dump --only-changed", "Config");
        check("ansible all -m ping", "ad hoc on all");
        check("ansible run -m ping", "ad hoc on run");
        check("fanfare run site.yml", "Run");
        check("ansible --version", "ansible [core 2.21.5]");
        let wrong = "error: unexpected argument '--zzz' found\n\n  tip: to pass '--zzz' as a value, use '-- --zzz'\n\nUsage: ansible-playbook [OPTIONS] <PLAYBOOK>...";
        let words = ["ansible-playbook", "--zzz"].map(OsString::from).to_vec();
        let told = Cli::try_called(words).expect_err("wrong").to_string();
        assert!(told.starts_with(wrong), "{told}");
        check("ansible-playbook --version", "ansible-playbook [core 2.21.5]");
    }
}
