//! `loop`, `with_…`, `loop_control`.

use super::Loader;
use super::fields::{Field, Fields, setting_of};
use crate::diagnostic::{Diagnostic, Result};
use crate::nearest::nearest;
use crate::playbook::keyword::Object;
use crate::playbook::{Loop, LoopControl};
use crate::template::lookups;

/// The lookup's name in `with_<lookup>`.
pub(super) fn lookup_of(name: &str) -> Option<&str> {
    name.strip_prefix("with_")
}

/// The task's loop; two are an error.
pub(super) fn repeat(fields: &Fields<'_>) -> Result<Option<Loop>> {
    let mut found: Option<(Field<'_>, Loop)> = None;
    for field in &fields.all {
        let lookup = match (field.name, lookup_of(field.name)) {
            ("loop", _) if field.value.is_null() => continue,
            ("loop", _) => None,
            (_, Some(lookup)) => Some(known_lookup(lookup, field)?),
            _ => continue,
        };
        if let Some((first, _)) = found {
            return Err(Diagnostic::new(format!("duplicate loop in task: {}", field.name))
                .at(&field.key.place)
                .note(format!("the first one is {}", first.name), Some(first.key.place.clone())));
        }
        if field.value.is_null() {
            return Err(Diagnostic::new(format!("you must specify a value when using {}", field.name))
                .at(&field.key.place));
        }
        found = Some((*field, Loop { lookup, items: setting_of(field.value) }));
    }
    Ok(found.map(|(_, repeat)| repeat))
}

impl Loader {
    pub(super) fn loop_control(&self, fields: &Fields<'_>) -> Result<LoopControl> {
        let Some(field) = fields.get("loop_control").filter(|field| !field.value.is_null()) else {
            return Ok(LoopControl::default());
        };
        if field.value.as_map().is_none() {
            return Err(Diagnostic::new(
                "the `loop_control` value must be specified as a dictionary and cannot be a variable itself \
                 (though it can contain variables)",
            )
            .at(&field.value.place));
        }
        let inner = Fields::of(field.value, "loop_control")?;
        inner.check(Object::LoopControl)?;
        let setting = |name| inner.setting(name, Object::LoopControl);
        let break_when =
            inner.get("break_when").map(|field| field.conditions()).transpose()?.unwrap_or_default();
        self.warn_of_marks(&break_when);
        Ok(LoopControl {
            loop_var: setting("loop_var")?,
            index_var: setting("index_var")?,
            label: setting("label")?,
            pause: setting("pause").or_else(|error| self.refuse(error))?,
            extended: setting("extended")?,
            extended_allitems: setting("extended_allitems")?,
            break_when,
        })
    }
}

fn known_lookup(name: &str, field: &Field<'_>) -> Result<String> {
    // A lookup of a collection may be there for Ansible: that it is not here is told when its turn comes.
    if lookups::find(name).is_some() || (name.matches('.').count() > 1 && !name.starts_with("ansible.")) {
        return Ok(name.to_owned());
    }
    let error =
        Diagnostic::new(format!("'{}' is not a valid attribute for a Task", field.name)).at(&field.key.place);
    Err(match nearest(name, lookups::names()) {
        Some(right) => error.hint(format!("did you mean 'with_{right}'?")),
        None => error.hint(format!("there is no lookup '{name}' to loop with")),
    })
}
