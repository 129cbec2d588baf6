//! `include_tasks` and `include_role`: checked when loaded, brought in while running.

use std::path::PathBuf;
use std::sync::Arc;

use super::around::Around;
use super::called::Called;
use super::fields::Fields;
use super::import::{ROLE_OPTIONS, check_options, file_option, identity, role_option};
use super::merge::vars;
use super::options::Options;
use super::role::{From, RoleUse};
use super::search::Manner;
use super::{Found, LoadedRole, LoadedTasks, Loader, RoleRequest};
use crate::diagnostic::{Diagnostic, Result};
use crate::playbook::keyword::Object;
use crate::playbook::{Include, Task};
use crate::value::{Dict, Value};

impl Loader {
    /// What the included tasks will inherit: what is around the include, its vars, and `apply`. The other
    /// keywords of the include are its own. Gives back the options; of `apply` those tags that are templates are left.
    pub(super) fn include<'a>(
        &self,
        called: &Called<'_>,
        mut options: Options<'a>,
        fields: &Fields<'_>,
        around: &Around,
    ) -> Result<(Include, Options<'a>)> {
        if called.name == "include_role" {
            let known: Vec<_> = ROLE_OPTIONS.iter().copied().chain(["apply", "rescuable"]).collect();
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
        let mut late = None;
        if let Some(apply) = options.get("apply").filter(|option| !option.value.is_none()) {
            if apply.node.as_map().is_none() {
                return Err(Diagnostic::new(format!(
                    "Expected a dict for apply but got {} instead",
                    apply.node.describe()
                ))
                .at(&apply.node.place));
            }
            let mut applied = Fields::of(apply.node, "apply")?;
            applied.check(Object::Block)?;
            if let Some(section) = ["block", "rescue", "always"].iter().find_map(|name| applied.get(name)) {
                let problem = format!("'{}' cannot be given by apply", section.name);
                return Err(Diagnostic::new(problem).at(&section.key.place));
            }
            // Tags that are templates may use what is known of hosts: they are rendered with the other options.
            late = applied
                .all
                .extract_if(.., |field| field.name == "tags" && field.value.to_value().holds_template())
                .next();
            inside = self.inside(&inside, &applied)?;
        }
        options.all.retain(|option| option.name != "apply" || late.is_some());
        if let Some(tags) = late {
            let left: Dict = [("tags", tags.value.to_value())].into_iter().collect();
            options.all.iter_mut().filter(|option| option.name == "apply").for_each(|option| {
                option.value = Value::dict(left.clone());
            });
        }
        let include = Include {
            around: Around { imports: Arc::default(), may_fail: true, ..inside },
            identity: identity(fields).into(),
        };
        Ok((include, options))
    }

    pub(super) fn find_included(&self, task: &Task, file: &str) -> Result<PathBuf> {
        let include = include_of(task)?;
        self.find_tasks(file, Manner::Include, &include.around, &task.place)
    }

    pub(super) fn load_included_tasks(
        &self,
        task: &Task,
        path: PathBuf,
        tags: &[String],
    ) -> Result<LoadedTasks> {
        let around = include_of(task)?.around.tagged(tags, &task.place);
        let mut found = Found::default();
        let nodes = match self.file(&path).map_err(|error| error.at(&task.place))? {
            Some(list) if !list.is_null() && list.as_list().is_none() => {
                let problem = "included task files must contain a list of tasks";
                return Err(Diagnostic::missing(problem).at(&list.place));
            }
            Some(list) => self.nodes(&list, "an included file of tasks", &around, &mut found)?,
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
        let around = include.around.tagged(&request.tags, &task.place);
        let (role, tasks) = self.use_role(&role, &around, task.role.clone(), &mut found)?;
        Ok(LoadedRole { role, tasks: tasks.into(), roles: found.roles, handlers: found.handlers })
    }
}

fn include_of(task: &Task) -> Result<&Include> {
    task.include.as_ref().ok_or_else(|| {
        Diagnostic::new(format!("'{}' does not include anything", task.action.written)).at(&task.place)
    })
}
