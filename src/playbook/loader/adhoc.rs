//! The play of an ad-hoc command.

use std::path::Path;
use std::sync::Arc;

use super::Loader;
use super::fields::Fields;
use super::play::Importing;
use crate::diagnostic::{Place, Result, Source};
use crate::playbook::Play;
use crate::template::Template;
use crate::value::Value;
use crate::yaml::{self, Kind, Node, Trust};

impl Loader {
    /// One task on the hosts of a pattern. `args` as typed: `key=value` words, or a mapping in braces. With
    /// `background` it runs apart, so many seconds at most. `dir` is where files are looked for.
    pub fn adhoc(
        &self,
        pattern: &str,
        module: &str,
        args: &str,
        background: Option<u64>,
        dir: &Path,
    ) -> Result<Play> {
        let text: Arc<str> = format!("{module} {args}").trim_end().into();
        let source = Arc::new(Source { path: "<command line>".into(), text: text.clone(), secret: false });
        let length = u32::try_from(module.chars().count()).unwrap_or(0);
        let place = Place { source, line: 1, column: 1, length };
        let node = |kind: Kind| Node { kind, place: place.clone() };
        let word = |text: &str| node(Kind::Scalar(Value::from(text)));
        let hosts = if Template::is_template(pattern) {
            node(Kind::Scalar(Value::Template(Arc::new(Template::new(pattern, None)))))
        } else {
            word(pattern)
        };
        let map = |entries: Vec<(Node, Node)>| node(Kind::Map(Arc::new(entries)));
        let mut task = if args.trim_start().starts_with('{') {
            let (options, _) = yaml::parse_str(args, "<command line option -a>", Trust::Trusted)?.single()?;
            let options = options.unwrap_or_else(|| map(Vec::new()));
            vec![(word(module), options)]
        } else {
            let value = if Template::is_template(&text) {
                Value::Template(Arc::new(Template::new(text, Some(place.clone()))))
            } else {
                Value::Str(text)
            };
            vec![(word("action"), node(Kind::Scalar(value)))]
        };
        let seconds = background.and_then(|seconds| i64::try_from(seconds).ok());
        task.extend(seconds.map(|seconds| (word("async"), node(Kind::Scalar(Value::Int(seconds))))));
        let tasks = node(Kind::List(Arc::new(vec![map(task)])));
        let play = map(vec![
            (word("name"), word("Ansible Ad-Hoc")),
            (word("hosts"), hosts),
            (word("gather_facts"), node(Kind::Scalar(Value::Bool(false)))),
            (word("tasks"), tasks),
        ]);
        let fields = Fields::of(&play, "a play")?;
        self.play(&fields, &self.absolute(&dir.join("adhoc")), &Importing::default())
    }
}
