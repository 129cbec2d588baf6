//! Rendering for the eye: names of tasks, where an error must not stop anything.

use std::fmt::{Display, Write};

use super::exec::Output;
use super::interp::{Interp, StackMark};
use super::{Context, ast, render_all};
use crate::diagnostic::{Diagnostic, Result};
use crate::value::Value;

/// Renders a value as text. What cannot be rendered shows as an error in its place, as in Ansible's headings, and
/// is given back besides.
pub fn render_shown(value: &Value, context: &Context<'_>) -> (String, Vec<Diagnostic>) {
    let _mark = StackMark::new();
    let mut shown = Shown::default();
    match value {
        Value::Template(template) => match template.unit() {
            Ok(unit) => {
                let mut interp = Interp::new(context, unit.clone());
                for statement in &unit.program.body {
                    match piece(&mut interp, statement).and_then(|piece| render_all(&piece, context)) {
                        Ok(Value::None | Value::Omit) => {}
                        Ok(piece) => shown.text.push_str(&piece.to_string()),
                        Err(error) => {
                            let may_go_on = error.is_undefined() && matches!(statement, ast::Stmt::Emit(_));
                            shown.error(error);
                            if !may_go_on {
                                shown.mark("template potentially truncated");
                                break;
                            }
                        }
                    }
                }
            }
            Err(error) => shown.error(error),
        },
        other => match render_all(other, context) {
            Ok(value) => shown.text = value.to_string(),
            Err(error) => shown.error(error),
        },
    }
    (shown.text, shown.errors)
}

/// What one statement puts out.
fn piece(interp: &mut Interp<'_>, statement: &ast::Stmt) -> Result<Value> {
    let mut out = Output::default();
    interp.exec(std::slice::from_ref(statement), &mut out)?;
    interp.joined(out)
}

#[derive(Default)]
struct Shown {
    text: String,
    errors: Vec<Diagnostic>,
    marks: usize,
}

impl Shown {
    fn error(&mut self, error: Diagnostic) {
        self.mark(&error);
        self.errors.push(error);
    }

    fn mark(&mut self, what: impl Display) {
        self.marks += 1;
        // Writing to a string cannot fail.
        let _ = write!(self.text, "<< error {} - {what} >>", self.marks);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::render_shown;
    use crate::template::{Context, Names, Template};
    use crate::value::Value;

    struct Nothing;

    impl Names for Nothing {
        fn get(&self, name: &str) -> Option<Value> {
            (name == "x").then(|| Value::from("X"))
        }

        fn names(&self) -> Vec<Arc<str>> {
            Vec::new()
        }
    }

    #[test]
    fn errors_show_in_their_place() {
        for (source, expected, errors) in [
            ("a {{ x }} b", "a X b", 0),
            (
                "{{ nope }} {{ x }} {{ nada }}",
                "<< error 1 - 'nope' is undefined >> X << error 2 - 'nada' is undefined >>",
                2,
            ),
            (
                "a {% if nope %}b{% endif %} c",
                "a << error 1 - 'nope' is undefined >><< error 2 - template potentially truncated >>",
                1,
            ),
            ("{{ none }}", "", 0),
        ] {
            let value = Value::Template(Arc::new(Template::new(source, None)));
            let (text, found) = render_shown(&value, &Context::new(&Nothing));
            assert_eq!((text.as_str(), found.len()), (expected, errors), "{source}");
        }
    }
}
