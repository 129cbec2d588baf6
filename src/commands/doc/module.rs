use std::borrow::Cow;
use std::fmt::Write;

use fanfare_modules::MODULES;
use fanfare_modules::kit::args::{OptionSpec, Spec};
use fanfare_modules::kit::returns;
use serde_json::{Map, Value as Json, json};

use super::Entry;
use super::wrap::wrap;
use crate::run::actions::{ACTIONS, STATIC};

/// A module, or an action of the control node.
struct Page {
    spec: Cow<'static, Spec>,
    aliases: &'static [&'static str],
}

pub(super) fn all() -> Vec<Box<dyn Entry>> {
    let modules =
        MODULES.iter().map(|module| Page { spec: Cow::Borrowed(module.spec()), aliases: module.aliases });
    let actions = ACTIONS.iter().filter_map(|action| Some((action.name, action.manual?)));
    let fixed = STATIC.iter().map(|(name, manual)| (*name, manual));
    let own =
        actions.chain(fixed).map(|(name, manual)| Page { spec: Cow::Owned(manual.spec(name)), aliases: &[] });
    let mut pages: Vec<Page> = modules.chain(own).collect();
    pages.sort_by_key(|page| page.spec.name);
    pages.into_iter().map(|page| Box::new(page) as Box<dyn Entry>).collect()
}

/// The table's name for what the user typed.
pub(super) fn canonical(name: &str) -> &str {
    fanfare_modules::find(name).map_or_else(|| fanfare_modules::short(name), |module| module.name)
}

impl Entry for Page {
    fn name(&self) -> &str {
        self.spec.name
    }

    fn summary(&self) -> String {
        self.spec.doc.lines().next().unwrap_or_default().to_owned()
    }

    // Writing to a text cannot fail.
    fn page(&self) -> String {
        let spec = &*self.spec;
        let mut page = format!("{}\n{}", spec.name, wrap(&spec.doc, 4));
        if !self.aliases.is_empty() {
            page.push_str(&format_line(4, "Also called", &self.aliases.join(", ")));
        }
        if !spec.options.is_empty() {
            page.push_str("\nOptions\n");
        }
        for option in &spec.options {
            page.push_str(&option_text(option));
        }
        let rules = rules(spec);
        if !rules.is_empty() {
            page.push_str("\nRules\n");
            page.extend(rules.iter().map(|rule| wrap(rule, 4)));
        }
        let returns = returns::of(spec.name).unwrap_or_default();
        if !returns.is_empty() {
            page.push_str("\nReturns\n");
        }
        for entry in returns {
            let _ = write!(page, "    {} ({})\n{}", entry.name, entry.kind, wrap(entry.doc, 8));
        }
        if !spec.examples.trim().is_empty() {
            page.push_str("\nExamples\n");
            for line in spec.examples.trim_end().lines() {
                let line = format!("    {line}");
                page.push_str(line.trim_end());
                page.push('\n');
            }
        }
        page
    }

    fn json(&self) -> Json {
        let spec = &*self.spec;
        let options: Map<String, Json> =
            spec.options.iter().map(|option| (option.name.clone(), option_json(option))).collect();
        json!({
            "doc": {
                "module": spec.name,
                "collection": "ansible.builtin",
                "short_description": self.summary(),
                "description": spec.doc.split("\n\n").collect::<Vec<_>>(),
                "options": options,
            },
            "examples": spec.examples,
            "return": returns::of(spec.name).unwrap_or_default().iter().map(|entry| {
                let told = json!({"description": [entry.doc], "type": entry.kind});
                (entry.name.to_owned(), told)
            }).collect::<Map<String, Json>>(),
        })
    }

    fn markdown(&self) -> String {
        let spec = &*self.spec;
        let mut page = format!("# {}\n\n{}\n", spec.name, spec.doc.trim());
        if !self.aliases.is_empty() {
            let _ = write!(page, "\nAlso called `{}`.\n", self.aliases.join("`, `"));
        }
        if !spec.options.is_empty() {
            page.push_str("\n## Options\n\n");
        }
        for option in &spec.options {
            page.push_str(&option_markdown(option));
        }
        for rule in rules(spec) {
            let _ = write!(page, "\n{rule}\n");
        }
        let returns = returns::of(spec.name).unwrap_or_default();
        if !returns.is_empty() {
            page.push_str("\n## Returns\n\n");
        }
        for entry in returns {
            let _ = writeln!(page, "- `{}` ({}): {}", entry.name, entry.kind, entry.doc);
        }
        if !spec.examples.trim().is_empty() {
            let _ = write!(page, "\n## Examples\n\n```yaml\n{}\n```\n", spec.examples.trim_end());
        }
        page
    }

    fn snippet(&self) -> Option<String> {
        let spec = &*self.spec;
        let summary = self.summary();
        let mut text = format!("- name: {}\n  {}:\n", summary.trim_end_matches('.'), spec.name);
        for option in spec.options.iter().filter(|option| spec.free_form.as_ref() != Some(&option.name)) {
            let required = if option.required { "required. " } else { "" };
            let about = option.doc.lines().next().unwrap_or_default();
            let value = option.default.as_ref().map(|default| format!(" {default}")).unwrap_or_default();
            text.push_str(format!("    {}:{value}  # {required}{about}", option.name).trim_end());
            text.push('\n');
        }
        Some(text)
    }
}

fn option_text(option: &OptionSpec) -> String {
    let required = if option.required { ", required" } else { "" };
    let mut text = format!("    {} ({}{required})\n", option.name, type_name(option));
    text.push_str(&wrap(&option.doc, 8));
    if !option.aliases.is_empty() {
        text.push_str(&format_line(8, "Also", &option.aliases.join(", ")));
    }
    if !option.choices.is_empty() {
        text.push_str(&format_line(8, "Choices", &option.choices.join(", ")));
    }
    if let Some(default) = &option.default {
        let default = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
        text.push_str(&format_line(8, "Default", &default));
    }
    text
}

fn type_name(option: &OptionSpec) -> String {
    use fanfare_modules::kit::args::Kind;
    match &option.kind {
        Kind::List(element) => format!("list of {}", element.name()),
        kind => kind.name().to_owned(),
    }
}

fn option_markdown(option: &OptionSpec) -> String {
    let required = if option.required { ", required" } else { "" };
    let doc = option.doc.trim().replace("\n\n", "\n\n  ").replace('\n', "\n  ");
    let mut text = format!("- `{}` ({}{required}): {}", option.name, type_name(option), doc);
    if !option.choices.is_empty() {
        let _ = write!(text, " One of `{}`.", option.choices.join("`, `"));
    }
    if let Some(default) = &option.default {
        let default = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
        let _ = write!(text, " Default: `{default}`.");
    }
    if !option.aliases.is_empty() {
        let _ = write!(text, " Also: `{}`.", option.aliases.join("`, `"));
    }
    text.push('\n');
    text
}

fn option_json(option: &OptionSpec) -> Json {
    let mut entry = Map::new();
    entry.insert("description".into(), option.doc.split("\n\n").collect());
    entry.insert("type".into(), option.kind.name().into());
    if let fanfare_modules::kit::args::Kind::List(element) = &option.kind {
        entry.insert("elements".into(), element.name().into());
    }
    entry.insert("required".into(), option.required.into());
    entry.insert("default".into(), option.default.clone().unwrap_or_default());
    for (key, names) in [("choices", &option.choices), ("aliases", &option.aliases)] {
        if !names.is_empty() {
            entry.insert(key.into(), names.clone().into());
        }
    }
    Json::Object(entry)
}

fn rules(spec: &Spec) -> Vec<String> {
    let rules = &spec.rules;
    let exclusive =
        rules.mutually_exclusive.iter().map(|names| format!("At most one of {}.", names.join(", ")));
    let together =
        rules.required_together.iter().map(|names| format!("Together or not at all: {}.", names.join(", ")));
    let one_of = rules.required_one_of.iter().map(|names| format!("At least one of {}.", names.join(", ")));
    let when = rules.required_if.iter().map(|rule| {
        let joint = if rule.any { " or " } else { " and " };
        format!("With {}={}: {}.", rule.option, rule.value, rule.needs.join(joint))
    });
    exclusive.chain(together).chain(one_of).chain(when).collect()
}

fn format_line(indent: usize, title: &str, text: &str) -> String {
    wrap(&format!("{title}: {text}"), indent)
}
