//! `import_tasks` and `import_role`: in place before anything runs.

use std::sync::Arc;

use super::around::Around;
use super::called::Called;
use super::fields::{Field, Fields};
use super::options::{GivenOption, Options};
use super::repeat::lookup_of;
use super::role::{From, RoleUse};
use super::search::Manner;
use super::task::{check_keywords, flag, register, without_effect};
use super::{Found, Loader};
use crate::diagnostic::{Diagnostic, Result};
use crate::nearest::nearest;
use crate::playbook::keyword::Object;
use crate::playbook::{Node, Setting};

/// Keywords that speak of a task's result, of which an import has none.
const OF_RESULTS: [&str; 7] =
    ["changed_when", "failed_when", "register", "until", "retries", "delay", "loop_control"];

pub(super) const ROLE_OPTIONS: [&str; 9] = [
    "name",
    "role",
    "tasks_from",
    "vars_from",
    "defaults_from",
    "handlers_from",
    "allow_duplicates",
    "public",
    "rolespec_validate",
];

impl Loader {
    pub(super) fn import_tasks(
        &self,
        fields: &Fields<'_>,
        called: &Called<'_>,
        around: &Around,
        found: &mut Found,
        nodes: &mut Vec<Node>,
    ) -> Result<()> {
        let inside = self.inside_import(fields, called, around)?;
        let options = Self::options(called, fields)?;
        check_options(called, &options, &["file", "_raw_params"])?;
        let file = file_option(called, &options)?;
        let name = self.static_name(&inside, file)?;
        let path = self.find_tasks(&name, Manner::Import, around, &file.node.place)?;
        if around.imports.contains(&path) {
            return Err(Diagnostic::new(format!("import_tasks: '{name}' imports itself"))
                .at(&file.node.place)
                .hint("use include_tasks, with a condition that ends the recursion"));
        }
        let Some(list) = self.file(&path).map_err(|error| error.at(&file.node.place))? else { return Ok(()) };
        let imports = around.imports.iter().cloned().chain([path]).collect();
        nodes.extend(self.nodes(&list, "a file of tasks", &Around { imports, ..inside }, found)?);
        Ok(())
    }

    pub(super) fn import_role(
        &self,
        fields: &Fields<'_>,
        called: &Called<'_>,
        around: &Around,
        found: &mut Found,
        nodes: &mut Vec<Node>,
    ) -> Result<()> {
        if around.is_handler {
            return Err(
                Diagnostic::new("Using 'import_role' as a handler is not supported.").at(called.place)
            );
        }
        let inside = self.inside_import(fields, called, around)?;
        let options = Self::options(called, fields)?;
        check_options(called, &options, &ROLE_OPTIONS)?;
        let name = role_option(called, &options)?;
        let text =
            |option: &str| options.get(option).map(|given| self.static_name(&inside, given)).transpose();
        let from = From {
            tasks: text("tasks_from")?,
            vars: text("vars_from")?,
            defaults: text("defaults_from")?,
            handlers: text("handlers_from")?,
        };
        let is = |option: &str, default| options.get(option).map_or(Ok(default), |given| flag(given, option));
        let is_public = is("public", self.options.private_role_vars != Some(true))?;
        let role = RoleUse {
            name: self.static_name(&inside, name)?,
            place: name.node.place.clone(),
            identity: identity(fields),
            from,
            params: Arc::default(),
            allow_duplicates: Some(is("allow_duplicates", true)?),
            is_dependency: false,
            is_validated: is("rolespec_validate", true)?,
        };
        let (role, tasks) = self.use_role(&role, &inside, around.role.clone(), found)?;
        nodes.extend(tasks);
        if is_public {
            found.expose(&role);
        }
        Ok(())
    }

    /// Checks the keys of an import and lays its keywords over those around.
    fn inside_import(&self, fields: &Fields<'_>, called: &Called<'_>, around: &Around) -> Result<Around> {
        let is_loop = |field: &&Field<'_>| {
            (field.name == "loop" && !field.value.is_null()) || lookup_of(field.name).is_some()
        };
        if let Some(field) = fields.all.iter().find(is_loop) {
            let dynamic = called.name.replace("import", "include");
            return Err(Diagnostic::new(format!(
                "You cannot use loops on '{}' statements. You should use '{dynamic}' instead.",
                called.written
            ))
            .at(&field.key.place));
        }
        let object = if around.is_handler { Object::Handler } else { Object::Task };
        check_keywords(fields, called, object, around.is_handler)?;
        register(fields)?;
        self.loop_control(fields)?;
        without_effect(self, &fields.all, &OF_RESULTS, &called.written);
        self.inside(around, fields)
    }

    /// A name that static imports need now.
    fn static_name(&self, around: &Around, option: &GivenOption<'_>) -> Result<String> {
        let setting = Setting::new(option.value.clone(), option.node.place.clone());
        self.render_text(around, &setting).map_err(|error| {
            error.context(format!("Error when evaluating variable in import path '{}'", option.value)).hint(
                "static imports can only use vars of the play, its vars_files, roles and the command line; \
                 include_tasks and include_role can use facts and inventory too",
            )
        })
    }
}

/// What tells uses of a role by tasks apart from each other, and from those under `roles:`.
pub(super) fn identity(fields: &Fields<'_>) -> String {
    let vars = fields.get("vars").map(|field| format!(" vars={:?}", field.value.to_value()));
    format!("by task{}", vars.unwrap_or_default())
}

pub(super) fn check_options(called: &Called<'_>, options: &Options<'_>, known: &[&str]) -> Result<()> {
    if let Some(computed) = &options.computed {
        return Err(Diagnostic::new(format!("computed `args` for {} are not supported yet", called.written))
            .at(&computed.place));
    }
    let Some(strange) = options.all.iter().find(|option| !known.contains(&option.name.as_str())) else {
        return Ok(());
    };
    let error =
        Diagnostic::new(format!("Invalid options for {}: {}", called.written, strange.name)).at(strange.key);
    let shown = || known.iter().copied().filter(|name| !name.starts_with('_'));
    Err(match nearest(&strange.name, shown()) {
        Some(right) => error.hint(format!("did you mean '{right}'?")),
        None => error.hint(format!("it takes {}", shown().collect::<Vec<_>>().join(", "))),
    })
}

pub(super) fn file_option<'o, 'a>(
    called: &Called<'_>,
    options: &'o Options<'a>,
) -> Result<&'o GivenOption<'a>> {
    options
        .get("_raw_params")
        .or(options.get("file"))
        .filter(|option| !option.value.is_none())
        .ok_or_else(|| Diagnostic::new(format!("No file specified for {}", called.written)).at(called.place))
}

pub(super) fn role_option<'o, 'a>(
    called: &Called<'_>,
    options: &'o Options<'a>,
) -> Result<&'o GivenOption<'a>> {
    options.get("name").or(options.get("role")).filter(|option| !option.value.is_none()).ok_or_else(|| {
        Diagnostic::new(format!("'name' is a required field for {}.", called.written)).at(called.place)
    })
}
