//! From a type's JSON schema to a [`Spec`].

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value as Json;

use super::{ControlKind, ControlUse, Kind, OptionSpec, Rules, Spec};

impl Spec {
    /// The specification of the module whose arguments are `A`.
    ///
    /// On the type: the doc comment (its first ```` ```yaml ```` block holds the examples), `free_form` (the name
    /// of the option that takes free text) and the [`Rules`]. On a field: the doc comment, `aliases`, and `kind`,
    /// `secret` where the type does not say it already.
    pub fn of<A: JsonSchema>(name: &'static str) -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.inline_subschemas = true;
            settings.meta_schema = None;
        });
        let schema = Json::from(settings.into_generator().into_root_schema_for::<A>());
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Json::as_array)
            .map(|names| names.iter().filter_map(Json::as_str).collect())
            .unwrap_or_default();
        let properties = schema.get("properties").and_then(Json::as_object);
        let options = properties
            .into_iter()
            .flatten()
            .map(|(name, field)| option(name, field, required.contains(&name.as_str())))
            .collect();
        let (doc, examples) = split_doc(text(&schema, "description").unwrap_or_default());
        let free_form = text(&schema, "free_form").map(str::to_owned);
        Self {
            name,
            doc,
            examples,
            options,
            free_form,
            rules: serde_json::from_value(schema).unwrap_or_else(|_| Rules::malformed()),
        }
    }
}

fn option(name: &str, field: &Json, required: bool) -> OptionSpec {
    let inner = without_null(field);
    let kind = kind(field, inner);
    let element = match &kind {
        Kind::List(_) => inner.get("items").map_or(inner, without_null),
        _ => inner,
    };
    OptionSpec {
        name: name.to_owned(),
        aliases: strings(field.get("aliases")),
        required,
        default: field.get("default").filter(|default| !default.is_null()).cloned(),
        choices: choices(element),
        doc: text(field, "description").unwrap_or_default().to_owned(),
        control: control(field, inner),
        secret: [field, inner, element].iter().any(|schema| schema.get("secret") == Some(&Json::Bool(true))),
        kind,
    }
}

/// `Option<T>` gives `anyOf: [T, null]`, or null among the types.
fn without_null(schema: &Json) -> &Json {
    let Some(any) = schema.get("anyOf").and_then(Json::as_array) else { return schema };
    any.iter().find(|one| text(one, "type") != Some("null")).unwrap_or(schema)
}

fn kind(field: &Json, inner: &Json) -> Kind {
    if let Some(name) = text(field, "kind").or_else(|| text(inner, "kind")) {
        match name {
            "path" => return Kind::Path,
            "mode" => return Kind::Mode,
            "bytes" => return Kind::Bytes,
            "raw" => return Kind::Raw,
            "control" => return Kind::Control,
            "float" => return Kind::Float,
            "str" => return Kind::Str,
            _ => {}
        }
    }
    if inner.get("oneOf").is_some() || inner.get("enum").is_some() || inner.get("const").is_some() {
        return Kind::Str;
    }
    let name = match inner.get("type") {
        Some(Json::String(name)) => Some(name.as_str()),
        Some(Json::Array(names)) => names.iter().filter_map(Json::as_str).find(|name| *name != "null"),
        _ => None,
    };
    match name {
        Some("string") => Kind::Str,
        Some("integer") => Kind::Int,
        Some("number") => Kind::Float,
        Some("boolean") => Kind::Bool,
        Some("object") => Kind::Dict,
        Some("array") => {
            let items = inner.get("items").unwrap_or(&Json::Null);
            Kind::List(Box::new(self::kind(items, without_null(items))))
        }
        _ => Kind::Raw,
    }
}

/// The names of an enum's variants, documented (`oneOf` of `const`s) or not (`enum`).
fn choices(schema: &Json) -> Vec<String> {
    if let Some(one_of) = schema.get("oneOf").and_then(Json::as_array) {
        return one_of
            .iter()
            .flat_map(|one| match text(one, "const") {
                Some(name) => vec![name.to_owned()],
                None => strings(one.get("enum")),
            })
            .collect();
    }
    strings(schema.get("enum"))
}

fn control(field: &Json, inner: &Json) -> Option<ControlUse> {
    let find = |key: &str| text(field, key).or_else(|| text(inner, key));
    let (what, subdir) = match find("control")? {
        "tree" => (ControlKind::FileOrTree, "files"),
        "script" => (ControlKind::Script, "files"),
        "template" => (ControlKind::Template, "templates"),
        "parts" => (ControlKind::Parts, "files"),
        "destination" => (ControlKind::Destination, ""),
        _ => (ControlKind::File, "files"),
    };
    let [unless, only_if] = ["unless", "only_if"].map(|key| find(key).map(str::to_owned));
    Some(ControlUse { what, subdir: subdir.to_owned(), unless, only_if })
}

fn text<'a>(schema: &'a Json, key: &str) -> Option<&'a str> {
    schema.get(key).and_then(Json::as_str)
}

fn strings(list: Option<&Json>) -> Vec<String> {
    let items = list.and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(Json::as_str).map(str::to_owned).collect()
}

/// Takes the examples out of a doc comment.
fn split_doc(text: &str) -> (String, String) {
    let Some((before, rest)) = text.split_once("```yaml\n") else {
        return (text.trim().to_owned(), String::new());
    };
    let (examples, after) = rest.split_once("```").unwrap_or((rest, ""));
    let before = before.trim_end().trim_end_matches("# Examples").trim_end();
    let doc = [before, after.trim()].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>();
    (doc.join("\n\n"), examples.to_owned())
}
