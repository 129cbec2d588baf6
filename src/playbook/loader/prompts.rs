//! `vars_prompt`.

use super::fields::{Fields, setting_of};
use crate::diagnostic::{Diagnostic, Result};
use crate::nearest::nearest;
use crate::playbook::{Prompt, Setting};

const KEYS: [&str; 9] =
    ["name", "prompt", "default", "private", "confirm", "encrypt", "salt_size", "salt", "unsafe"];

/// The questions of a play.
pub(super) fn prompts(fields: &Fields<'_>) -> Result<Vec<Prompt>> {
    let Some(field) = fields.get("vars_prompt").filter(|field| !field.value.is_null()) else {
        return Ok(Vec::new());
    };
    let mut prompts = Vec::new();
    for item in field.items() {
        if item.as_map().is_none() {
            let message = format!(
                "Invalid vars_prompt data structure, expected a dictionary but got {}",
                item.describe()
            );
            return Err(Diagnostic::new(message).at(&item.place));
        }
        let keys = Fields::of(item, "vars_prompt")?;
        let setting = |name: &str| -> Option<Setting> {
            keys.get(name).filter(|key| !key.value.is_null()).map(|key| setting_of(key.value))
        };
        let name = setting("name").ok_or_else(|| {
            Diagnostic::new("Invalid vars_prompt data structure, missing 'name' key").at(&item.place)
        })?;
        for key in &keys.all {
            if !KEYS.contains(&key.name) {
                let message =
                    format!("Invalid vars_prompt data structure, found unsupported key '{}'", key.name);
                let error = Diagnostic::new(message).at(&key.key.place);
                return Err(match nearest(key.name, KEYS) {
                    Some(right) => error.hint(format!("did you mean '{right}'?")),
                    None => error,
                });
            }
        }
        prompts.push(Prompt {
            name,
            prompt: setting("prompt"),
            default: setting("default"),
            private: setting("private"),
            confirm: setting("confirm"),
            encrypt: setting("encrypt"),
            salt_size: setting("salt_size"),
            salt: setting("salt"),
            is_unsafe: setting("unsafe"),
        });
    }
    Ok(prompts)
}
