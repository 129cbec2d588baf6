//! `random_string`: text by chance, of the kinds of letters that are wished for.

use data_encoding::BASE64;

use crate::diagnostic::{Diagnostic, Result};
use crate::template::python_random::Random;
use crate::template::{Args, Context, LookupEntry};
use crate::value::Value;

pub(super) static ENTRY: LookupEntry =
    LookupEntry { name: "community.general.random_string", params: OPTIONS, run: random_string };

const OPTIONS: &[&str] = &[
    "base64",
    "ignore_similar_chars",
    "length",
    "lower",
    "min_lower",
    "min_numeric",
    "min_special",
    "min_upper",
    "numbers",
    "override_all",
    "override_special",
    "seed",
    "similar_chars",
    "special",
    "upper",
];

const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const DIGITS: &str = "0123456789";
const SPECIAL: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

fn random_string(_: &[Value], args: &Args<'_>, _: &Context<'_>) -> Result<Vec<Value>> {
    let mut random = match args.some("seed") {
        Some(seed) => Random::seeded(&Value::from(seed.to_string())),
        None => Random::system().map_err(|error| Diagnostic::new(format!("no random numbers: {error}")))?,
    };
    let length = usize::try_from(args.int("length")?.unwrap_or(8)).unwrap_or(0);
    let similar = if args.flag("ignore_similar_chars", false) {
        args.text("similar_chars")?.unwrap_or("il1LoO0")
    } else {
        ""
    };
    let letters = |text: &str| text.chars().filter(|c| !similar.contains(*c)).collect::<Vec<char>>();
    let special = letters(args.text("override_special")?.unwrap_or(SPECIAL));
    let (upper, lower, digits) = (letters(UPPER), letters(LOWER), letters(DIGITS));
    let mut text: Vec<char> = Vec::new();
    let mut pool = Vec::new();
    if let Some(all) = args.text("override_all")? {
        pool = letters(all);
    } else {
        // In the order in which the same seed gives the same text as in Ansible.
        let kinds = [
            ("min_numeric", &digits),
            ("min_lower", &lower),
            ("min_upper", &upper),
            ("min_special", &special),
        ];
        for (least, letters) in kinds {
            for _ in 0..args.int(least)?.unwrap_or(0) {
                text.extend(random.choice(letters));
            }
        }
        let kinds = [("upper", &upper), ("lower", &lower), ("numbers", &digits), ("special", &special)];
        for (wanted, letters) in kinds {
            if args.flag(wanted, true) {
                pool.extend_from_slice(letters);
            }
        }
    }
    if pool.is_empty() && text.len() < length {
        return Err(Diagnostic::new("Available characters cannot be None, please change constraints"));
    }
    while text.len() < length {
        text.extend(random.choice(&pool));
    }
    if args.some("seed").is_none() {
        random.shuffle(&mut text);
    }
    let text: String = text.into_iter().collect();
    Ok(vec![if args.flag("base64", false) { BASE64.encode(text.as_bytes()).into() } else { text.into() }])
}
