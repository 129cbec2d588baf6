//! Permission bits, numeric and symbolic.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;

/// What the user wrote as `mode`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    Bits(u32),
    /// `u=rw,g+x`: relative to what is there.
    Symbolic(Box<[Clause]>),
    /// The mode of the source file.
    Preserve,
}

/// `ug+rw-x`: for whom, and what to do in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clause {
    text: Box<str>,
    /// Without one, the umask counts.
    who: Box<[Who]>,
    steps: Box<[Step]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    User,
    Group,
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    how: How,
    perms: Perms,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Add,
    Remove,
    Set,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Perms {
    /// Letters out of `rwxXst`.
    Letters(Box<str>),
    /// The permissions someone has: `g=u`.
    Copy(Who),
}

impl Mode {
    /// The bits a file gets that has `current` now.
    pub fn apply(&self, current: u32, is_dir: bool, umask: u32) -> u32 {
        match self {
            Self::Bits(bits) => *bits,
            Self::Preserve => current & 0o7777,
            Self::Symbolic(clauses) => {
                clauses.iter().fold(current & 0o7777, |bits, clause| clause.apply(bits, is_dir, umask))
            }
        }
    }

    /// A number, or the symbolic text.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Bits(bits) => Json::from(*bits),
            other => Json::from(other.to_string()),
        }
    }
}

impl Who {
    const ALL: [Self; 3] = [Self::User, Self::Group, Self::Other];

    fn shift(self) -> u32 {
        match self {
            Self::User => 6,
            Self::Group => 3,
            Self::Other => 0,
        }
    }

    /// The set-id bit (sticky for others).
    fn special(self) -> u32 {
        match self {
            Self::User => 0o4000,
            Self::Group => 0o2000,
            Self::Other => 0o1000,
        }
    }
}

impl Clause {
    fn apply(&self, bits: u32, is_dir: bool, umask: u32) -> u32 {
        // Without `ugo`, as chmod does it: for all, but never what the umask takes away.
        let (who, allowed): (&[Who], u32) =
            if self.who.is_empty() { (&Who::ALL, !(umask & 0o777)) } else { (&self.who, !0) };
        self.steps.iter().fold(bits, |bits, step| {
            let mut set = 0;
            let mut clear = 0;
            for one in who {
                let (rwx, special) = step.perms.bits(*one, bits, is_dir);
                set |= (rwx << one.shift()) | special;
                clear |= 0o7 << one.shift();
                // A directory keeps set-id bits that a plain `=` does not name, as with GNU chmod.
                if !is_dir {
                    clear |= one.special();
                }
            }
            set &= allowed;
            match step.how {
                How::Add => bits | set,
                How::Remove => bits & !set,
                How::Set => (bits & !(clear & allowed)) | set,
            }
        })
    }
}

impl Perms {
    /// The `rwx` bits for someone, and the special bit.
    fn bits(&self, who: Who, current: u32, is_dir: bool) -> (u32, u32) {
        match self {
            Self::Copy(from) => ((current >> from.shift()) & 0o7, 0),
            Self::Letters(letters) => letters.chars().fold((0, 0), |(rwx, special), letter| match letter {
                'r' => (rwx | 4, special),
                'w' => (rwx | 2, special),
                'x' => (rwx | 1, special),
                'X' if is_dir || current & 0o111 != 0 => (rwx | 1, special),
                's' if who != Who::Other => (rwx, special | who.special()),
                't' if who == Who::Other => (rwx, special | 0o1000),
                _ => (rwx, special),
            }),
        }
    }
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text == "preserve" {
            return Ok(Self::Preserve);
        }
        let digits = text.strip_prefix("0o").unwrap_or(text);
        if !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit()) {
            return match u32::from_str_radix(digits, 8) {
                Ok(bits) if bits <= 0o7777 => Ok(Self::Bits(bits)),
                _ => Err(format!("mode must be in octal or symbolic form, got: {text}")),
            };
        }
        let clauses = text.split(',').map(clause).collect::<Option<Box<[Clause]>>>();
        clauses
            .map(Self::Symbolic)
            .ok_or_else(|| format!("mode must be in octal or symbolic form, got: {text}"))
    }
}

fn clause(text: &str) -> Option<Clause> {
    let at = text.find(['+', '-', '='])?;
    let (whos, mut rest) = text.split_at_checked(at)?;
    let mut who = Vec::new();
    for letter in whos.chars() {
        match letter {
            'u' => who.push(Who::User),
            'g' => who.push(Who::Group),
            'o' => who.push(Who::Other),
            'a' => who.extend(Who::ALL),
            _ => return None,
        }
    }
    let mut steps = Vec::new();
    while let Some(sign) = rest.chars().next() {
        let how = match sign {
            '+' => How::Add,
            '-' => How::Remove,
            '=' => How::Set,
            _ => return None,
        };
        let after = rest.get(1..)?;
        let end = after.find(['+', '-', '=']).unwrap_or(after.len());
        let (letters, next) = after.split_at_checked(end)?;
        rest = next;
        let perms = match letters {
            "u" => Perms::Copy(Who::User),
            "g" => Perms::Copy(Who::Group),
            "o" => Perms::Copy(Who::Other),
            letters if letters.chars().all(|c| "rwxXst".contains(c)) => Perms::Letters(letters.into()),
            _ => return None,
        };
        steps.push(Step { how, perms });
    }
    Some(Clause { text: text.into(), who: who.into(), steps: steps.into() })
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bits(bits) => write!(f, "{bits:04o}"),
            Self::Preserve => f.write_str("preserve"),
            Self::Symbolic(clauses) => {
                for (i, clause) in clauses.iter().enumerate() {
                    if i > 0 {
                        f.write_str(",")?;
                    }
                    f.write_str(&clause.text)?;
                }
                Ok(())
            }
        }
    }
}

impl Serialize for Mode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bits(bits) => serializer.serialize_u32(*bits),
            other => serializer.collect_str(other),
        }
    }
}

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Bits(u32),
            Text(String),
        }
        match Form::deserialize(deserializer)? {
            Form::Bits(bits) => Ok(Self::Bits(bits)),
            Form::Text(text) => text.parse().map_err(serde::de::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Mode;

    #[test]
    fn modes_are_read_and_applied_as_chmod_does() {
        // (mode, before, directory, after), umask 022
        for (text, before, is_dir, after) in [
            ("0644", 0o777, false, Some(0o644)),
            ("644", 0, false, Some(0o644)),
            ("0o1777", 0, true, Some(0o1777)),
            ("u=rw,g=r,o=", 0o777, false, Some(0o640)),
            ("u+x", 0o644, false, Some(0o744)),
            ("a-w", 0o666, false, Some(0o444)),
            ("+x", 0o644, false, Some(0o755)),
            ("+w", 0o444, false, Some(0o644)),
            ("ug+X", 0o644, false, Some(0o644)),
            ("a+X", 0o644, true, Some(0o755)),
            ("g=u", 0o740, false, Some(0o770)),
            ("u+s", 0o755, false, Some(0o4755)),
            ("g+s,o+t", 0o755, true, Some(0o3755)),
            ("u=rwx-x", 0, false, Some(0o600)),
            ("preserve", 0o641, false, Some(0o641)),
            ("u=zz", 0, false, None),
            ("0999", 0, false, None),
            ("77777", 0, false, None),
            ("", 0, false, None),
        ] {
            let got = text.parse::<Mode>().ok().map(|mode| mode.apply(before, is_dir, 0o022));
            assert_eq!(got, after, "{text}");
        }
    }

    #[test]
    fn modes_print_as_they_were_written() {
        for text in ["0644", "u=rw,g=r,o=", "preserve"] {
            assert_eq!(text.parse::<Mode>().unwrap().to_string(), text);
        }
    }
}
