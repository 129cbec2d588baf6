//! How hosts are reached: what keywords, connection variables and the command line come to for one host.

use std::sync::Arc;
use std::time::Duration;

use super::options::RunOptions;
use super::settings::{hop, text, truth, variable, variable_text};
use crate::config::ConnectionKind;
use crate::diagnostic::{Diagnostic, Result};
use crate::playbook::Keywords;
use crate::target::programs::{Kind, Part};
use crate::target::{Answers, Destination, Program, Secret, Shell, SshOptions, Transport};
use crate::template::Context;

/// Works out where a task runs for a host: variables win over keywords, keywords over the command line.
///
/// `context` renders with the variables of the host that is connected to, which `delegate_to` may change.
pub(super) fn destination(
    host: &Arc<str>,
    keywords: &Keywords,
    defaults: &RunOptions,
    implicit_local: bool,
    context: &Context<'_>,
) -> Result<Destination> {
    let place = |error: Diagnostic| match &keywords.connection {
        Some(setting) => error.at(&setting.place),
        None => error,
    };
    let kind = match variable_text(&["ansible_connection"], context)? {
        Some(connection) => connection.parse().map_err(place)?,
        None if implicit_local => ConnectionKind::Local,
        None => match text(keywords.connection.as_ref(), context)? {
            Some(connection) => connection.parse().map_err(place)?,
            None => defaults.connection.kind,
        },
    };
    let transport = match kind {
        ConnectionKind::Local => Transport::Local,
        ConnectionKind::Ssh => Transport::Ssh(ssh_options(host, keywords, defaults, context)?),
        ConnectionKind::OpenSsh => {
            let options = ssh_options(host, keywords, defaults, context)?;
            Transport::Program(openssh(&options, &defaults.connection.ssh_executable, context)?)
        }
        ConnectionKind::Program(kind) => {
            Transport::Program(program(kind, host, keywords, defaults, context)?)
        }
    };
    Ok(Destination {
        name: host.clone(),
        transport,
        hop: hop(keywords, defaults, context)?,
        remote_tmp: variable_text(&["ansible_remote_tmp"], context)?
            .or_else(|| defaults.connection.remote_tmp.clone()),
        traceless: !defaults.connection.worker_cache,
    })
}

fn no_port(name: &str, given: &str) -> Diagnostic {
    Diagnostic::new(format!("{name}: '{given}' is no port: that is a number from 1 to 65535"))
}

fn ssh_options(
    host: &Arc<str>,
    keywords: &Keywords,
    defaults: &RunOptions,
    context: &Context<'_>,
) -> Result<SshOptions> {
    let port = match variable_text(&["ansible_port", "ansible_ssh_port"], context)? {
        Some(port) => Some(port.parse().map_err(|_| no_port("ansible_port", &port))?),
        None => match text(keywords.port.as_ref(), context)? {
            Some(port) => Some(port.parse().map_err(|_| no_port("port", &port))?),
            None => defaults.connection.port,
        },
    };
    let user = remote_user(&["ansible_user", "ansible_ssh_user"], keywords, defaults, context)?;
    let connection = &defaults.connection;
    let mut args = Vec::new();
    for (name, default) in [
        ("ansible_ssh_args", &connection.ssh_args),
        ("ansible_ssh_common_args", &connection.ssh_common_args),
        ("ansible_ssh_extra_args", &connection.ssh_extra_args),
    ] {
        let text = variable_text(&[name], context)?.unwrap_or_else(|| default.clone());
        args.extend(Some(text).filter(|text| !text.is_empty()));
    }
    let timeout =
        match variable_text(&["ansible_ssh_timeout", "ansible_timeout"], context)? {
            Some(seconds) => Duration::from_secs(seconds.parse().map_err(|_| {
                Diagnostic::new(format!("ansible_timeout: '{seconds}' is no number of seconds"))
            })?),
            None => connection.timeout,
        };
    let checking = variable(&["ansible_ssh_host_key_checking", "ansible_host_key_checking"], context)?;
    let key = variable_text(&["ansible_private_key_file", "ansible_ssh_private_key_file"], context)?;
    let mut password = None;
    for name in ["ansible_password", "ansible_ssh_pass", "ansible_ssh_password"] {
        // What was asked for is `ansible_password` where the user's variables say nothing: any of them wins over it.
        let asked = |text: &String| connection.password.as_ref().is_some_and(|asked| asked.expose() == text);
        password = password.or(variable_text(&[name], context)?.filter(|text| !asked(text)));
    }
    let retries = match variable_text(&["ansible_ssh_retries"], context)? {
        Some(count) => count
            .parse()
            .map_err(|_| Diagnostic::new(format!("ansible_ssh_retries: '{count}' is no number")))?,
        None => connection.retries,
    };
    let secret = |names: &[&str], default: &Option<Secret>| -> Result<Option<Secret>> {
        Ok(variable_text(names, context)?.map(Secret::new).or_else(|| default.clone()))
    };
    if variable_text(&["ansible_ssh_pkcs11_provider"], context)?.is_some() {
        return Err(Diagnostic::new("ansible_ssh_pkcs11_provider: keys on a PKCS#11 card are not supported")
            .hint("add the card to ssh-agent: ssh-add -s PROVIDER"));
    }
    Ok(SshOptions {
        host: variable_text(&["ansible_host", "ansible_ssh_host"], context)?
            .unwrap_or_else(|| host.to_string()),
        port,
        user,
        password: password.map(Secret::new).or_else(|| connection.password.clone()),
        key: secret(&["ansible_private_key", "ansible_ssh_private_key"], &connection.key)?,
        passphrase: secret(
            &["ansible_private_key_passphrase", "ansible_ssh_private_key_passphrase"],
            &connection.passphrase,
        )?,
        private_key: key
            .map(|path| crate::path::expand_home(&path))
            .or_else(|| connection.private_key.clone()),
        args,
        host_key_checking: Some(checking.as_ref().and_then(truth).unwrap_or(connection.host_key_checking)),
        connect_timeout: Some(timeout),
        retries,
    })
}

fn remote_user(
    names: &[&str],
    keywords: &Keywords,
    defaults: &RunOptions,
    context: &Context<'_>,
) -> Result<Option<String>> {
    match variable_text(names, context)? {
        Some(user) => Ok(Some(user)),
        None => {
            Ok(text(keywords.remote_user.as_ref(), context)?.or_else(|| defaults.connection.user.clone()))
        }
    }
}

/// The call of the system's `ssh`: for what only that can do (GSSAPI, keys in hardware).
fn openssh(options: &SshOptions, executable: &str, context: &Context<'_>) -> Result<Program> {
    if options.key.is_some() {
        return Err(Diagnostic::new("connection openssh: a key's text cannot be handed to the system's ssh")
            .hint("use `connection: ssh`, or a key file or an agent"));
    }
    let answers = Answers { password: options.password.clone(), passphrase: options.passphrase.clone() };
    let own = variable_text(&["ansible_ssh_executable"], context)?;
    let mut words = vec![own.unwrap_or_else(|| executable.to_owned())];
    for args in &options.args {
        words.extend(split("ansible_ssh_args", args)?);
    }
    let mut set = |option: &str, value: &str| words.extend(["-o".to_owned(), format!("{option}={value}")]);
    if answers.is_empty() {
        // Nobody is there to answer: a question would be waited for.
        set("BatchMode", "yes");
    } else {
        set("NumberOfPasswordPrompts", "1");
    }
    if options.host_key_checking == Some(false) {
        set("StrictHostKeyChecking", "no");
    }
    if let Some(port) = options.port {
        set("Port", &port.to_string());
    }
    if let Some(user) = &options.user {
        set("User", user);
    }
    if let Some(key) = &options.private_key {
        set("IdentityFile", &format!("\"{}\"", key.display()));
    }
    if let Some(timeout) = options.connect_timeout {
        set("ConnectTimeout", &timeout.as_secs().to_string());
    }
    if options.retries > 0 {
        set("ConnectionAttempts", &(options.retries + 1).to_string());
    }
    words.extend(["--".to_owned(), options.host.clone()]);
    Ok(Program { kind: "openssh", words, shell: Shell::Login, answers })
}

/// The call of a program that gives a shell elsewhere.
fn program(
    kind: &Kind,
    host: &Arc<str>,
    keywords: &Keywords,
    defaults: &RunOptions,
    context: &Context<'_>,
) -> Result<Program> {
    let mut words = Vec::new();
    for part in kind.words {
        match part {
            Part::Word(word) => words.push((*word).to_owned()),
            Part::Program(usual, names) => {
                words.push(variable_text(names, context)?.unwrap_or_else(|| (*usual).to_owned()));
            }
            Part::Words(names) => {
                if let Some(text) = variable_text(names, context)? {
                    words.extend(split(names.first().copied().unwrap_or_default(), &text)?);
                }
            }
            Part::Option(option, names) => {
                if let Some(value) = variable_text(names, context)? {
                    words.extend([(*option).to_owned(), value]);
                }
            }
            Part::User(option, names) => {
                if let Some(user) = remote_user(names, keywords, defaults, context)? {
                    words.extend([(*option).to_owned(), user]);
                }
            }
            Part::Target(names, remotes) => {
                let name = variable_text(names, context)?.unwrap_or_else(|| host.to_string());
                if name.starts_with('-') {
                    return Err(Diagnostic::new(format!(
                        "'{name}' is no name for {} to connect to",
                        kind.name
                    )));
                }
                words.push(match variable_text(remotes, context)? {
                    Some(remote) => format!("{remote}:{name}"),
                    None => name,
                });
            }
        }
    }
    Ok(Program { kind: kind.name, words, shell: Shell::Named, answers: Answers::default() })
}

/// The words of a variable, as a shell reads them.
fn split(name: &str, text: &str) -> Result<Vec<String>> {
    shlex::split(text).ok_or_else(|| Diagnostic::new(format!("{name}: unbalanced quotes in {text}")))
}
