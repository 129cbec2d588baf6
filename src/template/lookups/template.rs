//! `template`: a template file, rendered.

use std::path::Path;
use std::sync::Arc;

use super::options::flag;
use super::search::{find, read, searched, text};
use crate::diagnostic::{Diagnostic, Place, Result, Source};
use crate::template::{Args, Context, LookupEntry, Names, Syntax, TemplateFile};
use crate::value::{Dict, Value};

pub(super) static ENTRY: LookupEntry = LookupEntry {
    name: "template",
    params: &[
        "convert_data",
        "template_vars",
        "jinja2_native",
        "variable_start_string",
        "variable_end_string",
        "comment_start_string",
        "comment_end_string",
        "trim_blocks",
        "lstrip_blocks",
    ],
    run: template,
};

fn template(terms: &[Value], args: &Args<'_>, context: &Context<'_>) -> Result<Vec<Value>> {
    terms.iter().map(|term| render(text(term)?, args, context)).collect()
}

fn render(name: &str, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    const WHERE: &[&str] = &["templates"];
    let path = find(context, WHERE, name).ok_or_else(|| {
        let error = Diagnostic::new(format!("the template file {name} could not be found for the lookup"));
        searched(error, context, WHERE, name)
    })?;
    if args.get("lstrip_blocks").is_some() {
        // As in Ansible: the module takes it, the lookup takes no notice.
        context.warn("the lookup 'template' has no option lstrip_blocks: only `#jinja2: lstrip_blocks: True` in the file sets it");
    }
    let content = read(&path)?;
    let (mut syntax, body) = Syntax::from_header(&content)?;
    adjust(&mut syntax, args);
    let names = Extended { names: context.names, extra: variables(name, &path, args)? };
    let mut directories = path.parent().map(Path::to_path_buf).into_iter().collect::<Vec<_>>();
    directories.extend(context.search_path().iter().cloned());
    let inner = Context::new(&names).with_search_path(directories);
    let source = Arc::new(Source { path: path.clone(), text: content.as_str().into(), secret: false });
    let line = if body.len() == content.len() { 1 } else { 2 };
    let place = Place { source, line, column: 1, length: 0 };
    let value = TemplateFile::parse(body, Some(&place), &syntax)?.value(&inner);
    for warning in inner.take_warnings() {
        context.warn(warning);
    }
    value
}

/// What the options say, unless the file's own first line says otherwise.
fn adjust(syntax: &mut Syntax, args: &Args<'_>) {
    let default = Syntax::default();
    let set = |mark: &mut String, default: &str, option: &str| {
        if let Some(given) = args.string(option)
            && mark == default
        {
            *mark = given.into_owned();
        }
    };
    set(&mut syntax.variable.0, &default.variable.0, "variable_start_string");
    set(&mut syntax.variable.1, &default.variable.1, "variable_end_string");
    set(&mut syntax.comment.0, &default.comment.0, "comment_start_string");
    set(&mut syntax.comment.1, &default.comment.1, "comment_end_string");
    syntax.trim_blocks &= flag(args, "trim_blocks", true);
}

/// The variables a template file sees besides those of the task.
fn variables(name: &str, path: &Path, args: &Args<'_>) -> Result<Dict> {
    let full = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let mut extra = Dict::from_iter([
        ("template_path", Value::from(name)),
        ("template_fullpath", full.to_string_lossy().into_owned().into()),
        ("template_host", host.into()),
    ]);
    match args.some("template_vars") {
        None => {}
        Some(Value::Dict(vars)) => extra.extend(vars.iter().map(|(key, value)| (key.clone(), value.clone()))),
        Some(other) => {
            return Err(Diagnostic::new(format!(
                "'template_vars' must be a dict, not {}",
                other.type_name()
            )));
        }
    }
    Ok(extra)
}

/// Variables over those of the task.
struct Extended<'a> {
    names: &'a dyn Names,
    extra: Dict,
}

impl Names for Extended<'_> {
    fn get(&self, name: &str) -> Option<Value> {
        match (self.extra.get(name), name) {
            (Some(value), _) => Some(value.clone()),
            (None, "ansible_managed") => {
                Some(self.names.get(name).unwrap_or_else(|| "Ansible managed".into()))
            }
            _ => self.names.get(name),
        }
    }

    fn may_look_up(&self) -> bool {
        self.names.may_look_up()
    }

    fn names(&self) -> Vec<Arc<str>> {
        let mut names = self.names.names();
        names.extend(self.extra.keys().filter_map(Value::as_str).map(Arc::from));
        names
    }
}
