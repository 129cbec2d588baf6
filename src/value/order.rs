//! Python's `<` and `in`.

use std::cmp::Ordering;

use num_bigint::BigInt;
use num_traits::{FromPrimitive, ToPrimitive};

use super::Value;
use crate::diagnostic::{Diagnostic, Result};

impl Value {
    /// How two values sort. Numbers compare with numbers, text with text, lists with lists, tuples with
    /// tuples; anything else is Python's `TypeError`, told with `operator` (`<`). `NaN` sorts as equal.
    pub fn compare(&self, other: &Self, operator: &str) -> Result<Ordering> {
        Ok(self.partial_compare(other, operator)?.unwrap_or(Ordering::Equal))
    }

    /// The same, with `None` where a `NaN` makes every comparison false.
    pub fn partial_compare(&self, other: &Self, operator: &str) -> Result<Option<Ordering>> {
        match (self, other) {
            (Self::Str(a), Self::Str(b)) => Ok(Some(a.cmp(b))),
            (Self::List(a), Self::List(b)) | (Self::Tuple(a), Self::Tuple(b)) => {
                for (a, b) in a.iter().zip(b.iter()) {
                    if a != b {
                        return a.partial_compare(b, operator);
                    }
                }
                Ok(Some(a.len().cmp(&b.len())))
            }
            (Self::Object(object), other) if object.compare(other).is_some() => Ok(object.compare(other)),
            _ => match (Number::of(self), Number::of(other)) {
                (Some(a), Some(b)) => Ok(a.compare(&b)),
                _ => Err(Diagnostic::new(format!(
                    "'{operator}' not supported between instances of '{}' and '{}'",
                    self.type_name(),
                    other.type_name()
                ))),
            },
        }
    }

    /// `item in self`: an item of a list, a key of a dict, a part of a text.
    pub fn contains(&self, item: &Self) -> Result<bool> {
        match self {
            Self::List(items) | Self::Tuple(items) => Ok(items.contains(item)),
            Self::Dict(entries) => Ok(entries.get_value(item).is_some()),
            Self::Str(text) => match item {
                Self::Str(part) => Ok(text.contains(&**part)),
                other => Err(Diagnostic::new(format!(
                    "'in <string>' requires string as left operand, not {}",
                    other.type_name()
                ))),
            },
            Self::Object(object) => match object.keys().or_else(|| object.items()) {
                Some(keys) => Ok(keys.contains(item)),
                None => Err(not_iterable(self)),
            },
            other => Err(not_iterable(other)),
        }
    }
}

fn not_iterable(value: &Value) -> Diagnostic {
    Diagnostic::new(format!("argument of type '{}' is not iterable", value.type_name()))
}

enum Number {
    Int(i64),
    Big(BigInt),
    Float(f64),
}

impl Number {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(flag) => Some(Self::Int(i64::from(*flag))),
            Value::Int(number) => Some(Self::Int(*number)),
            Value::BigInt(number) => Some(Self::Big((**number).clone())),
            Value::Float(number) => Some(Self::Float(*number)),
            _ => None,
        }
    }

    fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(b)),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(b),
            (Self::Float(a), exact) => compare_float(*a, &exact.to_big()),
            (exact, Self::Float(b)) => compare_float(*b, &exact.to_big()).map(Ordering::reverse),
            (a, b) => Some(a.to_big().cmp(&b.to_big())),
        }
    }

    fn to_big(&self) -> BigInt {
        match self {
            Self::Int(number) => BigInt::from(*number),
            Self::Big(number) => number.clone(),
            Self::Float(number) => BigInt::from_f64(*number).unwrap_or_default(),
        }
    }
}

/// Exact where a conversion of the integer to `f64` would round.
fn compare_float(float: f64, int: &BigInt) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    if float.is_infinite() {
        return Some(if float > 0.0 { Ordering::Greater } else { Ordering::Less });
    }
    let whole = BigInt::from_f64(float.trunc())?;
    Some(whole.cmp(int).then_with(|| {
        float.fract().to_f64().and_then(|part| part.partial_cmp(&0.0)).unwrap_or(Ordering::Equal)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(a: impl Into<Value>, b: impl Into<Value>, expect: Ordering) {
        let (a, b) = (a.into(), b.into());
        assert_eq!(a.compare(&b, "<").unwrap(), expect, "{a:?} against {b:?}");
        assert_eq!(b.compare(&a, "<").unwrap(), expect.reverse(), "{b:?} against {a:?}");
    }

    #[test]
    fn numbers_compare_exactly() {
        check(1, 2.5, Ordering::Less);
        check(2, 2.0, Ordering::Equal);
        check(true, 1, Ordering::Equal);
        check(-2.5, -2, Ordering::Less);
        check(9_007_199_254_740_993_i64, 9_007_199_254_740_992.0, Ordering::Greater);
        check(f64::INFINITY, i64::MAX, Ordering::Greater);
    }

    #[test]
    fn lists_compare_by_the_first_difference() {
        check(vec![1.into(), 2.into()], vec![1.into(), 3.into()], Ordering::Less);
        check(vec![1.into()], vec![1.into(), 3.into()], Ordering::Less);
    }

    #[test]
    fn kinds_do_not_mix() {
        let error = Value::from("a").compare(&Value::from(1), "<").unwrap_err();
        assert_eq!(error.message(), "'<' not supported between instances of 'str' and 'int'");
    }
}
