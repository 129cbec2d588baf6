//! `encrypt_string`: values as YAML to paste.

use std::io::{self, IsTerminal};

use super::files::Access;
use super::{Locker, Stop, files};
use crate::cli::Text;
use crate::config::ask;
use crate::diagnostic::{Diagnostic, Result};
use crate::output;

/// A value to encrypt.
pub(super) struct Value {
    name: Option<String>,
    text: Vec<u8>,
    /// How it was given, for people.
    origin: &'static str,
}

const COMMAND_LINE: &str = "the command line args";

/// The values, those of the prompt and stdin first.
pub(super) fn values(given: Text) -> Result<Vec<Value>, Stop> {
    let Text { texts, names, prompt, show_input, stdin_name } = given;
    let mut values = Vec::new();
    let mut names = names.into_iter();
    let wants_stdin = texts.iter().any(|text| text == "-") || stdin_name.is_some();
    if prompt {
        values.push(asked(names.next(), show_input)?);
    }
    if wants_stdin || (texts.is_empty() && !prompt) {
        let text = files::Text::Streams.read()?;
        values.push(Value { name: stdin_name, text, origin: "stdin" });
    }
    let texts: Vec<String> = texts.into_iter().filter(|text| text != "-").collect();
    if names.len() > 0 && names.len() != texts.len() {
        output::note("The number of --name options do not match the number of args.")?;
        if let Some(last) = names.as_slice().last() {
            output::note(&format!(
                "The last named variable will be \"{last}\". The rest will not have names."
            ))?;
        }
    }
    let typed = texts.into_iter().map(|text| (names.next(), text));
    values.extend(typed.map(|(name, text)| Value { name, text: text.into_bytes(), origin: COMMAND_LINE }));
    match values.iter().find(|value| value.text.is_empty()) {
        Some(Value { origin: "stdin", .. }) => Err(Stop::misuse("stdin was empty, not encrypting")),
        Some(Value { origin, .. }) => {
            Err(Stop::misuse(format!("The plaintext provided from {origin} was empty, not encrypting")))
        }
        None => Ok(values),
    }
}

fn asked(name: Option<String>, show_input: bool) -> Result<Value> {
    let name = match name {
        Some(name) => Some(name),
        None => Some(line("Variable name (enter for no name): ")?).filter(|name| !name.is_empty()),
    };
    let text = if show_input { line("String to encrypt: ")? } else { ask("String to encrypt (hidden): ")? };
    Ok(Value { name, text: text.into_bytes(), origin: "the prompt" })
}

/// A line that may be seen.
fn line(question: &str) -> Result<String> {
    if !io::stdin().is_terminal() {
        return Err(Diagnostic::new("there is no terminal to ask on"));
    }
    output::ask(question)?;
    let mut answer = String::new();
    io::stdin()
        .read_line(&mut answer)
        .map_err(|error| Diagnostic::new(format!("cannot read the answer: {error}")))?;
    Ok(answer.trim_end_matches(['\r', '\n']).to_owned())
}

/// Writes them encrypted; where there are several, stderr tells which is which.
pub(super) fn encrypt(values: &[Value], locker: &Locker, to: files::Text) -> Result<()> {
    let mut all = Vec::new();
    for (index, value) in values.iter().enumerate() {
        if values.len() > 1 {
            let (number, origin) = (index + 1, value.origin);
            output::note(&match &value.name {
                Some(name) => {
                    format!(
                        "# The encrypted version of variable (\"{name}\", the string #{number} from {origin})."
                    )
                }
                None => format!("# The encrypted version of the string #{number} from {origin}."),
            })?;
        }
        let lead = value.name.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
        let sealed = locker.seal(&value.text)?;
        let lines: Vec<String> = sealed.lines().map(|line| format!("          {line}\n")).collect();
        all.push(format!("{lead}!vault |\n{}", lines.concat()));
    }
    to.write(all.concat().as_bytes(), Access::Private)
}
