//! `vars_prompt`: variables that the operator is asked for before a play begins.

use std::io::IsTerminal;
use std::sync::Arc;

use super::event::Event;
use super::settings;
use super::shared::Shared;
use crate::diagnostic::{Diagnostic, Place, Result};
use crate::playbook::keyword::{invalid_name, is_variable_name};
use crate::playbook::{Play, Prompt};
use crate::template::{self, Context, Template};
use crate::value::Value;

/// A question, rendered.
struct Question {
    name: String,
    /// What is shown.
    text: String,
    default: Option<String>,
    private: bool,
    confirm: bool,
    /// How the answer is hashed.
    encrypt: Option<Encrypt>,
    /// The answer is no template, whatever it looks like.
    is_unsafe: bool,
    place: Place,
}

struct Encrypt {
    scheme: String,
    salt: Option<String>,
    salt_size: Option<usize>,
}

/// Asks for the variables that the command line does not give; the answers lie over the play's own variables.
pub(super) async fn ask(shared: &Shared, play: &mut Play, context: &Context<'_>) -> Result<()> {
    let questions =
        play.prompts.iter().map(|prompt| question(prompt, context)).collect::<Result<Vec<_>>>()?;
    let interactive = std::io::stdin().is_terminal();
    for question in questions {
        if shared.extra_vars.contains(question.name.as_str()) {
            continue;
        }
        let answer = if interactive { typed(shared, &question).await? } else { unasked(shared, &question) };
        let answer = match &question.encrypt {
            Some(encrypt) => encrypted(&answer, encrypt).map_err(|error| error.at(&question.place))?,
            None => answer,
        };
        let value = if !question.is_unsafe && interactive && Template::is_template(&answer) {
            Value::Template(Arc::new(Template::new(answer, Some(question.place.clone()))))
        } else {
            Value::from(answer)
        };
        Arc::make_mut(&mut play.vars).insert(question.name, value);
    }
    Ok(())
}

fn question(prompt: &Prompt, context: &Context<'_>) -> Result<Question> {
    let text = |setting| settings::text(setting, context);
    let name = text(Some(&prompt.name))?.unwrap_or_default();
    if !is_variable_name(&name) {
        return Err(invalid_name(&Value::from(name)).at(&prompt.name.place));
    }
    let default = match &prompt.default {
        Some(setting) => Some(settings::rendered(setting, context)?.to_string()),
        None => None,
    };
    let asked = text(prompt.prompt.as_ref())?.unwrap_or_else(|| name.clone());
    let encrypt = match text(prompt.encrypt.as_ref())? {
        Some(scheme) => {
            Some(Encrypt { scheme, salt: text(prompt.salt.as_ref())?, salt_size: size(prompt, context)? })
        }
        None => None,
    };
    Ok(Question {
        text: match &default {
            Some(default) => format!("{asked} [{default}]: "),
            None => format!("{asked}: "),
        },
        name,
        default,
        private: settings::flag(prompt.private.as_ref(), true, context)?,
        confirm: settings::flag(prompt.confirm.as_ref(), false, context)?,
        encrypt,
        is_unsafe: settings::flag(prompt.is_unsafe.as_ref(), false, context)?,
        place: prompt.name.place.clone(),
    })
}

fn size(prompt: &Prompt, context: &Context<'_>) -> Result<Option<usize>> {
    let Some(number) = settings::number(prompt.salt_size.as_ref(), context)? else { return Ok(None) };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the length of a salt")]
    Ok(Some(number.clamp(0.0, 1e3) as usize))
}

async fn typed(shared: &Shared, question: &Question) -> Result<String> {
    loop {
        let answer = shared.ask(question.text.clone(), !question.private).await?;
        if question.confirm
            && shared.ask(format!("confirm {}", question.text), !question.private).await? != answer
        {
            shared.emit(Event::Said { text: "***** VALUES ENTERED DO NOT MATCH ****".to_owned() });
            continue;
        }
        return Ok(match &question.default {
            Some(default) if answer.is_empty() => default.clone(),
            _ => answer,
        });
    }
}

/// Without a terminal the default is taken; where there is none, the text `None`, as in Ansible.
fn unasked(shared: &Shared, question: &Question) -> String {
    let warning = Diagnostic::new("Not prompting as we are not in interactive mode");
    if let Some(default) = &question.default {
        shared.warn(warning);
        return default.clone();
    }
    let name = &question.name;
    shared.warn(
        warning
            .at(&question.place)
            .hint(format!("'{name}' has no default and becomes the text None; give it with -e {name}=…")),
    );
    "None".to_owned()
}

fn encrypted(answer: &str, how: &Encrypt) -> Result<String> {
    template::hash_password(answer, &how.scheme, how.salt.as_deref(), how.salt_size)
}
