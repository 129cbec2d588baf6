//! `ansible_ssh_common_args` and its siblings: the flags of `ssh` that make sense here.

use std::path::PathBuf;

use crate::target::ssh_config::{self, Source, Use, Values};

/// What the flags say besides options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flags {
    pub source: Source,
    /// What has no meaning here and is therefore without effect: for `-v`.
    pub notes: Vec<String>,
}

/// Reads the flags into `values`. Anything that would be ignored silently is an error.
pub(super) fn read(values: &mut Values, args: &[String]) -> Result<Flags, String> {
    let mut flags = Flags { source: Source::Standard, notes: Vec::new() };
    let mut words = Vec::new();
    for text in args {
        words
            .extend(shlex::split(text).ok_or_else(|| format!("unbalanced quotes in ssh arguments: {text}"))?);
    }
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let mut letters = word.strip_prefix('-').filter(|rest| !rest.is_empty()).ok_or_else(|| {
            format!("ssh argument `{word}` is not a flag; only options may stand in ansible_ssh_*_args")
        })?;
        while let Some(letter) = letters.chars().next() {
            letters = letters.get(letter.len_utf8()..).unwrap_or_default();
            if !"oiplJFb".contains(letter) {
                flags.switch(values, letter)?;
                continue;
            }
            let argument = if letters.is_empty() {
                words.next().ok_or_else(|| format!("ssh argument -{letter} needs a value"))?
            } else {
                letters.to_owned()
            };
            flags.option(values, letter, argument)?;
            break;
        }
    }
    Ok(flags)
}

impl Flags {
    fn option(&mut self, values: &mut Values, letter: char, argument: String) -> Result<(), String> {
        let key = match letter {
            'o' => return self.long(values, &argument),
            'F' => {
                self.source = match argument.as_str() {
                    "none" => Source::Nothing,
                    path => Source::File(PathBuf::from(path)),
                };
                return Ok(());
            }
            'i' => "identityfile",
            'p' => "port",
            'l' => "user",
            'J' => "proxyjump",
            _ => "bindaddress",
        };
        let usage = if letter == 'i' { Use::Accumulated } else { Use::Honoured };
        values.set(key, usage, vec![argument]);
        Ok(())
    }

    fn switch(&mut self, values: &mut Values, letter: char) -> Result<(), String> {
        let (key, value) = match letter {
            'C' => ("compression", "yes"),
            'A' => ("forwardagent", "yes"),
            'a' => ("forwardagent", "no"),
            '4' => ("addressfamily", "inet"),
            '6' => ("addressfamily", "inet6"),
            'q' | 'v' | 't' | 'T' | 'n' | 'x' | 'k' => {
                self.notes.push(format!("ssh argument -{letter} has no meaning here"));
                return Ok(());
            }
            _ => return Err(format!("ssh argument -{letter} is not supported")),
        };
        values.set(key, Use::Honoured, vec![value.to_owned()]);
        Ok(())
    }

    fn long(&mut self, values: &mut Values, text: &str) -> Result<(), String> {
        let (name, option) =
            ssh_config::option(text).map_err(|error| format!("ssh argument -o {text}: {error}"))?;
        match option.usage {
            Use::Meaningless => self.notes.push(format!("ssh option {name} has no meaning here")),
            Use::Unsupported => return Err(format!("ssh option {name} (-o {text}) is not supported")),
            usage => values.set(option.key, usage, option.words),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(args: &[&str]) -> Result<(Values, Flags), String> {
        let mut values = Values::default();
        let args: Vec<_> = args.iter().map(|&arg| arg.to_owned()).collect();
        let flags = read(&mut values, &args)?;
        Ok((values, flags))
    }

    #[test]
    fn flags() {
        fn check(args: &[&str], key: &str, expect: &[&str]) {
            let (values, _) = read_all(args).unwrap();
            assert_eq!(values.all(key), expect, "{args:?}");
        }
        check(&["-o Port=2222"], "port", &["2222"]);
        check(&["-oPort=2222 -p 22"], "port", &["2222"]);
        check(&["-p2200"], "port", &["2200"]);
        check(&["-o", "'User=bob'"], "user", &["bob"]);
        check(&["-o 'User=\"bob\"'"], "user", &["bob"]);
        check(&["-o \"StrictHostKeyChecking no\""], "stricthostkeychecking", &["no"]);
        check(&["-i ~/a -i b", "-o IdentityFile=c"], "identityfile", &["~/a", "b", "c"]);
        check(&["-J me@gate:2200,inner"], "proxyjump", &["me@gate:2200,inner"]);
        check(&["-o ProxyCommand='ssh -W %h:%p -q gate'"], "proxycommand", &["ssh -W %h:%p -q gate"]);
        check(&["-C4A"], "compression", &["yes"]);
        check(&["-C4A"], "forwardagent", &["yes"]);
        check(&["-CAp 5"], "port", &["5"]);
        check(&["-o UserKnownHostsFile=/dev/null"], "userknownhostsfile", &["/dev/null"]);
    }

    #[test]
    fn what_has_no_meaning_is_noted() {
        let (_, flags) = read_all(&["-C -o ControlMaster=auto -o ControlPersist=60s -q"]).unwrap();
        assert_eq!(
            flags.notes,
            [
                "ssh option ControlMaster has no meaning here",
                "ssh option ControlPersist has no meaning here",
                "ssh argument -q has no meaning here"
            ]
        );
        assert_eq!(read_all(&["-F none"]).unwrap().1.source, Source::Nothing);
        assert_eq!(read_all(&["-F /x/y"]).unwrap().1.source, Source::File("/x/y".into()));
    }

    #[test]
    fn everything_else_is_an_error() {
        fn check(arg: &str, expect: &str) {
            assert_eq!(read_all(&[arg]).unwrap_err(), expect);
        }
        check("-D 1080", "ssh argument -D is not supported");
        check("-o Prot=22", "ssh argument -o Prot=22: Bad configuration option: prot (did you mean port?)");
        check("-o SetEnv=A=b", "ssh option SetEnv (-o SetEnv=A=b) is not supported");
        check("-o Port", "ssh argument -o Port: missing argument to port");
        check("-p", "ssh argument -p needs a value");
        check("host", "ssh argument `host` is not a flag; only options may stand in ansible_ssh_*_args");
        check("-o 'x", "unbalanced quotes in ssh arguments: -o 'x");
    }
}
