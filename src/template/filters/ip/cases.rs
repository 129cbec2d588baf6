//! The filters and tests of ansible.utils: expressions with the answers of the real ones.

use std::sync::Arc;

use crate::template::{Context, Names, Syntax, render_with};
use crate::value::Value;
use crate::value::dumps::{Style, dumps};

/// `expression<tab>answer`, as tests/data/ansible_utils.py writes them.
const CASES: &str = include_str!("../../../../tests/data/ansible_utils.txt");

struct Nothing;

impl Names for Nothing {
    fn get(&self, _: &str) -> Option<Value> {
        None
    }

    fn names(&self) -> Vec<Arc<str>> {
        Vec::new()
    }
}

#[test]
fn the_real_ones_answer_the_same() {
    let context = Context::new(&Nothing);
    let style = Style { sort_keys: false, ..Style::of(None) };
    let (mut all, mut wrong) = (0, Vec::new());
    for line in CASES.lines().filter(|line| !line.starts_with('#')) {
        let (expression, expected) = line.split_once('\t').unwrap();
        let result = render_with(&format!("{{{{ {expression} }}}}"), Syntax::default(), &context);
        let (answer, same) = match &result {
            Ok(value) => {
                let answer = dumps(value, &style);
                let same = answer == expected;
                (answer, same)
            }
            // Words of Python's own are not ours: that it is an error is what counts.
            Err(error) => (format!("error: {error}"), expected.starts_with("error: ")),
        };
        all += 1;
        if !same {
            wrong.push(format!("{expression}\n    expected {expected}\n    got      {answer}"));
        }
    }
    assert!(all > 2000, "{all} cases");
    assert!(wrong.is_empty(), "{} of {all} differ:\n{}", wrong.len(), wrong.join("\n"));
}
