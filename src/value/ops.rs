//! Python's operators.

use std::sync::Arc;

use num_bigint::BigInt;
use num_traits::{FromPrimitive, Signed, ToPrimitive, Zero};

use super::Value;
use crate::diagnostic::{Diagnostic, Result};

/// The longest text or list that `*` makes, and the bits of the largest power: a typo must not eat the memory.
const LIMIT: usize = 1 << 26;

/// An operator between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Add,
    Sub,
    Mul,
    Div,
    FloorDiv,
    Rem,
    Pow,
    Concat,
}

impl Operator {
    /// As Python's messages name it.
    fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::FloorDiv => "//",
            Self::Rem => "%",
            Self::Pow => "** or pow()",
            Self::Concat => "~",
        }
    }
}

/// Two numbers brought to one kind.
enum Pair {
    Ints(i64, i64),
    Bigs(BigInt, BigInt),
    Floats(f64, f64),
}

impl Value {
    /// `self operator other`, with Python's results and Python's words for what does not work. `%` on text
    /// is not done here.
    pub fn operate(&self, operator: Operator, other: &Self) -> Result<Self> {
        use Operator::{Add, Concat, Mul};
        match (operator, self, other) {
            (Concat, _, _) => Ok(Self::from(format!("{self}{other}"))),
            (Add, Self::Str(a), Self::Str(b)) => Ok(Self::from(format!("{a}{b}"))),
            (Add, Self::List(a), Self::List(b)) => Ok(Self::List(joined(a, b))),
            (Add, Self::Tuple(a), Self::Tuple(b)) => Ok(Self::Tuple(joined(a, b))),
            (Add, Self::Str(_) | Self::List(_) | Self::Tuple(_), _) => {
                let (this, that) = (self.type_name(), other.type_name());
                Err(Diagnostic::new(format!("can only concatenate {this} (not \"{that}\") to {this}")))
            }
            (Mul, Self::Str(_) | Self::List(_) | Self::Tuple(_), count) => self.repeat(count),
            (Mul, count, Self::Str(_) | Self::List(_) | Self::Tuple(_)) => other.repeat(count),
            (_, Self::Object(object), _) => object
                .operate(operator, other, false)
                .unwrap_or_else(|| Err(self.unsupported(operator, other))),
            (_, _, Self::Object(object)) => {
                object.operate(operator, self, true).unwrap_or_else(|| Err(self.unsupported(operator, other)))
            }
            _ => match Pair::of(self, other)? {
                Some(pair) => pair.operate(operator),
                None => Err(self.unsupported(operator, other)),
            },
        }
    }

    /// `-self`.
    pub fn negate(&self) -> Result<Self> {
        match self {
            Self::Int(number) => Ok(Self::from(-i128::from(*number))),
            Self::Bool(flag) => Ok(Self::Int(-i64::from(*flag))),
            Self::BigInt(number) => Ok(Self::from(-(**number).clone())),
            Self::Float(number) => Ok(Self::Float(-number)),
            other => Err(Diagnostic::new(format!("bad operand type for unary -: '{}'", other.type_name()))),
        }
    }

    /// `+self`.
    pub fn positive(&self) -> Result<Self> {
        match self {
            Self::Int(_) | Self::BigInt(_) | Self::Float(_) => Ok(self.clone()),
            Self::Bool(flag) => Ok(Self::Int(i64::from(*flag))),
            other => Err(Diagnostic::new(format!("bad operand type for unary +: '{}'", other.type_name()))),
        }
    }

    fn repeat(&self, count: &Self) -> Result<Self> {
        let count = match count {
            Self::Int(_) | Self::Bool(_) => count.as_int().and_then(|n| usize::try_from(n.max(0)).ok()),
            Self::BigInt(n) if n.is_negative() => Some(0),
            Self::BigInt(_) => None,
            other => {
                return Err(Diagnostic::new(format!(
                    "can't multiply sequence by non-int of type '{}'",
                    other.type_name()
                )));
            }
        };
        let length = match self {
            Self::Str(text) => text.len(),
            other => other.as_list().map_or(0, <[Self]>::len),
        };
        let Some(count) = count.filter(|count| length.saturating_mul(*count) <= LIMIT) else {
            return Err(Diagnostic::new("repeated sequence is too long"));
        };
        let repeated =
            |items: &[Self]| Arc::new(std::iter::repeat_n(items, count).flatten().cloned().collect());
        Ok(match self {
            Self::Str(text) => Self::from(text.repeat(count)),
            Self::Tuple(items) => Self::Tuple(repeated(items)),
            other => Self::List(repeated(other.as_list().unwrap_or_default())),
        })
    }

    fn unsupported(&self, operator: Operator, other: &Self) -> Diagnostic {
        Diagnostic::new(format!(
            "unsupported operand type(s) for {}: '{}' and '{}'",
            operator.symbol(),
            self.type_name(),
            other.type_name()
        ))
    }
}

fn joined(a: &Arc<Vec<Value>>, b: &[Value]) -> Arc<Vec<Value>> {
    let mut items = Vec::with_capacity(a.len() + b.len());
    items.extend_from_slice(a);
    items.extend_from_slice(b);
    Arc::new(items)
}

impl Pair {
    /// `None` when one of them is no number.
    fn of(a: &Value, b: &Value) -> Result<Option<Self>> {
        if let (Some(a), Some(b)) = (a.as_int(), b.as_int()) {
            return Ok(Some(Self::Ints(a, b)));
        }
        if matches!(a, Value::Float(_)) || matches!(b, Value::Float(_)) {
            return Ok(match (to_float(a)?, to_float(b)?) {
                (Some(a), Some(b)) => Some(Self::Floats(a, b)),
                _ => None,
            });
        }
        Ok(match (to_big(a), to_big(b)) {
            (Some(a), Some(b)) => Some(Self::Bigs(a, b)),
            _ => None,
        })
    }

    fn operate(self, operator: Operator) -> Result<Value> {
        match self {
            Self::Ints(a, b) => {
                let (wide_a, wide_b) = (i128::from(a), i128::from(b));
                match operator {
                    Operator::Add => Ok(Value::from(wide_a + wide_b)),
                    Operator::Sub => Ok(Value::from(wide_a - wide_b)),
                    Operator::Mul => Ok(Value::from(wide_a * wide_b)),
                    Operator::FloorDiv if b != 0 => {
                        let rest = wide_a.rem_euclid(wide_b);
                        let rest = if rest != 0 && b < 0 { rest + wide_b } else { rest };
                        Ok(Value::from((wide_a - rest) / wide_b))
                    }
                    Operator::Rem if b != 0 => {
                        let rest = wide_a.rem_euclid(wide_b);
                        Ok(Value::from(if rest != 0 && b < 0 { rest + wide_b } else { rest }))
                    }
                    _ => bigs(operator, &BigInt::from(a), &BigInt::from(b)),
                }
            }
            Self::Bigs(a, b) => bigs(operator, &a, &b),
            Self::Floats(a, b) => floats(operator, a, b),
        }
    }
}

fn bigs(operator: Operator, a: &BigInt, b: &BigInt) -> Result<Value> {
    match operator {
        Operator::Add => Ok(Value::from(a + b)),
        Operator::Sub => Ok(Value::from(a - b)),
        Operator::Mul => Ok(Value::from(a * b)),
        Operator::Div if b.is_zero() => Err(Diagnostic::new("division by zero")),
        Operator::Div => Ok(Value::Float(exact_float(a)? / exact_float(b)?)),
        Operator::FloorDiv if b.is_zero() => Err(Diagnostic::new("integer division or modulo by zero")),
        Operator::Rem if b.is_zero() => Err(Diagnostic::new("integer modulo by zero")),
        Operator::FloorDiv | Operator::Rem => {
            let (mut quotient, mut rest) = (a / b, a % b);
            if !rest.is_zero() && rest.is_negative() != b.is_negative() {
                quotient -= 1;
                rest += b;
            }
            Ok(Value::from(if operator == Operator::Rem { rest } else { quotient }))
        }
        Operator::Pow if b.is_negative() => floats(operator, exact_float(a)?, exact_float(b)?),
        Operator::Pow => {
            let bits = usize::try_from(a.bits()).unwrap_or(usize::MAX);
            match b.to_u32() {
                Some(power) if bits <= 1 || bits.saturating_mul(power as usize) <= LIMIT => {
                    Ok(Value::from(a.pow(power)))
                }
                None if bits <= 1 => Ok(Value::from(a.pow(if (b % 2_u8).is_zero() { 2 } else { 1 }))),
                _ => Err(Diagnostic::new("the power is too large")),
            }
        }
        Operator::Concat => Ok(Value::from(format!("{a}{b}"))),
    }
}

fn floats(operator: Operator, a: f64, b: f64) -> Result<Value> {
    let zero = b == 0.0;
    let result = match operator {
        Operator::Add => a + b,
        Operator::Sub => a - b,
        Operator::Mul => a * b,
        Operator::Div if zero => return Err(Diagnostic::new("float division by zero")),
        Operator::FloorDiv if zero => return Err(Diagnostic::new("float floor division by zero")),
        Operator::Rem if zero => return Err(Diagnostic::new("float modulo by zero")),
        Operator::Div => a / b,
        Operator::FloorDiv => ((a - python_modulo(a, b)) / b).round(),
        Operator::Rem => python_modulo(a, b),
        Operator::Pow if a == 0.0 && b < 0.0 => {
            return Err(Diagnostic::new("0.0 cannot be raised to a negative power"));
        }
        Operator::Pow if a < 0.0 && b.is_finite() && b.fract() != 0.0 => {
            return Err(Diagnostic::new("Type 'complex' is unsupported for variable storage."));
        }
        Operator::Pow if a.is_finite() && b.is_finite() && a.powf(b).is_infinite() => {
            return Err(Diagnostic::new("(34, 'Numerical result out of range')"));
        }
        Operator::Pow => a.powf(b),
        Operator::Concat => return Ok(Value::from(format!("{}{}", Value::Float(a), Value::Float(b)))),
    };
    Ok(Value::Float(result))
}

/// The sign of the result is the divisor's.
fn python_modulo(a: f64, b: f64) -> f64 {
    let rest = a % b;
    if rest == 0.0 {
        0.0_f64.copysign(b)
    } else if (rest < 0.0) == (b < 0.0) {
        rest
    } else {
        rest + b
    }
}

fn exact_float(number: &BigInt) -> Result<f64> {
    number
        .to_f64()
        .filter(|float| float.is_finite())
        .ok_or_else(|| Diagnostic::new("int too large to convert to float"))
}

fn to_float(value: &Value) -> Result<Option<f64>> {
    match value {
        Value::Float(number) => Ok(Some(*number)),
        other => to_big(other).map(|number| exact_float(&number)).transpose(),
    }
}

fn to_big(value: &Value) -> Option<BigInt> {
    match value {
        Value::BigInt(number) => Some((**number).clone()),
        other => other.as_int().and_then(BigInt::from_i64),
    }
}

#[cfg(test)]
mod tests {
    use super::Operator::{Add, Div, FloorDiv, Mul, Pow, Rem, Sub};
    use super::*;

    fn check(a: impl Into<Value>, operator: Operator, b: impl Into<Value>, expect: &str) {
        let result = match a.into().operate(operator, &b.into()) {
            Ok(value) => value.repr(),
            Err(error) => error.message().to_owned(),
        };
        assert_eq!(result, expect);
    }

    #[test]
    fn integers_are_pythons() {
        check(-7, FloorDiv, 2, "-4");
        check(7, FloorDiv, -2, "-4");
        check(-7, Rem, 3, "2");
        check(5, Rem, -3, "-1");
        check(6, Rem, -3, "0");
        check(6, Div, 2, "3.0");
        check(i64::MAX, Add, 1, "9223372036854775808");
        check(i64::MIN, FloorDiv, -1, "9223372036854775808");
        check(2, Pow, 200, "1606938044258990275541962092341162602522202993782792835301376");
        check(2, Pow, -1, "0.5");
        check(true, Add, true, "2");
        check(2, Pow, i64::MAX, "the power is too large");
        check(1, Pow, i64::MAX, "1");
        check(5, Rem, 0, "integer modulo by zero");
    }

    #[test]
    fn floats_are_pythons() {
        check(-7.5, Rem, 2, "0.5");
        check(7.5, FloorDiv, 2, "3.0");
        check(5.5, Rem, -3, "-0.5");
        check(1, Sub, 0.5, "0.5");
        check(1.0, Div, 0, "float division by zero");
    }

    #[test]
    fn sequences_join_and_repeat() {
        check("a", Add, "b", "'ab'");
        check(3, Mul, "ab", "'ababab'");
        check("ab", Mul, -1, "''");
        check(vec![Value::from(0)], Mul, 2, "[0, 0]");
        check("a", Mul, i64::MAX, "repeated sequence is too long");
    }

    #[test]
    fn what_does_not_work_is_told_as_python_tells_it() {
        check("a", Add, 1, "can only concatenate str (not \"int\") to str");
        check("a", Mul, "b", "can't multiply sequence by non-int of type 'str'");
        check("a", Sub, 2, "unsupported operand type(s) for -: 'str' and 'int'");
        check(2, Pow, "a", "unsupported operand type(s) for ** or pow(): 'int' and 'str'");
    }
}
