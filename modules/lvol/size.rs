//! How large a volume is wanted: `512`, `1.5g`, `+10%FREE`.

use crate::kit::{Failure, Result};

pub struct Size {
    pub sign: Option<char>,
    /// As it is written, without the sign.
    number: String,
    pub value: f64,
    pub of: Of,
}

/// What the number counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Of {
    Unit(char),
    /// Percent of that.
    Share(Share),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Share {
    Group,
    Volumes,
    Free,
    Origin,
}

const SHARES: [(&str, Share); 4] =
    [("VG", Share::Group), ("PVS", Share::Volumes), ("FREE", Share::Free), ("ORIGIN", Share::Origin)];

impl Size {
    pub fn parse(text: &str) -> Result<Self> {
        let bad = || Failure::new(format!("Bad size specification of '{text}'"));
        let (sign, rest) = match text.chars().next() {
            Some(sign @ ('+' | '-')) => (Some(sign), text.get(1..).unwrap_or_default()),
            _ => (None, text),
        };
        let (number, value, of) = if let Some((number, share)) = rest.split_once('%') {
            let value: u32 = number.parse().map_err(|_| bad())?;
            if value > 100 {
                return Err(Failure::new("Size percentage cannot be larger than 100%"));
            }
            let share = SHARES
                .iter()
                .find(|(name, _)| *name == share)
                .ok_or_else(|| Failure::new("Specify extents as a percentage of VG|PVS|FREE|ORIGIN"))?;
            (number, f64::from(value), Of::Share(share.1))
        } else {
            let unit = rest.chars().last().filter(|unit| "bskmgtpeBSKMGTPE".contains(*unit));
            let number = unit.and_then(|unit| rest.strip_suffix(unit)).unwrap_or(rest);
            let is_plain = number.starts_with(|c: char| c.is_ascii_digit())
                && number.chars().all(|c| c.is_ascii_digit() || c == '.');
            let value = number.parse().ok().filter(|_| is_plain).ok_or_else(bad)?;
            (number, value, Of::Unit(unit.unwrap_or('m')))
        };
        Ok(Self { sign, number: number.to_owned(), value, of })
    }

    /// The unit that LVM's sizes are compared in.
    pub fn unit(&self) -> char {
        match self.of {
            Of::Unit(unit) => unit.to_ascii_lowercase(),
            Of::Share(_) => 'm',
        }
    }

    /// The option's letter, and its value without the sign.
    pub fn option(&self) -> (&'static str, String) {
        let number = &self.number;
        match self.of {
            Of::Unit(unit) => ("-L", format!("{number}{unit}")),
            Of::Share(share) => {
                let name = SHARES.iter().find(|(_, known)| *known == share).map_or("", |(name, _)| *name);
                ("-l", format!("{number}%{name}"))
            }
        }
    }

    /// The same with the sign, for a volume that is there.
    pub fn signed(&self) -> (&'static str, String) {
        let (letter, text) = self.option();
        (letter, self.sign.into_iter().chain(text.chars()).collect())
    }
}
