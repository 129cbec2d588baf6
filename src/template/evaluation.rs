//! What templates give, beyond the reference cases: laziness, loops in variables, changes in place, errors
//! with their places, other templates, and that no input takes the program down.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::{Context, Names, Syntax, Template, condition, render, render_all, render_file, resolve};
use crate::diagnostic::{Diagnostic, Place, Source};
use crate::value::{Dict, Value, Vaulted};

/// Variables that count how often each was asked for.
struct Variables {
    values: Dict,
    asked: Mutex<Vec<String>>,
}

impl Names for Variables {
    fn get(&self, name: &str) -> Option<Value> {
        self.asked.lock().unwrap().push(name.to_owned());
        self.values.get(name).cloned()
    }

    fn names(&self) -> Vec<Arc<str>> {
        self.values.keys().filter_map(Value::as_str).map(Arc::from).collect()
    }
}

/// Variables as JSON; text with marks is a template, as if it stood in a file of the user.
fn variables(json: &str) -> Variables {
    let json: serde_json::Value = serde_json::from_str(json).unwrap();
    let Value::Dict(values) = trusted(Value::from(json)) else { panic!("no mapping") };
    Variables { values: (*values).clone(), asked: Mutex::default() }
}

fn trusted(value: Value) -> Value {
    match value {
        Value::Str(text) if Template::is_template(&text) => template(&text),
        Value::List(items) => Value::list(items.iter().cloned().map(trusted).collect()),
        Value::Dict(entries) => {
            Value::dict(entries.iter().map(|(key, value)| (key.clone(), trusted(value.clone()))).collect())
        }
        other => other,
    }
}

fn template(text: &str) -> Value {
    Value::Template(Arc::new(Template::new(text, None)))
}

const PLAY: &str = r#"{
    "n": 7, "word": "abc", "items": [1, 2], "user": {"name": "bob", "home": "/home/{{ user.name }}"},
    "lazy": "{{ n + 1 }}", "list": ["{{ n }}", "{{ missing }}"], "broken": "{{ missing }}", "one": "{{ two }}",
    "two": "x{{ three }}", "three": "{{ one }}", "itself": "{{ itself }}", "evil": "{{ 1 / 0 }}",
    "markup": "{{ '{{' }} n }}", "nested": {"a": {"b": "{{ word }}"}}, "flag": true, "yes": "{{ flag }}"
}"#;

/// The result's `repr`, or the error and its hints.
fn outcome(result: Result<Value, Diagnostic>) -> String {
    match result {
        Ok(value) => value.repr(),
        Err(error) => {
            let mut told = error.message().to_owned();
            for hint in error.hints() {
                told.extend([" (", hint, ")"]);
            }
            told
        }
    }
}

fn check(source: &str, expect: &str) {
    let variables = variables(PLAY);
    let result = render(&Template::new(source, None), &Context::new(&variables));
    assert_eq!(outcome(result), expect, "{source}");
}

fn check_condition(source: &str, expect: &str) {
    let variables = variables(PLAY);
    let value = if Template::is_template(source) { template(source) } else { Value::from(source) };
    let result = condition(&value, None, &Context::new(&variables)).map(Value::Bool);
    assert_eq!(outcome(result), expect, "{source}");
}

#[test]
fn variables_are_rendered_when_they_are_read() {
    check("{{ lazy }}", "8");
    check("{{ user.home }}", "'/home/bob'");
    check("{{ user }}", "{'name': 'bob', 'home': '/home/bob'}");
    check("{{ list[0] + 1 }}", "8");
    check("{{ list | length }}", "2");
    check("{{ nested['a'].b ~ '!' }}", "'abc!'");
    check("{% for item in list if loop is undefined or true %}{{ item | default('?') }}{% endfor %}", "'7?'");
    check("{% for k, v in nested.items() %}{{ v.b }}{% endfor %}", "'abc'");
    check("{{ 7 in list }}", "True");
    check("{{ 8 in list }}", "'missing' is undefined");
    check("{{ list == word or list == [1] }}", "False");
    check("{{ [list[0]] == [7] }}", "True");
}

#[test]
fn results_are_never_rendered_again() {
    check("{{ markup }}", "'{{ n }}'");
    check("{{ [markup] }}", "['{{ n }}']");
    check("{{ '{' ~ '{ n }' ~ '}' }}", "'{{ n }}'");
}

#[test]
fn a_variable_is_rendered_once_for_each_task_and_host() {
    let variables = variables(r#"{"a": "{{ b }}{{ b }}", "b": "{{ c }}", "c": 1}"#);
    let context = Context::new(&variables);
    for _ in 0..3 {
        assert_eq!(outcome(render(&Template::new("{{ a }}{{ a }}", None), &context)), "'1111'");
    }
    let asked = variables.asked.lock().unwrap();
    assert_eq!(asked.iter().filter(|name| **name == "c").count(), 1);
}

#[test]
fn what_may_change_is_rendered_each_time() {
    let variables = variables(r#"{"a": "{{ now() and count.next() }}", "b": "{{ a }}"}"#);
    let counter = Counter(AtomicUsize::new(0));
    let mut values = variables.values.clone();
    values.insert("count", Value::Object(Arc::new(counter)));
    let variables = Variables { values, asked: Mutex::default() };
    let context = Context::new(&variables);
    assert_eq!(outcome(render(&Template::new("{{ b }}{{ b }}", None), &context)), "'01'");
}

struct Counter(AtomicUsize);

impl crate::value::Object for Counter {
    fn type_name(&self) -> &'static str {
        "Counter"
    }

    fn call_method(&self, _: &str, _: &[Value], _: &Dict) -> Option<Result<Value, Diagnostic>> {
        Some(Ok(Value::from(self.0.fetch_add(1, Ordering::Relaxed))))
    }
}

#[test]
fn variables_that_need_themselves_are_told() {
    check("{{ itself }}", "Recursive loop detected in template: 'itself' needs 'itself'");
    check("{{ one }}", "Recursive loop detected in template: 'one' needs 'two' needs 'three' needs 'one'");
    check(
        "{{ three | default('x') }}",
        "Recursive loop detected in template: 'three' needs 'one' needs 'two' needs 'three'",
    );
}

#[test]
fn what_is_undefined_is_told_with_the_nearest_name() {
    check("{{ wrod }}", "'wrod' is undefined (Did you mean 'word'?)");
    check("{{ user.nam }}", "object of type 'dict' has no attribute 'nam' (Did you mean 'name'?)");
    check("{{ missing.a.b }}", "'missing' is undefined");
    check("{{ broken }}", "'missing' is undefined");
    check("{{ broken | default('q') }}", "'q'");
    check("{{ user.x.y | default('q') }}", "'q'");
    check("{{ evil | default('q') }}", "Error rendering template: division by zero");
    check("{% set itme = 1 %}{{ item }}", "'item' is undefined (Did you mean 'itme'?)");
    check("{{ word | uper }}", "Syntax error in template: No filter named 'uper'. (Did you mean 'upper'?)");
    check("{{ undef(hint='set it') }}", "set it");
    check("x{{ 1 if false }}", "'x'");
}

#[test]
fn changes_are_seen_where_python_shows_them() {
    check("{% set x = [] %}{% for i in items %}{% set _ = x.append(i) %}{% endfor %}{{ x }}", "[1, 2]");
    check("{% set x = {'a': {'b': []}} %}{% set _ = x.a['b'].append(3) %}{{ x }}", "{'a': {'b': [3]}}");
    check("{% set x = {'a': []} %}{% set y = x.a %}{% set _ = y.append(3) %}{{ x }}", "{'a': [3]}");
    check("{% set x = [[], []] %}{% for i in x %}{% set _ = i.append(3) %}{% endfor %}{{ x }}", "[[3], [3]]");
    check("{% set x = {} %}{% set _ = x.setdefault('k', []).append(1) %}{{ x }}", "{'k': [1]}");
    check(
        "{% set x = {} %}{% for i in items %}{% set _ = x.setdefault('k', []).append(i) %}{% endfor %}{{ x }}",
        "{'k': [1, 2]}",
    );
    check(
        "{% set ns = namespace(x=[]) %}{% for i in items %}{% set _ = ns.x.append(i) %}{% endfor %}{{ ns.x }}",
        "[1, 2]",
    );
    check("{% set _ = items.append(3) %}{{ items }}", "[1, 2, 3]");
    check("{% set _ = user.update({'name': 'eve'}) %}{{ user.name }}", "'eve'");
    check("{% set x = [1] %}{% set y = x[:] %}{% set _ = y.append(2) %}{{ x }}", "[1]");
    check("{% set x = [3, 1] %}{% set _ = x.sort() %}{{ x ~ x.pop() ~ x }}", "'[1, 3]3[1]'");
    check("{% set x = {'a': 1} %}{{ x.pop('a') }}{{ x }}", "'1{}'");
    check("{% set x = {'a': 1} %}{{ x.pop('b') }}", "Error rendering template: 'b'");
    check("{% set x = (1,) %}{{ x.append(1) }}", "object of type 'tuple' has no attribute 'append'");
}

#[test]
fn a_change_stays_in_its_template() {
    let variables = variables(PLAY);
    let context = Context::new(&variables);
    let changed = render(&Template::new("{% set _ = items.append(3) %}{{ items | length }}", None), &context);
    assert_eq!(outcome(changed), "3");
    assert_eq!(outcome(render(&Template::new("{{ items | length }}", None), &context)), "2");
}

#[test]
fn conditions_are_booleans() {
    check_condition("n > 5 and flag", "True");
    check_condition("{{ flag }}", "True");
    check_condition("yes", "True");
    check_condition("'{{ word }}' == word", "True");
    check_condition("word is defined", "True");
    check_condition("missing is defined", "False");
    check_condition(
        "items",
        "Conditional result (True) was derived from value of type 'list' at '<unknown>'. Conditionals must have a \
         boolean result. (Write 'x | length > 0'.)",
    );
    check_condition("missing", "Error while evaluating conditional: 'missing' is undefined");
    check_condition("", "Empty conditional expressions are not allowed.");
    check_condition("n / 0 > 1", "Error rendering expression: division by zero");
    check_condition(
        "n == {{ n }}",
        "Syntax error in expression. Template delimiters are not supported in expressions: unexpected '}', expected \
         ':' (A condition is an expression already: write it without '{{ }}'.)",
    );
}

#[test]
fn omit_leaves_out() {
    let variables = variables(PLAY);
    let context = Context::new(&variables);
    let args = trusted(Value::dict(
        [
            ("a", Value::from("{{ omit }}")),
            ("b", Value::list(vec![Value::from(1), Value::from("{{ omit }}")])),
        ]
        .into_iter()
        .collect(),
    ));
    assert_eq!(outcome(render_all(&args, &context)), "{'b': [1]}");
    assert!(render(&Template::new("{{ missing | default(omit) }}", None), &context).unwrap().is_omit());
    assert_eq!(outcome(render(&Template::new("a{{ omit }}", None), &context)), "'a'");
}

#[test]
fn values_without_templates_are_not_copied() {
    let variables = variables(PLAY);
    let context = Context::new(&variables);
    let plain = Value::list(vec![Value::from("a"), Value::list(vec![Value::from(1)])]);
    let (Value::List(before), Value::List(after)) = (&plain, render_all(&plain, &context).unwrap()) else {
        panic!("no list")
    };
    assert!(Arc::ptr_eq(before, &after));
}

#[test]
fn vaulted_text_says_what_is_missing() {
    let place = Place {
        source: Arc::new(Source { path: "v.yml".into(), text: "x".into(), secret: false }),
        line: 1,
        column: 1,
        length: 1,
    };
    let vaulted =
        Value::Vault(Arc::new(Vaulted::new("$ANSIBLE_VAULT;1.1;AES256\n36310a36310a3631\n", place)));
    let variables = variables("{}");
    let error = resolve(&vaulted, &Context::new(&variables)).unwrap_err();
    assert_eq!(
        error.message(),
        "Attempt to use undecryptable variable: Attempting to decrypt but no vault secrets found."
    );
    assert_eq!(error.place().unwrap().to_string(), "v.yml:1:1");
}

/// The place of an error in a template that stands in a file after `@`.
fn check_place(file: &str, source: &str, expect: &str) {
    let at = file.find('@').unwrap();
    let line = u32::try_from(file[..at].matches('\n').count()).unwrap() + 1;
    let column = u32::try_from(at - file[..at].rfind('\n').map_or(0, |end| end + 1)).unwrap() + 1;
    let text: Arc<str> = file.replacen('@', "", 1).into();
    let place = Place {
        source: Arc::new(Source { path: "f.yml".into(), text, secret: false }),
        line,
        column,
        length: 0,
    };
    let variables = variables(PLAY);
    let error = render(&Template::new(source, Some(place)), &Context::new(&variables)).unwrap_err();
    let place = error.place().unwrap();
    assert_eq!(format!("{}:{}+{} {}", place.line, place.column, place.length, error.message()), expect);
}

#[test]
fn errors_point_at_the_expression() {
    check_place("msg: @hello {{ missing }}", "hello {{ missing }}", "1:15+7 'missing' is undefined");
    check_place(
        "- msg: @\"a {{ user.nam | upper }}\"",
        "a {{ user.nam | upper }}",
        "1:14+8 object of type 'dict' has no attribute 'nam'",
    );
    check_place(
        "msg: |\n  @one\n  {{ 1 / 0 }}\n",
        "one\n{{ 1 / 0 }}\n",
        "3:6+5 Error rendering template: division by zero",
    );
    check_place(
        "msg: @{{ 1 + }}",
        "{{ 1 + }}",
        "1:13+2 Syntax error in template: unexpected 'end of print statement'",
    );
    check_place(
        "msg: @{{ word | nope }}",
        "{{ word | nope }}",
        "1:16+4 Syntax error in template: No filter named 'nope'.",
    );
}

#[test]
fn an_undefined_inside_a_variable_is_told_at_the_variable() {
    let text: Arc<str> = "bad: x {{ missing }}".into();
    let place = Place {
        source: Arc::new(Source { path: "vars.yml".into(), text, secret: false }),
        line: 1,
        column: 6,
        length: 0,
    };
    let bad = Value::Template(Arc::new(Template::new("x {{ missing }}", Some(place))));
    let variables = Variables { values: [("bad", bad)].into_iter().collect(), asked: Mutex::default() };
    let context = Context::new(&variables);
    let error = render(&Template::new("{{ bad }}", None), &context).unwrap_err();
    assert_eq!(error.place().unwrap().to_string(), "vars.yml:1:11");
    assert_eq!(outcome(render(&Template::new("{{ bad | default(1) }}", None), &context)), "1");
}

#[test]
fn files_use_other_files() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    write("base.j2", "[{% block a %}base {{ n }}{% endblock %}]\n");
    write(
        "macros.j2",
        "{% macro hi(who, mark='!') %}hi {{ who }}{{ mark }}{{ n is defined }}{% endmacro %}{% set pub = 5 %}",
    );
    write("part.j2", "part {{ i | default('-') }}\n");
    let variables = variables(PLAY);
    let context = Context::new(&variables).with_search_path(vec![dir.path().to_owned()]);
    let check = |source: &str, expect: &str| {
        let text = render_file(source, None, &Syntax::default(), &context);
        assert_eq!(text.unwrap_or_else(|error| error.message().to_owned()), expect, "{source}");
    };
    check(
        "{% extends 'base.j2' %}{% block a %}own, {{ super() }}{% endblock %}ignored{{ missing }}",
        "[own, base 7]",
    );
    check("{% import 'macros.j2' as m %}{{ m.hi('bob') }} {{ m.pub }}\n", "hi bob!False 5\n");
    check("{% macro m(x) %}({% block a %}{{ n }}{% endblock %}){% endmacro %}{{ m(1) }}", "(7)");
    check("{% import 'macros.j2' as m with context %}{{ m.hi('bob') }}", "hi bob!True");
    check("{% from 'macros.j2' import hi as h %}{{ h('eve', mark='?') }}", "hi eve?False");
    check("{% for i in items %}{% include 'part.j2' %}{% endfor %}", "part 1part 2");
    check("{% include 'none.j2' ignore missing %}ok", "ok");
    check("{% include ['none.j2', 'part.j2'] %}", "part -");
    check(r"{{ 'a\tb' }}", "a\tb");
    check("{{ none }}", "");
    let error = render_file("a\n{% include 'none.j2' %}", None, &Syntax::default(), &context).unwrap_err();
    assert!(
        error.message().starts_with("Error rendering template: 'none.j2' not found in search path: '"),
        "{error}"
    );
}

/// On a thread with the stack that worker threads have.
fn on_small_stack(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap().join().unwrap();
}

#[test]
fn depth_is_an_error_never_a_crash() {
    on_small_stack(|| {
        let too_deep = |source: &str| {
            let variables = variables(PLAY);
            let error = render(&Template::new(source, None), &Context::new(&variables)).unwrap_err();
            assert!(error.message().contains("recursion"), "{}", error.message());
        };
        too_deep("{% macro m(x) %}{{ m(x + 1) }}{% endmacro %}{{ m(1) }}");
        too_deep(
            "{% macro m(x) %}{% if true %}{% for i in [1] %}{{ [m(x)] | first | upper }}{% endfor %}{% endif %}{% endmacro %}{{ m(1) }}",
        );
        too_deep(&format!("{{{{ {}1{} }}}}", "(".repeat(100_000), ")".repeat(100_000)));
        too_deep(&format!("{{{{ {}1{} }}}}", "[".repeat(100_000), "]".repeat(100_000)));
        too_deep(&format!("{{{{ n{} }}}}", " | string".repeat(100_000)));
        too_deep(&format!("{{{{ {}1 }}}}", "not ".repeat(100_000)));
        too_deep(&format!("{}{}", "{% if flag %}".repeat(10_000), "{% endif %}".repeat(10_000)));
        too_deep(&format!("{}{}", "{% for i in items %}".repeat(10_000), "{% endfor %}".repeat(10_000)));
        too_deep("{% for i in [[[]]] recursive %}{{ loop([i]) }}{% endfor %}");
        too_deep("{% block a %}{{ self.a() }}{% endblock %}");
    });
}

#[test]
fn a_long_chain_of_variables_is_an_error_never_a_crash() {
    on_small_stack(|| {
        let mut values: Dict =
            (0..5000).map(|i| (format!("v{i}"), template(&format!("{{{{ v{} }}}}", i + 1)))).collect();
        values.insert("v5000", 1);
        let variables = Variables { values, asked: Mutex::default() };
        let context = Context::new(&variables);
        let error = render(&Template::new("{{ v0 }}", None), &context).unwrap_err();
        assert!(error.message().starts_with("Recursive loop detected"), "{error}");
        assert_eq!(outcome(render(&Template::new("{{ v4900 }}", None), &context)), "1");
    });
}

#[test]
fn the_deepest_that_parses_also_evaluates() {
    on_small_stack(|| {
        let variables = variables(PLAY);
        let context = Context::new(&variables);
        let brackets = format!("{{{{ {}1{} }}}}", "[".repeat(70), "]".repeat(70));
        render(&Template::new(brackets, None), &context).unwrap();
        let sum = format!("{{{{ 1{} }}}}", " + 1".repeat(999));
        assert_eq!(outcome(render(&Template::new(sum, None), &context)), "1000");
        let branches = format!("{{% if n == 0 %}}{}x{{% endif %}}", "{% elif n == 1 %}".repeat(140));
        assert_eq!(outcome(render(&Template::new(branches, None), &context)), "None");
    });
}

/// A generator that needs no crate: the same numbers each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }
}

#[test]
fn no_mangled_template_panics() {
    let data: serde_json::Value =
        serde_json::from_str(include_str!("../../tests/data/jinja_cases.json")).unwrap();
    let sources: Vec<&str> =
        data["cases"].as_array().unwrap().iter().map(|case| case["template"].as_str().unwrap()).collect();
    let context_vars = data["base_context"].as_object().unwrap().clone();
    on_small_stack({
        let sources: Vec<String> = sources.into_iter().map(str::to_owned).collect();
        move || {
            let variables = Variables { values: Dict::from(context_vars), asked: Mutex::default() };
            let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
            let pieces = [
                "{{", "}}", "{%", "%}", "-", "(", ")", "[", "]", "'", "\\", "|", ".", ",", " if ", " is ",
                "é", "9",
            ];
            for _ in 0..6000 {
                let source = &sources[dice.roll(sources.len())];
                // Lookups and endless work are not what is tested here.
                if ["lookup", "range", "lipsum", "password_hash", "random"]
                    .iter()
                    .any(|word| source.contains(word))
                {
                    continue;
                }
                let mut chars: Vec<char> = source.chars().collect();
                for _ in 0..=dice.roll(3) {
                    let at = dice.roll(chars.len() + 1);
                    match dice.roll(3) {
                        0 if at < chars.len() => drop(chars.remove(at)),
                        1 => {
                            let piece: Vec<char> = pieces[dice.roll(pieces.len())].chars().collect();
                            chars.splice(at..at, piece);
                        }
                        _ => {
                            let other: Vec<char> = sources[dice.roll(sources.len())].chars().collect();
                            let end = (at + dice.roll(6)).min(chars.len());
                            let from = dice.roll(other.len() + 1);
                            chars.splice(at.min(end)..end, other[from..].iter().copied().take(8));
                        }
                    }
                }
                let mangled: String = chars.into_iter().collect();
                let context = Context::new(&variables);
                drop(render(&Template::new(mangled.as_str(), None), &context));
                drop(condition(&Value::from(mangled), None, &context));
            }
        }
    });
}
