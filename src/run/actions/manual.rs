//! What actions are and take: written once, for the loader's checks and for `fanfare doc`.

use fanfare_modules::kit::Spec;
use fanfare_modules::kit::args::{Kind, OptionSpec, Rules};
use serde_json::Value as Json;

/// The documentation of an action. An action without one is also a module, whose documentation counts.
pub struct Manual {
    /// A first line that says it all, then paragraphs.
    pub text: &'static str,
    pub options: &'static [Opt],
    /// Names of the user's own are options, too (`set_fact`).
    pub open: bool,
    /// A YAML list of tasks.
    pub examples: &'static str,
}

/// One option.
pub struct Opt {
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    kind: What,
    pub required: bool,
    default: Option<&'static str>,
    choices: &'static [&'static str],
    help: &'static str,
}

/// What an option's value is.
#[derive(Clone, Copy)]
pub enum What {
    Text,
    Number,
    Truth,
    Texts,
    Mapping,
    Any,
}

impl Opt {
    pub const fn new(name: &'static str, kind: What, help: &'static str) -> Self {
        Self { name, aliases: &[], kind, required: false, default: None, choices: &[], help }
    }

    pub const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    pub const fn or(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }

    pub const fn also(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    pub const fn one_of(self, choices: &'static [&'static str]) -> Self {
        Self { choices, ..self }
    }
}

impl Manual {
    /// In the form of a module's.
    pub fn spec(&self, name: &'static str) -> Spec {
        let options = self.options.iter().map(|option| OptionSpec {
            name: option.name.to_owned(),
            aliases: option.aliases.iter().map(|alias| (*alias).to_owned()).collect(),
            kind: match option.kind {
                What::Text => Kind::Str,
                What::Number => Kind::Int,
                What::Truth => Kind::Bool,
                What::Texts => Kind::List(Box::new(Kind::Str)),
                What::Mapping => Kind::Dict,
                What::Any => Kind::Raw,
            },
            required: option.required,
            // As it would be written: `true` is no text.
            default: option
                .default
                .map(|text| serde_json::from_str(text).unwrap_or_else(|_| Json::from(text))),
            choices: option.choices.iter().map(|choice| (*choice).to_owned()).collect(),
            doc: option.help.to_owned(),
            control: None,
            secret: false,
        });
        Spec {
            name,
            doc: self.text.to_owned(),
            examples: self.examples.to_owned(),
            options: options.collect(),
            free_form: None,
            rules: Rules::default(),
        }
    }

    /// Every name an option may be given by.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.options.iter().flat_map(|option| option.aliases.iter().copied().chain([option.name]))
    }
}

/// What the loader itself carries out, before anything runs.
pub static STATIC: &[(&str, Manual)] = &[
    (
        "import_playbook",
        Manual {
            text: "Brings in the plays of another playbook, before anything runs.\n\nStands among the plays. The file is \
                   sought beside the playbook.",
            options: &[],
            open: false,
            examples: "- import_playbook: webservers.yml\n",
        },
    ),
    (
        "import_role",
        Manual {
            text: "Brings in a role's tasks, before anything runs.\n\nTags, `when` and other keywords go to each of its tasks. \
                   See `include_role` for what is decided while the play runs.",
            options: ROLE_OPTIONS,
            open: false,
            examples: "- import_role: {name: myrole, tasks_from: install}\n",
        },
    ),
    (
        "import_tasks",
        Manual {
            text: "Brings in the tasks of a file, before anything runs.\n\nTags, `when` and other keywords go to each of them. \
                   It cannot be looped over: see `include_tasks`.",
            options: &[Opt::new(
                "file",
                What::Text,
                "The file. Usually given without a name: `import_tasks: stuff.yml`.",
            )],
            open: false,
            examples: "- import_tasks: stuff.yml\n",
        },
    ),
];

/// The options of `include_role` and `import_role`.
pub const ROLE_OPTIONS: &[Opt] = &[
    Opt::new("name", What::Text, "The role.").required().also(&["role"]),
    Opt::new("tasks_from", What::Text, "A file of its `tasks` directory other than `main`.").or("main"),
    Opt::new("vars_from", What::Text, "A file of its `vars` directory other than `main`.").or("main"),
    Opt::new("defaults_from", What::Text, "A file of its `defaults` directory other than `main`.").or("main"),
    Opt::new("handlers_from", What::Text, "A file of its `handlers` directory other than `main`.").or("main"),
    Opt::new("allow_duplicates", What::Truth, "Whether the role runs although it has run before.").or("true"),
    Opt::new("public", What::Truth, "Whether its variables and defaults are seen by later tasks.")
        .or("false"),
    Opt::new("apply", What::Mapping, "Keywords for each of its tasks: `tags`, `become` and so on."),
    Opt::new(
        "rescuable",
        What::Truth,
        "Whether a role that cannot be had fails the task; else it ends the run.",
    )
    .or("true"),
    Opt::new("rolespec_validate", What::Truth, "Whether the role's argument spec is checked.").or("true"),
];
