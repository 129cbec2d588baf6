//! `include_tasks` and `include_role`: checked when loaded, brought in while running.

use std::path::PathBuf;
use std::sync::Arc;

use super::action::{Called, Options};
use super::around::Around;
use super::fields::Fields;
use super::import::{ROLE_OPTIONS, check_options, file_option, identity, role_option};
use super::merge::vars;
use super::role::{From, RoleUse};
use super::search::Manner;
use super::{Found, LoadedRole, LoadedTasks, Loader, RoleRequest};
use crate::diagnostic::{Diagnostic, Result};
use crate::playbook::keyword::Object;
use crate::playbook::{Include, Task};

impl Loader {
    /// What the included tasks will inherit: what is around the include, its vars, and `apply`. The other
    /// keywords of the include are its own. Gives back the options without `apply`.
    pub(super) fn include<'a>(
        &self,
        called: &Called<'_>,
        mut options: Options<'a>,
        fields: &Fields<'_>,
        around: &Around,
    ) -> Result<(Include, Options<'a>)> {
        if called.name == "include_role" {
            let known: Vec<_> = ROLE_OPTIONS.iter().copied().chain(["apply"]).collect();
            check_options(called, &options, &known)?;
            role_option(called, &options)?;
        } else {
            check_options(called, &options, &["file", "_raw_params", "apply"])?;
            file_option(called, &options)?;
        }
        let mut keywords = around.keywords.clone();
        if let Some(layer) = fields.get("vars").map(|field| vars(field.value)).transpose()?.flatten() {
            let keywords = Arc::make_mut(&mut keywords);
            keywords.vars.push(layer.clone());
            keywords.params.push(layer);
        }
        let mut inside = around.with(keywords);
        inside.collections = self.inside(around, fields)?.collections;
        if let Some(apply) = options.get("apply").filter(|option| !option.value.is_none()) {
            if apply.node.as_map().is_none() {
                return Err(Diagnostic::new(format!(
                    "Expected a dict for apply but got {} instead",
                    apply.node.describe()
                ))
                .at(&apply.node.place));
            }
            let applied = Fields::of(apply.node, "apply")?;
            applied.check(Object::Block)?;
            if let Some(section) = ["block", "rescue", "always"].iter().find_map(|name| applied.get(name)) {
                let problem = format!("'{}' cannot be given by apply", section.name);
                return Err(Diagnostic::new(problem).at(&section.key.place));
            }
            inside = self.inside(&inside, &applied)?;
        }
        options.all.retain(|option| option.name != "apply");
        let include = Include {
            around: Around { imports: Arc::default(), ..inside },
            identity: identity(fields).into(),
        };
        Ok((include, options))
    }

    pub(super) fn find_included(&self, task: &Task, file: &str) -> Result<PathBuf> {
        let include = include_of(task)?;
        self.find_tasks(file, Manner::Include, &include.around, &task.place)
    }

    pub(super) fn load_included_tasks(&self, task: &Task, path: PathBuf) -> Result<LoadedTasks> {
        let include = include_of(task)?;
        let mut found = Found::default();
        let what = "an included file of tasks";
        let nodes = match self.file(&path).map_err(|error| error.at(&task.place))? {
            Some(list) => self.nodes(&list, what, &include.around, &mut found)?,
            None => Vec::new(),
        };
        Ok(LoadedTasks { path, tasks: nodes.into(), roles: found.roles, handlers: found.handlers })
    }

    pub(super) fn load_included_role(&self, task: &Task, request: &RoleRequest) -> Result<LoadedRole> {
        let include = include_of(task)?;
        let mut found = Found::default();
        let role = RoleUse {
            name: request.name.clone(),
            place: task.place.clone(),
            from: From {
                tasks: request.tasks_from.clone(),
                vars: request.vars_from.clone(),
                defaults: request.defaults_from.clone(),
                handlers: request.handlers_from.clone(),
            },
            params: Arc::default(),
            identity: include.identity.to_string(),
            allow_duplicates: Some(request.allow_duplicates),
            is_dependency: false,
            is_validated: request.rolespec_validate,
        };
        let (role, tasks) = self.use_role(&role, &include.around, task.role.clone(), &mut found)?;
        Ok(LoadedRole { role, tasks: tasks.into(), roles: found.roles, handlers: found.handlers })
    }
}

fn include_of(task: &Task) -> Result<&Include> {
    task.include.as_ref().ok_or_else(|| {
        Diagnostic::new(format!("'{}' does not include anything", task.action.written)).at(&task.place)
    })
}
