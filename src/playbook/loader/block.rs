use std::sync::Arc;

use super::around::Around;
use super::fields::Fields;
use super::{Found, Loader};
use crate::diagnostic::{Diagnostic, Result};
use crate::playbook::keyword::Object;
use crate::playbook::{Block, Node, Task};
use crate::yaml;

impl Loader {
    /// A list of tasks and blocks, with imports in place. `what` names the list in messages.
    pub(super) fn nodes(
        &self,
        list: &yaml::Node,
        what: &str,
        around: &Around,
        found: &mut Found,
    ) -> Result<Vec<Node>> {
        if list.is_null() {
            return Ok(Vec::new());
        }
        let items = list.as_list().ok_or_else(|| {
            let found = list.describe();
            let message = match what {
                "tasks" | "pre_tasks" | "post_tasks" | "handlers" => format!(
                    "A malformed block was encountered while loading {what}: {} should be a list or None but is {found}",
                    list.to_value()
                ),
                _ => format!("{what} should be a list of tasks, but is {found}"),
            };
            Diagnostic::new(message).at(&list.place)
        })?;
        let mut nodes = Vec::with_capacity(items.len());
        for item in items.iter().filter(|item| !item.is_null()) {
            let fields = Fields::of(item, "a task")?;
            if ["block", "rescue", "always"].iter().any(|name| fields.get(name).is_some()) {
                nodes.push(Node::Block(Arc::new(self.block(&fields, around, found)?)));
            } else {
                self.task(&fields, around, found, &mut nodes)?;
            }
        }
        Ok(nodes)
    }

    fn block(&self, fields: &Fields<'_>, around: &Around, found: &mut Found) -> Result<Block> {
        fields.check(Object::Block)?;
        let Some(main) = fields.get("block") else {
            let stray = fields.get("rescue").or(fields.get("always"));
            let place = stray.map_or(fields.place, |field| &field.key.place);
            let name = stray.map_or("rescue", |field| field.name);
            return Err(Diagnostic::new(format!("'{name}' keyword cannot be used without 'block'")).at(place));
        };
        if main.value.as_list().is_none() {
            let problem = format!("a block should be a list of tasks, but is {}", main.value.describe());
            return Err(Diagnostic::new(problem).at(&main.value.place));
        }
        let inside = self.inside(around, fields)?;
        let may_fail = around.may_fail || fields.get("rescue").is_some();
        let mut section = |name: &str| match fields.get(name) {
            Some(field) if name == "block" => {
                self.nodes(field.value, name, &Around { may_fail, ..inside.clone() }, found)
            }
            Some(field) => self.nodes(field.value, name, &inside, found),
            None => Ok(Vec::new()),
        };
        let mut block = Block {
            place: fields.place.clone(),
            name: fields.setting("name", Object::Block)?,
            block: section("block")?,
            rescue: section("rescue")?,
            always: section("always")?,
            role: around.role.clone(),
            keywords: inside.keywords.clone(),
        };
        if main.value.as_list().is_some_and(<[_]>::is_empty) && !block.rescue.is_empty() {
            return Err(Diagnostic::new("'rescue' keyword cannot be used without 'block'").at(fields.place));
        }
        if around.is_handler {
            self.lend(&mut block, fields)?;
        }
        Ok(block)
    }

    /// A block of handlers lends them its keywords, and no more.
    fn lend(&self, block: &mut Block, fields: &Fields<'_>) -> Result<()> {
        let why = "handlers run one by one, as they are notified: a block only lends them its keywords";
        let within = block.block.iter().find_map(|node| match node {
            Node::Block(within) => Some(within),
            _ => None,
        });
        if let Some(within) = within {
            let error = Diagnostic::new("Using a block as a handler is not supported.");
            return Err(error.at(&within.place).hint(why));
        }
        for field in fields.all.iter().filter(|field| ["rescue", "always"].contains(&field.name)) {
            let told = format!("'{}' on a block of handlers has no effect", field.name);
            self.warn(Diagnostic::new(told).at(&field.key.place).hint(why));
        }
        (block.rescue, block.always) = Default::default();
        Ok(())
    }

    /// A list of handlers; blocks among them only lend their keywords.
    pub(super) fn handlers(
        &self,
        list: &yaml::Node,
        what: &str,
        around: &Around,
        found: &mut Found,
    ) -> Result<Vec<Arc<Task>>> {
        let around = Around { is_handler: true, ..around.clone() };
        let nodes = self.nodes(list, what, &around, found)?;
        let mut handlers = Vec::with_capacity(nodes.len());
        flatten(&nodes, &mut handlers);
        Ok(handlers)
    }
}

pub(super) fn flatten(nodes: &[Node], into: &mut Vec<Arc<Task>>) {
    for node in nodes {
        match node {
            Node::Task(task) => into.push(task.clone()),
            Node::Block(block) => flatten(&block.block, into),
            Node::RoleEnd(_) => {}
        }
    }
}
