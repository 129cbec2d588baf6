//! `meta/main.yml`, and the entries of `roles:` and `dependencies:`.

use std::path::Path;
use std::sync::Arc;

use super::Loader;
use super::around::Around;
use super::fields::{Field, Fields, setting_of};
use super::role::{From, RoleUse};
use super::task::without_effect;
use crate::diagnostic::{Diagnostic, Result};
use crate::playbook::Setting;
use crate::playbook::keyword::{KEYWORDS, Object, find};
use crate::value::{Dict, Value};
use crate::yaml::Node;

/// What a role says about itself.
#[derive(Default)]
pub(super) struct Meta {
    pub allow_duplicates: bool,
    pub collections: Arc<[String]>,
    pub dependencies: Vec<Node>,
    /// Argument specs by entry point.
    pub specs: Option<Node>,
}

impl Loader {
    pub(super) fn meta(&self, name: &str, role: &Path) -> Result<Meta> {
        let file = ["main.yml", "main.yaml", "main.json", "main"]
            .iter()
            .map(|file| role.join("meta").join(file))
            .find(|path| path.is_file());
        let specs = self.specs_file(role)?;
        let node = match file {
            Some(file) => self.file(&file)?,
            None => None,
        };
        let Some(node) = node.filter(|node| !node.is_null()) else {
            return Ok(Meta { specs, ..Meta::default() });
        };
        if node.as_map().is_none() {
            return Err(Diagnostic::new(format!("the 'meta/main.yml' for role {name} is not a dictionary"))
                .at(&node.place));
        }
        let fields = Fields::of(&node, "a role's meta")?;
        fields.check(Object::RoleMeta)?;
        let inert: Vec<_> = KEYWORDS
            .iter()
            .filter(|keyword| keyword.on.has(Object::RoleMeta) && keyword.on.has(Object::Play))
            .map(|keyword| keyword.name)
            .filter(|name| !["collections", "name"].contains(name))
            .collect();
        without_effect(self, &fields.all, &inert, "a role's meta");
        if let Some(vars) =
            fields.get("vars").filter(|vars| vars.value.as_map().is_none() && !vars.value.is_null())
        {
            return Err(Diagnostic::new("Vars in a role's meta must be specified as a dictionary")
                .at(&vars.value.place));
        }
        let duplicates = fields.setting("allow_duplicates", Object::RoleMeta)?;
        Ok(Meta {
            allow_duplicates: duplicates.is_some_and(|setting| setting.value.is_truthy()),
            collections: collections(&fields)?.unwrap_or_default(),
            dependencies: fields.items("dependencies").into_iter().cloned().collect(),
            specs: specs.or_else(|| fields.get("argument_specs").map(|field| field.value.clone())),
        })
    }

    /// An entry of `roles:` or `dependencies:`: a name, or a mapping with keywords and params. Gives back what
    /// the role's tasks inherit.
    pub(super) fn role_entry(&self, node: &Node, around: &Around) -> Result<(RoleUse, Around)> {
        if let Some(Value::Str(_) | Value::Template(_)) = node.as_scalar() {
            return Ok((
                self.role_of(setting_of(node), around, Arc::default(), String::new())?,
                around.clone(),
            ));
        }
        if node.as_map().is_none() {
            return Err(
                Diagnostic::new(format!("Invalid role definition: {}", node.describe())).at(&node.place)
            );
        }
        let fields = Fields::of(node, "a role")?;
        let mut keywords = Vec::new();
        let mut params = Dict::new();
        for field in &fields.all {
            match find(field.name) {
                _ if ["role", "name", "src", "scm", "version"].contains(&field.name) => {}
                Some(keyword) if keyword.on.has(Object::Role) => {
                    field.check(Object::Role)?;
                    keywords.push(*field);
                }
                // Anything else is a param, even what would be a keyword elsewhere.
                _ => {
                    params.insert(field.key.to_value(), field.value.to_value());
                }
            }
        }
        let name = role_name(&fields)?;
        let own = Fields { all: keywords, place: fields.place };
        let inside = self.inside(around, &own)?;
        let role = self.role_of(name, &inside, Arc::new(params), identity(&fields))?;
        Ok((role, inside))
    }

    fn role_of(
        &self,
        name: Setting,
        around: &Around,
        params: Arc<Dict>,
        identity: String,
    ) -> Result<RoleUse> {
        Ok(RoleUse {
            name: self.render_text(around, &name)?,
            place: name.place,
            from: From::default(),
            params,
            identity,
            allow_duplicates: None,
            is_dependency: around.role.is_some(),
            is_validated: true,
        })
    }
}

/// `role:` or `name:`; for entries in the manner of `requirements.yml` the last part of `src:`.
fn role_name(fields: &Fields<'_>) -> Result<Setting> {
    let named = fields.get("role").or(fields.get("name")).filter(|field| !field.value.is_null());
    let Some(field) = named.or(fields.get("src")) else {
        return Err(Diagnostic::new("role definitions must contain a role name").at(fields.place));
    };
    for given in [field].into_iter().chain(fields.get("name")) {
        if given.value.as_scalar().is_none() || (given.name == field.name && field.value.as_str().is_none()) {
            return Err(Diagnostic::new(format!(
                "a role's name must be text, not {}",
                given.value.describe()
            ))
            .at(&given.value.place));
        }
    }
    let mut name = setting_of(field.value);
    if field.name == "src" {
        let source = name.value.to_string();
        let last = source.rsplit('/').next().unwrap_or(&source);
        let last = last.split(',').next().unwrap_or(last);
        name.value = Value::str(last.trim_end_matches(".git").trim_end_matches(".tar.gz"));
    }
    Ok(name)
}

/// Everything of an entry but the role's name.
fn identity(fields: &Fields<'_>) -> String {
    let mut parts: Vec<&Field<'_>> =
        fields.all.iter().filter(|field| !["role", "name"].contains(&field.name)).collect();
    parts.sort_by_key(|field| field.name);
    let parts: Vec<_> =
        parts.iter().map(|field| format!("{}={:?}", field.name, field.value.to_value())).collect();
    parts.join(" ")
}

/// `collections:`; `None` when it is not given.
pub(super) fn collections(fields: &Fields<'_>) -> Result<Option<Arc<[String]>>> {
    let Some(field) = fields.get("collections") else { return Ok(None) };
    field
        .items()
        .into_iter()
        // Never rendered: a template is a name that no collection has.
        .map(|item| match item.as_str() {
            Some(name) => Ok(name.to_owned()),
            None => Err(Diagnostic::new(format!(
                "Keyword 'collections' items must be names of collections, not {}",
                item.describe()
            ))
            .at(&item.place)),
        })
        .collect::<Result<_>>()
        .map(Some)
}
