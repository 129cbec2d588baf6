//! `become`: the ways to start the worker as another user, one row each.

use super::quote::quote;
use super::{CallError, Hop};

/// How a method is called and how it talks.
struct Method {
    name: &'static str,
    exe: &'static str,
    flags: &'static str,
    call: Call,
    asks: Asks,
    /// What it says, in lower case, when it refuses.
    refusals: &'static [(&'static str, Refusal)],
}

enum Call {
    /// `exe flags -u user sh -c …`: the command is words.
    Words,
    /// `exe flags user -c '…'`: the command is one word, run by the user's login shell.
    Login,
}

enum Asks {
    /// Takes the prompt as an option and reads from stdin; `-n` forbids to ask.
    Option { prompt: &'static str, stdin: &'static str, never: [&'static str; 2] },
    /// Prompts on the terminal, in whatever language.
    Terminal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    MissingPassword,
    WrongPassword,
    NeedsTerminal,
}

/// What those of sudo's kin say.
const SUDO_SAYS: &[(&str, Refusal)] = &[
    ("a password is required", Refusal::MissingPassword),
    ("password is required", Refusal::MissingPassword),
    ("incorrect password attempt", Refusal::WrongPassword),
    ("sorry, try again", Refusal::WrongPassword),
    ("you must have a tty", Refusal::NeedsTerminal),
    ("a terminal is required", Refusal::NeedsTerminal),
];

const METHODS: &[Method] = &[
    Method {
        name: "doas",
        exe: "doas",
        flags: "",
        call: Call::Words,
        asks: Asks::Terminal,
        refusals: &[
            ("authentication failed", Refusal::WrongPassword),
            ("authentication required", Refusal::MissingPassword),
            ("a tty is required", Refusal::NeedsTerminal),
        ],
    },
    Method {
        name: "dzdo",
        exe: "dzdo",
        flags: "-H -S -n",
        call: Call::Words,
        asks: Asks::Option { prompt: "-p", stdin: "-S", never: ["-n", "--non-interactive"] },
        refusals: SUDO_SAYS,
    },
    Method {
        name: "su",
        exe: "su",
        flags: "",
        call: Call::Login,
        asks: Asks::Terminal,
        refusals: &[
            ("authentication failure", Refusal::WrongPassword),
            ("incorrect password", Refusal::WrongPassword),
            ("must be run from a terminal", Refusal::NeedsTerminal),
        ],
    },
    Method {
        name: "sudo",
        exe: "sudo",
        flags: "-H -S -n",
        call: Call::Words,
        asks: Asks::Option { prompt: "-p", stdin: "-S", never: ["-n", "--non-interactive"] },
        refusals: SUDO_SAYS,
    },
];

/// The method of that name, without the collection it is of in Ansible.
pub fn short_name(name: &str) -> &str {
    ["ansible.builtin.", "community.general."].iter().find_map(|of| name.strip_prefix(of)).unwrap_or(name)
}

/// The methods there are.
pub fn methods() -> impl Iterator<Item = &'static str> {
    METHODS.iter().map(|method| method.name)
}

/// A command behind a hop, ready to be run by a login shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Command {
    pub text: String,
    pub prompt: Prompt,
    /// Whether it must run on a terminal.
    pub terminal: bool,
}

/// How to know that a password is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Prompt {
    Never,
    /// This text, on either stream.
    Exactly(String),
    /// Any unfinished line that ends in a colon.
    Colon,
    /// An unfinished line that ends in one of these, in small or large letters, with or without a colon.
    OneOf(Vec<String>),
}

/// `inner` (what a shell would run: `/bin/sh -c '…'`) behind the hop. `nonce` marks the prompt.
pub(super) fn command(hop: &Hop, inner: &str, nonce: &str) -> Result<Command, CallError> {
    let method = find(hop)?;
    let exe = hop.exe.as_deref().unwrap_or(method.exe);
    let mut flags: Vec<&str> = hop.flags.as_deref().unwrap_or(method.flags).split_whitespace().collect();
    let user = quote(&hop.user);
    let mut words = vec![exe];
    let marked = format!("[{} for fanfare, {nonce}] password:", method.name);
    let quoted = quote(&marked);
    let prompt = match (&method.asks, &hop.password) {
        (Asks::Option { prompt, stdin, never }, Some(_)) => {
            flags.retain(|flag| !never.contains(flag));
            words.extend(flags);
            if !words.contains(stdin) {
                words.push(stdin);
            }
            words.extend([*prompt, quoted.as_str()]);
            Prompt::Exactly(marked.clone())
        }
        (Asks::Option { prompt, .. }, None) => {
            // Marked all the same: with flags of the user's own it may ask, and would wait for ever.
            words.extend(flags);
            words.extend([*prompt, quoted.as_str()]);
            Prompt::Exactly(marked.clone())
        }
        (Asks::Terminal, _) => {
            words.extend(flags);
            if hop.prompts.is_empty() { Prompt::Colon } else { Prompt::OneOf(hop.prompts.clone()) }
        }
    };
    let inner_word;
    match method.call {
        Call::Words => words.extend(["-u", &user, inner]),
        Call::Login => {
            inner_word = quote(inner);
            words.extend([user.as_str(), "-c", &inner_word]);
        }
    }
    let terminal = matches!(method.asks, Asks::Terminal) && hop.password.is_some();
    let mut text = words.join(" ");
    if let Some(chdir) = &hop.chdir {
        text = format!("cd {} && {text}", quote(chdir));
    }
    Ok(Command { text, prompt, terminal })
}

/// What to tell the user about a hop that did not let us through, having said `text`.
pub(super) fn explain(hop: &Hop, text: &str) -> String {
    let name = &hop.method;
    match refusal(hop, text) {
        Some(Refusal::MissingPassword) => missing_password(hop),
        Some(Refusal::WrongPassword) => wrong_password(hop),
        _ if text.trim().is_empty() => format!("{name} to {} ended without a word", hop.user),
        _ => text.trim().to_owned(),
    }
}

/// The same as an error, where the hop ended with `code`.
pub(super) fn refused(hop: &Hop, text: &str, code: u32) -> CallError {
    let reason = explain(hop, text);
    match refusal(hop, text) {
        Some(Refusal::MissingPassword) => CallError::NoPassword { reason, code: Some(code) },
        _ => CallError::Refused { reason, code },
    }
}

pub(super) fn missing_password(hop: &Hop) -> String {
    format!("Missing {} password", hop.method)
}

pub(super) fn wrong_password(hop: &Hop) -> String {
    format!("Incorrect {} password", hop.method)
}

/// Whether the method said that it works on a terminal only.
pub(super) fn wants_terminal(hop: &Hop, text: &str) -> bool {
    refusal(hop, text) == Some(Refusal::NeedsTerminal)
}

fn refusal(hop: &Hop, text: &str) -> Option<Refusal> {
    let text = text.to_lowercase();
    let method = find(hop).ok()?;
    method.refusals.iter().find(|(said, _)| text.contains(said)).map(|(_, refusal)| *refusal)
}

fn find(hop: &Hop) -> Result<&'static Method, CallError> {
    METHODS.iter().find(|method| method.name == hop.method).ok_or_else(|| {
        let known = methods().collect::<Vec<_>>().join(", ");
        CallError::Failed(format!("become method {} is not supported (supported: {known})", hop.method))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Secret;

    fn hop(method: &str, user: &str, password: Option<&str>) -> Hop {
        Hop {
            method: method.to_owned(),
            user: user.to_owned(),
            password: password.map(Secret::new),
            exe: None,
            flags: None,
            chdir: None,
            prompts: Vec::new(),
            patience: None,
        }
    }

    #[test]
    fn commands() {
        fn check(hop: &Hop, expect: &str, prompt: bool, terminal: bool) {
            let command = command(hop, "/bin/sh -c 'x'", "n1").unwrap();
            assert_eq!((command.text.as_str(), command.terminal), (expect, terminal));
            assert_eq!(command.prompt != Prompt::Never, prompt, "{expect}");
        }
        let (plain, secret) = (hop("sudo", "root", None), hop("sudo", "web user", Some("pw")));
        check(
            &plain,
            "sudo -H -S -n -p '[sudo for fanfare, n1] password:' -u root /bin/sh -c 'x'",
            true,
            false,
        );
        check(
            &secret,
            "sudo -H -S -p '[sudo for fanfare, n1] password:' -u 'web user' /bin/sh -c 'x'",
            true,
            false,
        );
        let own = Hop { flags: Some("-E -n".into()), exe: Some("/opt/sudo".into()), ..secret };
        check(
            &own,
            "/opt/sudo -E -S -p '[sudo for fanfare, n1] password:' -u 'web user' /bin/sh -c 'x'",
            true,
            false,
        );
        check(&hop("su", "root", None), r#"su root -c '/bin/sh -c '"'"'x'"'"''"#, true, false);
        check(&hop("su", "bob", Some("pw")), r#"su bob -c '/bin/sh -c '"'"'x'"'"''"#, true, true);
        let long = Hop { flags: Some("--stdin --non-interactive".into()), ..own.clone() };
        let text = command(&long, "x", "n").unwrap().text;
        assert!(text.starts_with("/opt/sudo --stdin -S -p "), "{text}");
        let elsewhere = Hop { chdir: Some("/srv/a b".into()), ..hop("sudo", "root", None) };
        let text = command(&elsewhere, "x", "n").unwrap().text;
        assert!(text.starts_with("cd '/srv/a b' && sudo -H -S -n "), "{text}");
        let error = command(&hop("runas", "bob", None), "x", "n").unwrap_err().to_string();
        assert_eq!(error, "become method runas is not supported (supported: doas, dzdo, su, sudo)");
    }

    #[test]
    fn refusals_in_ansibles_words() {
        fn check(method: &str, said: &str, expect: &str) {
            assert_eq!(explain(&hop(method, "root", None), said), expect);
        }
        check("sudo", "sudo: a password is required\n", "Missing sudo password");
        check("sudo", "Sorry, try again.\nsudo: 1 incorrect password attempt\n", "Incorrect sudo password");
        check("sudo", "bob is not in the sudoers file.\n", "bob is not in the sudoers file.");
        check("sudo", "", "sudo to root ended without a word");
        check("su", "su: Authentication failure", "Incorrect su password");
        assert!(wants_terminal(&hop("sudo", "root", None), "sudo: sorry, you must have a tty to run sudo"));
        assert!(METHODS.is_sorted_by(|a, b| a.name < b.name));
    }
}
