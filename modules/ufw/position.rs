//! Where a rule is inserted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// From where a position counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Position {
    FirstIpv4,
    FirstIpv6,
    LastIpv4,
    LastIpv6,
    #[default]
    Zero,
}

impl Position {
    /// The number of the rule to insert before, by what `ufw status numbered` says; `None` for the end.
    pub(super) fn number(self, insert: i64, numbered: &str) -> Option<i64> {
        if self == Self::Zero {
            return Some(insert);
        }
        let rule = |line: &str| -> Option<(i64, bool)> {
            let (number, rest) = line.trim().strip_prefix('[')?.split_once(']')?;
            Some((number.trim().parse().ok()?, rest.contains("(v6)") || rest.contains("::")))
        };
        let rules: Vec<(i64, bool)> = numbered.lines().filter_map(rule).collect();
        let last = rules.last().map_or(0, |(number, _)| *number);
        let first_v6 =
            rules.iter().find(|(_, is_v6)| *is_v6).map_or(last.saturating_add(1), |(number, _)| *number);
        let base = match self {
            Self::FirstIpv4 | Self::Zero => 1,
            Self::LastIpv4 => first_v6.saturating_sub(1).max(1),
            Self::FirstIpv6 => first_v6,
            Self::LastIpv6 => last.max(first_v6),
        };
        base.checked_add(insert).filter(|at| *at <= last)
    }
}

#[cfg(test)]
mod tests {
    use super::Position;

    #[test]
    fn positions_are_relative() {
        let rules = "Status: active\n[ 1] 22 ALLOW IN Anywhere\n[ 2] 80 ALLOW IN Anywhere\n\
                     [ 3] 22 (v6) ALLOW IN Anywhere (v6)\n[ 4] 80 (v6) ALLOW IN Anywhere (v6)\n";
        for (position, insert, expected) in [
            (Position::Zero, 3, Some(3)),
            (Position::FirstIpv4, 0, Some(1)),
            (Position::LastIpv4, 0, Some(2)),
            (Position::FirstIpv6, 0, Some(3)),
            (Position::FirstIpv6, 1, Some(4)),
            (Position::LastIpv6, 1, None),
        ] {
            assert_eq!(position.number(insert, rules), expected, "{position:?} {insert}");
        }
        assert_eq!(Position::FirstIpv6.number(0, "Status: active\n"), None);
    }
}
