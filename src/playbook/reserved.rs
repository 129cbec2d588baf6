//! Names that variables had better not have: those of keywords and of the functions of templates.

use super::keyword::{Object, find};
use crate::diagnostic::{Diagnostic, Place};
use crate::template;

/// The warning for a variable that is called like a keyword or a function; `None` for any other name.
pub fn warning(name: &str, place: Option<&Place>) -> Option<Diagnostic> {
    if !is_reserved(name) {
        return None;
    }
    let warning = Diagnostic::new(format!("Found variable using reserved name '{name}'."))
        .hint("another name keeps it apart from the keyword or function of that name");
    Some(match place {
        Some(place) => warning.at(place),
        None => warning,
    })
}

fn is_reserved(name: &str) -> bool {
    const WELCOME: [&str; 4] = ["gather_subset", "role", "user", "vars"];
    const STEPS: [Object; 4] = [Object::Play, Object::Role, Object::Block, Object::Task];
    let is_keyword = find(name).is_some_and(|keyword| STEPS.iter().any(|object| keyword.on.has(*object)));
    (is_keyword && !WELCOME.contains(&name)) || (name != "self" && template::is_function(name))
}

#[cfg(test)]
mod tests {
    use super::is_reserved;

    /// Each as ansible-core 2.21 has it.
    #[test]
    fn names() {
        for name in ["when", "hosts", "query", "omit", "namespace", "loop", "action", "timeout"] {
            assert!(is_reserved(name), "{name}");
        }
        for name in ["vars", "item", "groups", "self", "user", "port_", "listen", "loop_var", "hostvars"] {
            assert!(!is_reserved(name), "{name}");
        }
    }
}
