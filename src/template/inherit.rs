//! Templates that use other templates: include, import, extends and blocks.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Context;
use super::ast::{Block, Expr};
use super::exec::Output;
use super::interp::{Interp, Unit};
use super::locate::Origin;
use super::objects::{Module, downcast};
use super::parse::parse_template;
use super::scope::Scope;
use super::syntax::Mode;
use super::syntax::Syntax;
use crate::diagnostic::{Diagnostic, Place, Result, Source};
use crate::value::{Undefined, Value};
use crate::vault;

impl Interp<'_> {
    /// Renders the template and the one it extends, and that one's, into one output.
    pub fn run_body(&mut self) -> Result<Output> {
        let mut out = Output::default();
        let first = Arc::clone(&self.unit);
        let mut unit = Arc::clone(&first);
        loop {
            self.learn_blocks(&unit);
            self.unit = Arc::clone(&unit);
            let result = self.exec(&unit.program.body, &mut out);
            self.silent = false;
            result?;
            match self.parent.take() {
                Some(parent) => unit = parent,
                None => break,
            }
        }
        self.unit = first;
        Ok(out)
    }

    fn learn_blocks(&mut self, unit: &Arc<Unit>) {
        for block in &unit.program.blocks {
            let definition = (Arc::clone(unit), Arc::clone(block));
            match self.blocks.iter_mut().find(|(name, _)| *name == block.name) {
                Some((_, definitions)) => definitions.push(definition),
                None => self.blocks.push((Arc::clone(&block.name), vec![definition])),
            }
        }
    }

    pub fn exec_block(&mut self, block: &Arc<Block>, out: &mut Output) -> Result<()> {
        if self.silent {
            return Ok(());
        }
        // A macro of an imported template may have blocks that this one has not.
        if !self.blocks.iter().any(|(known, _)| *known == block.name) {
            let definition = (Arc::clone(&self.unit), Arc::clone(block));
            self.blocks.push((Arc::clone(&block.name), vec![definition]));
        }
        let outside = (!block.scoped).then(|| Arc::clone(self.scope.outermost()));
        self.render_block(&block.name, 0, outside.as_ref(), out)
    }

    /// One definition of a block. `outside` is the scope it sees, when that is not the current one.
    fn render_block(
        &mut self,
        name: &Arc<str>,
        level: usize,
        outside: Option<&Arc<Scope>>,
        out: &mut Output,
    ) -> Result<()> {
        self.check_stack()?;
        let definition =
            self.blocks.iter().find(|(known, _)| known == name).and_then(|(_, all)| all.get(level)).cloned();
        let Some((unit, block)) = definition else {
            return Err(Diagnostic::new(format!("no block named '{name}'")));
        };
        if block.required {
            return Err(self.fault(Diagnostic::new(format!("Required block '{name}' not found")), block.span));
        }
        let inner = Scope::child(outside.unwrap_or(&self.scope));
        let outer = std::mem::replace(&mut self.scope, inner);
        let outer_unit = std::mem::replace(&mut self.unit, unit);
        self.in_blocks.push((Arc::clone(name), level));
        let result = self.exec(&block.body, out);
        self.in_blocks.pop();
        self.unit = outer_unit;
        self.scope = outer;
        result
    }

    /// `super()`.
    pub fn super_block(&mut self, expr: &Expr) -> Result<Value> {
        let Some((name, level)) = self.in_blocks.last().cloned() else { return Ok(Value::None) };
        let known = self.blocks.iter().find(|(known, _)| *known == name).map_or(0, |(_, all)| all.len());
        if level + 1 >= known {
            let missing = Undefined {
                message: format!("there is no parent block called '{name}'."),
                cause: None,
                within: None,
            };
            return Err(self.raise(&missing, expr));
        }
        let mut out = Output::default();
        self.render_block(&name, level + 1, None, &mut out)?;
        self.joined(out)
    }

    /// `self.name()`.
    pub fn block_again(&mut self, name: &Arc<str>, expr: &Expr) -> Result<Value> {
        if !self.blocks.iter().any(|(known, _)| known == name) {
            return Ok(Value::undefined(format!(
                "object of type 'TemplateReference' has no attribute '{name}'"
            )));
        }
        let mut out = Output::default();
        let outside = Arc::clone(self.scope.outermost());
        self.render_block(name, 0, Some(&outside), &mut out)
            .map_err(|error| self.placed(error, expr.span))?;
        self.joined(out)
    }

    pub fn exec_extends(&mut self, name: &Expr) -> Result<()> {
        if self.parent.is_some() {
            return Err(self.fault(Diagnostic::new("extended multiple times"), name.span));
        }
        self.parent = Some(self.load(name)?);
        self.silent = true;
        Ok(())
    }

    pub fn exec_include(
        &mut self,
        name: &Expr,
        ignore_missing: bool,
        with_context: bool,
        out: &mut Output,
    ) -> Result<()> {
        if self.silent {
            return Ok(());
        }
        let candidates = self.template_names(name)?;
        let Some(unit) = self.find(&candidates)? else {
            return if ignore_missing { Ok(()) } else { Err(self.not_found(&candidates, name)) };
        };
        let scope = if with_context { Scope::child(&self.scope) } else { Scope::root(false) };
        let mut inner = Interp::in_scope(self.cx, unit, scope);
        self.check_stack()?;
        let included = inner.run_body()?;
        out.push(inner.joined(included)?);
        // What was included may have defined macros that are in no scope of ours: nothing to keep.
        Ok(())
    }

    /// `import`: the template's names, and what it says.
    pub fn import(&mut self, name: &Expr, with_context: bool) -> Result<Value> {
        let unit = self.load(name)?;
        let scope = if with_context { Scope::child(&self.scope) } else { Scope::root(false) };
        self.check_stack()?;
        let mut inner = Interp::in_scope(self.cx, unit, Arc::clone(&scope));
        let said = inner.run_body()?;
        let body = inner.joined(said)?;
        self.kept.append(&mut inner.kept);
        self.kept.push(Arc::clone(&scope));
        Ok(Value::Object(Arc::new(Module { scope, body })))
    }

    pub fn exec_from_import(
        &mut self,
        name: &Expr,
        names: &[(Arc<str>, Arc<str>)],
        with_context: bool,
    ) -> Result<()> {
        let module = self.import(name, with_context)?;
        let from = self.template_names(name)?.join(", ");
        for (exported, binding) in names {
            let value = downcast::<Module>(&module).and_then(|module| module.scope.get_own(exported));
            let value = value.unwrap_or_else(|| {
                Value::undefined(format!(
                    "the template '{from}' does not export the requested name '{exported}'"
                ))
            });
            self.scope.set(binding, value);
        }
        Ok(())
    }

    fn load(&mut self, name: &Expr) -> Result<Arc<Unit>> {
        let candidates = self.template_names(name)?;
        self.find(&candidates)?.ok_or_else(|| self.not_found(&candidates, name))
    }

    fn not_found(&self, candidates: &[String], name: &Expr) -> Diagnostic {
        let places: Vec<String> = self.cx.search_path().iter().map(|dir| dir.display().to_string()).collect();
        let error = Diagnostic::new(format!(
            "'{}' not found in search path: '{}'",
            candidates.join("', '"),
            places.join("', '")
        ));
        self.fault(error, name.span)
    }

    fn template_names(&mut self, expr: &Expr) -> Result<Vec<String>> {
        let value = self.eval(expr)?;
        let value = self.defined(value, expr)?;
        let value = super::resolve_deep(&value, self.cx)?;
        match &value {
            Value::Str(name) => Ok(vec![name.to_string()]),
            Value::List(names) | Value::Tuple(names) => Ok(names.iter().map(ToString::to_string).collect()),
            other => {
                let error = format!("the name of a template must be a string, not {}", other.type_name());
                Err(self.fault(Diagnostic::new(error), expr.span))
            }
        }
    }

    /// The first of the templates that is there.
    fn find(&self, candidates: &[String]) -> Result<Option<Arc<Unit>>> {
        let mode = match self.unit.mode {
            Mode::Expression => Mode::Value,
            mode => mode,
        };
        candidates
            .iter()
            .find_map(|name| find_file(name, self.cx))
            .map(|path| {
                let unreadable =
                    |why: String| Diagnostic::new(format!("cannot read {}: {why}", path.display()));
                let bytes = std::fs::read(&path).map_err(|error| unreadable(error.to_string()))?;
                let plain = vault::open(&path, bytes)?;
                let text = String::from_utf8(plain.content)
                    .map_err(|_| unreadable("it is not UTF-8 text".to_owned()))?;
                load_file(&path, &text, plain.secret, &self.unit.syntax, mode)
            })
            .transpose()
    }
}

/// A file on the search path; never one above it.
fn find_file(name: &str, cx: &Context<'_>) -> Option<PathBuf> {
    let path = Path::new(name);
    if path.is_absolute() {
        return path.is_file().then(|| path.to_owned());
    }
    cx.search_path().iter().map(|dir| dir.join(path)).find(|path| path.is_file())
}

fn load_file(path: &Path, text: &str, secret: bool, syntax: &Syntax, mode: Mode) -> Result<Arc<Unit>> {
    let source = Arc::new(Source { path: path.to_owned(), text: text.into(), secret });
    let place = Place { source, line: 1, column: 1, length: 0 };
    parse_unit(Arc::from(text), Some(place), syntax.clone(), mode)
}

/// Parses a template of any kind.
pub(super) fn parse_unit(
    source: Arc<str>,
    place: Option<Place>,
    syntax: Syntax,
    mode: Mode,
) -> Result<Arc<Unit>> {
    let origin = Origin { source, place };
    match parse_template(&origin.source, &syntax, mode) {
        Ok(program) => Ok(Arc::new(Unit { origin, program, mode, syntax })),
        Err(fault) => {
            let error = Diagnostic::new(format!("Syntax error in template: {}", fault.message));
            Err(match origin.place(fault.span) {
                Some(place) => error.at(&place),
                None => error,
            })
        }
    }
}
