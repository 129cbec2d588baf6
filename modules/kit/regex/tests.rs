//! What Python 3.13 answers.

use super::{Flags, Regex};

/// Flags, pattern, text, every match with its groups (`~`: took no part), the text with `-` for each match.
const FIND: &[(&str, &str, &str, &str, &str)] = &[
    ("", "a", "banana", "<a> <a> <a>", "b-n-n-"),
    ("", "^a|b$", "ab\n", "<a> <b>", "--\n"),
    ("", "b$", "ab\n", "<b>", "a-\n"),
    ("", r"b\Z", "ab\n", "", "ab\n"),
    ("", "x*", "abxd", "<> <> <x> <> <>", "-a-b--d-"),
    ("", "|a", "a", "<> <a> <>", "---"),
    ("", "a|", "ba", "<> <a> <>", "-b--"),
    ("", r"\b", "one two", "<> <> <> <>", "-one- -two-"),
    ("m", "^", "a\nb\n", "<> <> <>", "-a\n-b\n-"),
    ("m", "$", "a\nb\n", "<> <> <>", "a-\nb-\n-"),
    ("", "$", "a\nb\n", "<> <>", "a\nb-\n-"),
    ("", ".*", "abc", "<abc> <>", "--"),
    ("s", ".*", "a\nb", "<a\nb> <>", "--"),
    ("", "(?i)B", "abc", "<b>", "a-c"),
    ("", "(?P<x>a)(?P=x)", "baab", "<aa,a>", "b-b"),
    ("", r"(\w)\1", "aabbc", "<aa,a> <bb,b>", "--c"),
    ("", "[]a]+", "x]a]", "<]a]>", "x-"),
    ("", "[a[b]+", "[ab]", "<[ab>", "-]"),
    ("", "[a&&b]+", "a&b", "<a&b>", "-"),
    ("", r"[\w.-]+", "a.b-c d", "<a.b-c> <d>", "- -"),
    ("", r"[a\-z]+", "a-z b", "<a-z>", "- b"),
    ("", "a{,2}b", "aaab", "<aab>", "a-"),
    ("", "a{x}", "a{x}", "<a{x}>", "-"),
    ("", r"\{\{ (\w+) \}\}", "{{ foo }} {{ bar }}", "<{{ foo }},foo> <{{ bar }},bar>", "- -"),
    ("", r"{{ (\w+) }}", "{{ foo }}", "<{{ foo }},foo>", "-"),
    ("", r"\<a\>", "<a>", "<<a>>", "-"),
    ("", "(?x) a  b # comment", "ab", "<ab>", "-"),
    ("", "(?x)[a b]", "a b", "<a> < > <b>", "---"),
    ("", r"\x41\u00fc\101\0", "AüA\x00", "<AüA\x00>", "-"),
    ("", "(a)(?(1)b|c)", "ab", "<ab,a>", "-"),
    ("", "(?#hey)a", "a", "<a>", "-"),
    ("", r"(?a)\w+", "aü", "<a>", "-ü"),
    ("", r"\w+", "aü", "<aü>", "-"),
    ("", "(?i:A)b", "ab aB", "<ab>", "- aB"),
    ("", "(?s:.)b.", "\nb\n\nbx", "<\nbx>", "\nb\n-"),
    ("", "(?<=a)b", "ab", "<b>", "a-"),
    ("", "(?<!a)b", "ab cb", "<b>", "ab c-"),
    ("", "(a)|(b)", "ab", "<a,a,~> <b,~,b>", "--"),
    ("", "(?:a|b)+?", "aab", "<a> <a> <b>", "---"),
    ("", "a++b", "aaab", "<aaab>", "-"),
    ("", "(?>a+)b", "aab", "<aab>", "-"),
    ("", r"[\d\s]+", "1 2 x", "<1 2 >", "-x"),
    ("", r"[^\n]+", "a\nb", "<a> <b>", "-\n-"),
    ("", r"\s*=\s*", "a = b", "< = >", "a-b"),
    ("", r"^\s*#?\s*Port\s+\d+", "#Port 22", "<#Port 22>", "-"),
    ("m", "^(.*)$", "a\nb\n", "<a,a> <b,b> <,>", "-\n-\n-"),
    ("", r"[\b]", "a\x08", "<\x08>", "a-"),
    ("", "[[:alpha:]]", "a:]", "<:]>", "a-"),
    ("", r"[\]\[]", "a]", "<]>", "a-"),
    ("", "[--/]", "a./-", "<.> </> <->", "a---"),
    ("", "a||b", "ab", "<a> <> <b> <>", "----"),
    ("", "()", "ab", "<,> <,> <,>", "-a-b-"),
    ("", r"\/x\-y\:", "/x-y:", "</x-y:>", "-"),
    ("i", "é+", "ééa", "<éé>", "-a"),
    ("", "(?m)^b$", "a\nb\nc", "<b>", "a\n-\nc"),
    ("", r"(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)\10", "abcdefghijj", "<abcdefghijj,a,b,c,d,e,f,g,h,i,j>", "-"),
    ("", "~~[~]+[|]", "~~~|", "<~~~|>", "-"),
];

/// Patterns Python refuses, and what it says.
const BAD: &[(&str, &str)] = &[
    ("(", "missing ), unterminated subpattern at position 0"),
    (")", "unbalanced parenthesis at position 0"),
    ("a**", "multiple repeat at position 2"),
    ("*a", "nothing to repeat at position 0"),
    ("[a", "unterminated character set at position 0"),
    (r"\h", r"bad escape \h at position 0"),
    ("(?P<a", "missing >, unterminated name at position 4"),
    ("(?<n>a)", "unknown extension ?<n at position 1"),
    ("(?z)", "unknown extension ?z at position 1"),
    ("a(?i)b", "global flags not at the start of the expression at position 1"),
    (r"\1", "invalid group reference 1 at position 1"),
    ("(?P=x)", "unknown group name 'x' at position 4"),
    ("[z-a]", "bad character range z-a at position 1"),
    (r"\", "bad escape (end of pattern) at position 0"),
    ("(?P<1>a)", "bad character in group name '1' at position 4"),
    (r"\x4", r"incomplete escape \x4 at position 0"),
    ("(a)(?(2)b)", "invalid group reference 2 at position 6"),
    ("(?P<a>x)(?P<a>y)", "redefinition of group name 'a' as group 2; was group 1 at position 12"),
    ("x{1}{2}", "multiple repeat at position 4"),
    ("^*", "nothing to repeat at position 1"),
    (r"[a\", "bad escape (end of pattern) at position 2"),
];

/// Pattern, text, replacement, result.
const REPLACE: &[(&str, &str, &str, Result<&str, &str>)] = &[
    ("(a)(b)", "ab", r"\2\1", Ok("ba")),
    ("(?P<x>a)", "ab", r"[\g<x>]", Ok("[a]b")),
    ("(a)", "ab", r"\g<1>0\n\t\\", Ok("a0\n\t\\b")),
    ("a|(b)", "ab", r"<\1>", Ok("<><b>")),
    ("a", "ab", r"\.", Ok(r"\.b")),
    ("a", "ab", r"\g<0>\g<0>", Ok("aab")),
    ("a", "ab", r"\x", Err(r"bad escape \x at position 0")),
    ("a", "ab", r"\1", Err("invalid group reference 1 at position 1")),
    ("a", "ab", r"\", Err("bad escape (end of pattern) at position 0")),
    ("(a)", "ab", r"\101", Ok("Ab")),
    ("a", "ab", r"\0", Ok("\x00b")),
    ("a", "ab", r"\g<y>", Err("unknown group name 'y'")),
    ("a", "ab", r"\g", Err("missing < at position 2")),
    ("a", "ab", r"\-\&\_", Ok(r"\-\&\_b")),
    ("(a)", "ab", r"\g<1", Err("missing >, unterminated name at position 3")),
    ("b*", "abc", r"<\g<0>>", Ok("<>a<b><>c<>")),
];

fn regex(flags: &str, pattern: &str) -> Regex {
    let flags = Flags {
        ignore_case: flags.contains('i'),
        multiline: flags.contains('m'),
        dot_all: flags.contains('s'),
        ..Flags::default()
    };
    Regex::new(pattern, flags).unwrap_or_else(|error| panic!("{pattern}: {error}"))
}

#[test]
fn finds_what_python_finds() {
    for (flags, pattern, text, matches, replaced) in FIND {
        let regex = regex(flags, pattern);
        let found: Vec<String> = regex
            .find_all(text)
            .unwrap()
            .iter()
            .map(|found| {
                let groups: Vec<&str> = (0..=regex.groups()).map(|n| found.group(n).unwrap_or("~")).collect();
                format!("<{}>", groups.join(","))
            })
            .collect();
        assert_eq!(found.join(" "), *matches, "{pattern:?} in {text:?}");
        assert_eq!(regex.replace(text, "-", 0).unwrap().0, *replaced, "{pattern:?} replaced in {text:?}");
    }
}

#[test]
fn refuses_what_python_refuses() {
    for (pattern, message) in BAD {
        match Regex::new(pattern, Flags::default()) {
            Ok(_) => panic!("{pattern:?} was accepted"),
            Err(error) => assert_eq!(error.to_string(), *message, "{pattern:?}"),
        }
    }
}

#[test]
fn replaces_as_python_does() {
    for (pattern, text, replacement, expect) in REPLACE {
        let result = regex("", pattern).replace(text, replacement, 0).map(|(text, _)| text);
        let result = result.map_err(|error| error.to_string());
        assert_eq!(result.as_deref().map_err(String::as_str), *expect, "{pattern:?} by {replacement:?}");
    }
}

#[test]
fn counts_and_anchors() {
    assert_eq!(regex("", "a").replace("aaa", "b", 2).unwrap(), ("bba".to_owned(), 2));
    let whole = |pattern: &str, anchor: super::Anchor| {
        Regex::new(pattern, Flags { anchor, ..Flags::default() }).unwrap()
    };
    assert!(whole("a|ab", super::Anchor::Whole).is_match("ab").unwrap());
    assert!(!whole("a|ab", super::Anchor::Whole).is_match("abc").unwrap());
    assert!(whole("a", super::Anchor::Start).is_match("ab").unwrap());
    assert!(!whole("b", super::Anchor::Start).is_match("ab").unwrap());
}

#[test]
fn the_cache_keeps_flags_apart() {
    let plain = Regex::cached("A", Flags::default()).unwrap();
    let loose = Regex::cached("A", Flags { ignore_case: true, ..Flags::default() }).unwrap();
    assert!(!plain.is_match("a").unwrap() && loose.is_match("a").unwrap());
}
