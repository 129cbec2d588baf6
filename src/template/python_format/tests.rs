//! What Python 3.13 answers.

use std::sync::Arc;

use super::{percent, str_format};
use crate::diagnostic::Result;
use crate::value::Value;

/// Format, operand as JSON, result.
const PERCENT: &[(&str, &str, Result<&str, &str>)] = &[
    ("%s", r#""a""#, Ok("a")),
    ("%s", r#"[1, "b"]"#, Ok("[1, 'b']")),
    ("%s-%03d", r#"tuple ["x", 7]"#, Ok("x-007")),
    ("%d", "3.99", Ok("3")),
    ("%d", "-5", Ok("-5")),
    ("%+d", "5", Ok("+5")),
    ("% d", "5", Ok(" 5")),
    ("%5d|", "5", Ok("    5|")),
    ("%-5d|", "5", Ok("5    |")),
    ("%05d", "-42", Ok("-0042")),
    ("%x", "255", Ok("ff")),
    ("%#x", "255", Ok("0xff")),
    ("%#o", "8", Ok("0o10")),
    ("%X", "48879", Ok("BEEF")),
    ("%e", "12345.678", Ok("1.234568e+04")),
    ("%.2e", "0.00012", Ok("1.20e-04")),
    ("%g", "10000000000.0", Ok("1e+10")),
    ("%g", "0.0001", Ok("0.0001")),
    ("%g", "100000", Ok("100000")),
    ("%g", "1234567", Ok("1.23457e+06")),
    ("%.3g", "3.14159", Ok("3.14")),
    ("%#g", "1.0", Ok("1.00000")),
    ("%f", "1.5", Ok("1.500000")),
    ("%.0f", "2.5", Ok("2")),
    ("%.0f", "3.5", Ok("4")),
    ("%10.3f|", "3.14159", Ok("     3.142|")),
    ("%F", "1.0", Ok("1.000000")),
    ("%c", r#""z""#, Ok("z")),
    ("%c", "65", Ok("A")),
    ("%r", r#""it's""#, Ok(r#""it's""#)),
    ("%a", r#""ü""#, Ok(r"'\xfc'")),
    ("%%", "tuple []", Ok("%")),
    ("100%%", "tuple []", Ok("100%")),
    ("%s%%", "50", Ok("50%")),
    ("%(a)s-%(b)d", r#"{"a": 1, "b": 2}"#, Ok("1-2")),
    ("%(a)s", r#"{"a": 1, "z": 2}"#, Ok("1")),
    ("%.2s", r#""abc""#, Ok("ab")),
    ("%5s|", r#""ab""#, Ok("   ab|")),
    ("%-5s|", r#""ab""#, Ok("ab   |")),
    ("%*d", "tuple [5, 3]", Ok("    3")),
    ("%.*f", "tuple [2, 3.14159]", Ok("3.14")),
    ("%s", "null", Ok("None")),
    ("%s", "true", Ok("True")),
    ("%d", "true", Ok("1")),
    ("%s", "tuple [1]", Ok("1")),
    ("%i", "3", Ok("3")),
    ("%u", "3", Ok("3")),
    ("%ld", "3", Ok("3")),
    ("%s %s", r#"tuple ["a"]"#, Err("not enough arguments for format string")),
    ("%s", r#"tuple ["a", "b"]"#, Err("not all arguments converted during string formatting")),
    ("%d", r#""x""#, Err("%d format: a real number is required, not str")),
    ("%x", "1.5", Err("%x format: an integer is required, not float")),
    ("%f", r#""x""#, Err("must be real number, not str")),
    ("%y", "1", Err("unsupported format character 'y' (0x79) at index 1")),
    ("%", "1", Err("incomplete format")),
    ("%(a)s", "1", Err("format requires a mapping")),
    ("%(b)s", r#"{"a": 1}"#, Err("'b'")),
    ("x", "1", Err("not all arguments converted during string formatting")),
    ("x", "[]", Ok("x")),
    ("x", "{}", Ok("x")),
    ("%(a", r#"{"a": 1}"#, Err("incomplete format key")),
    ("%s", "{}", Ok("{}")),
    ("%s %s", "[1, 2]", Err("not enough arguments for format string")),
    ("%08.2f", "-3.14159", Ok("-0003.14")),
    ("%+.1e", "0.0", Ok("+0.0e+00")),
    ("%c", r#""ab""#, Err("%c requires int or char")),
];

/// Format, positional and named arguments as JSON, result.
const BRACES: &[(&str, &str, &str, Result<&str, &str>)] = &[
    ("{}", r#"["a"]"#, "{}", Ok("a")),
    ("{0}{1}{0}", r#"["a", "b"]"#, "{}", Ok("aba")),
    ("{} {}", "[1, 2.5]", "{}", Ok("1 2.5")),
    ("{:>5}|", r#"["a"]"#, "{}", Ok("    a|")),
    ("{:<5}|", r#"["a"]"#, "{}", Ok("a    |")),
    ("{:^5}|", r#"["a"]"#, "{}", Ok("  a  |")),
    ("{:*^7}", r#"["a"]"#, "{}", Ok("***a***")),
    ("{:05d}", "[-42]", "{}", Ok("-0042")),
    ("{:5}|", "[3]", "{}", Ok("    3|")),
    ("{:+}", "[3]", "{}", Ok("+3")),
    ("{: }", "[3]", "{}", Ok(" 3")),
    ("{:,}", "[1234567]", "{}", Ok("1,234,567")),
    ("{:_}", "[1234567]", "{}", Ok("1_234_567")),
    ("{:,.2f}", "[1234567.891]", "{}", Ok("1,234,567.89")),
    ("{:x}", "[255]", "{}", Ok("ff")),
    ("{:#x}", "[255]", "{}", Ok("0xff")),
    ("{:b}", "[5]", "{}", Ok("101")),
    ("{:#b}", "[5]", "{}", Ok("0b101")),
    ("{:o}", "[8]", "{}", Ok("10")),
    ("{:X}", "[48879]", "{}", Ok("BEEF")),
    ("{:e}", "[12345.678]", "{}", Ok("1.234568e+04")),
    ("{:.3}", "[3.14159]", "{}", Ok("3.14")),
    ("{:.3}", "[2.0]", "{}", Ok("2.0")),
    ("{:.2%}", "[0.1234]", "{}", Ok("12.34%")),
    ("{:g}", "[1e+20]", "{}", Ok("1e+20")),
    ("{:.2f}", "[2]", "{}", Ok("2.00")),
    ("{!r}", r#"["a"]"#, "{}", Ok("'a'")),
    ("{!s:>4}", "[1]", "{}", Ok("   1")),
    ("{!a}", r#"["ü"]"#, "{}", Ok(r"'\xfc'")),
    ("{{}}", "[]", "{}", Ok("{}")),
    ("{{{}}}", "[1]", "{}", Ok("{1}")),
    ("{a}", "[]", r#"{"a": 1}"#, Ok("1")),
    ("{a[b]}", "[]", r#"{"a": {"b": 2}}"#, Ok("2")),
    ("{0[1]}", "[[1, 2]]", "{}", Ok("2")),
    ("{:{}}|", r#"["a", 5]"#, "{}", Ok("a    |")),
    ("{:{w}}|", r#"["a"]"#, r#"{"w": 4}"#, Ok("a   |")),
    ("{:c}", "[65]", "{}", Ok("A")),
    ("{:.2}", r#"["abc"]"#, "{}", Ok("ab")),
    ("{:010,}", "[1234]", "{}", Ok("00,001,234")),
    ("{:=+6}", "[3]", "{}", Ok("+    3")),
    ("{:<06}", "[3]", "{}", Ok("300000")),
    ("{}", "[null]", "{}", Ok("None")),
    ("{}", "[true]", "{}", Ok("True")),
    ("{:d}", "[true]", "{}", Ok("1")),
    ("{:5}|", "[true]", "{}", Ok("    1|")),
    ("{:n}", "[5]", "{}", Ok("5")),
    ("{:_x}", "[2882400018]", "{}", Ok("abcd_ef12")),
    ("{}", "[]", "{}", Err("Replacement index 0 out of range for positional args tuple")),
    (
        "{0}{}",
        "[1, 2]",
        "{}",
        Err("cannot switch from manual field specification to automatic field numbering"),
    ),
    (
        "{}{0}",
        "[1, 2]",
        "{}",
        Err("cannot switch from automatic field numbering to manual field specification"),
    ),
    ("{", "[]", "{}", Err("Single '{' encountered in format string")),
    ("}", "[]", "{}", Err("Single '}' encountered in format string")),
    ("{x}", "[]", "{}", Err("'x'")),
    ("{:d}", r#"["a"]"#, "{}", Err("Unknown format code 'd' for object of type 'str'")),
    ("{:s}", "[1]", "{}", Err("Unknown format code 's' for object of type 'int'")),
    ("{:.2d}", "[3]", "{}", Err("Precision not allowed in integer format specifier")),
    ("{!z}", "[1]", "{}", Err("Unknown conversion specifier z")),
    ("{:y}", "[1.0]", "{}", Err("Unknown format code 'y' for object of type 'float'")),
    ("{:>>5", r#"["a"]"#, "{}", Err("expected '}' before end of string")),
    ("{:5}", "[[1]]", "{}", Err("unsupported format string passed to list.__format__")),
    ("{a.b}", "[]", r#"{"a": {"b": 1}}"#, Err("'dict' object has no attribute 'b'")),
    ("{:abc}", "[1]", "{}", Err("Invalid format specifier 'abc' for object of type 'int'")),
    ("{0[x]}", "[[1]]", "{}", Err("list indices must be integers or slices, not str")),
    ("{:010.2f}", "[-3.14159]", "{}", Ok("-000003.14")),
];

fn value(json: &str) -> Value {
    let parse = |json: &str| Value::from(serde_json::from_str::<serde_json::Value>(json).unwrap());
    match json.strip_prefix("tuple ") {
        Some(items) => Value::Tuple(Arc::new(parse(items).as_list().unwrap().to_vec())),
        None => parse(json),
    }
}

fn check(what: &str, given: Result<String>, expect: Result<&str, &str>) {
    let given = given.map_err(|error| error.to_string());
    assert_eq!(given.as_deref().map_err(String::as_str), expect, "{what:?}");
}

#[test]
fn percent_formats() {
    for (format, args, expect) in PERCENT {
        check(format, percent(format, &value(args)), *expect);
    }
}

#[test]
fn brace_formats() {
    for (format, positional, named, expect) in BRACES {
        let (positional, named) = (value(positional), value(named));
        check(format, str_format(format, positional.as_list().unwrap(), named.as_dict().unwrap()), *expect);
    }
}
