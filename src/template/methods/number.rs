//! Methods of numbers.

use num_bigint::BigInt;
use num_traits::{FromPrimitive, ToPrimitive};

use super::expect;
use crate::diagnostic::{Diagnostic, Result};
use crate::value::{Dict, Value};

pub(super) const INT_METHODS: &[&str] =
    &["as_integer_ratio", "bit_count", "bit_length", "conjugate", "is_integer"];
pub(super) const FLOAT_METHODS: &[&str] = &["as_integer_ratio", "conjugate", "hex", "is_integer"];

pub(super) fn property(value: &Value, name: &str) -> Option<Value> {
    let int = |value: &Value| match value {
        Value::Bool(flag) => Value::Int(i64::from(*flag)),
        other => other.clone(),
    };
    match (name, value) {
        ("imag", Value::Float(_)) => Some(Value::Float(0.0)),
        ("imag", _) => Some(Value::Int(0)),
        ("numerator" | "denominator", Value::Float(_)) => None,
        ("real" | "numerator", value) => Some(int(value)),
        ("denominator", _) => Some(Value::Int(1)),
        _ => None,
    }
}

pub(super) fn call(value: &Value, name: &str, args: &[Value], _named: &Dict) -> Result<Value> {
    let owner = if matches!(value, Value::Float(_)) { "float" } else { "int" };
    expect(&format!("{owner}.{name}"), args, 0, 0)?;
    if let Value::Float(number) = value {
        return float(*number, name);
    }
    let big = match value {
        Value::BigInt(number) => (**number).clone(),
        other => BigInt::from(other.as_int().unwrap_or(0)),
    };
    Ok(match name {
        "bit_length" => Value::from(i128::from(big.bits())),
        "bit_count" => Value::from(i128::from(big.magnitude().count_ones())),
        "is_integer" => Value::Bool(true),
        "as_integer_ratio" => Value::Tuple(vec![Value::from(big), Value::Int(1)].into()),
        _ => Value::from(big),
    })
}

fn float(number: f64, name: &str) -> Result<Value> {
    match name {
        "is_integer" => Ok(Value::Bool(number.is_finite() && number.fract() == 0.0)),
        "hex" => Ok(Value::from(hex(number))),
        "as_integer_ratio" => {
            let (mut top, mut bottom) = (number, BigInt::from(1));
            if !number.is_finite() {
                return Err(Diagnostic::new("cannot convert Infinity or NaN to integer ratio"));
            }
            while top.fract() != 0.0 {
                top *= 2.0;
                bottom *= 2;
            }
            let top = BigInt::from_f64(top).unwrap_or_default();
            Ok(Value::Tuple(vec![Value::from(top), Value::from(bottom)].into()))
        }
        _ => Ok(Value::Float(number)),
    }
}

fn hex(number: f64) -> String {
    if !number.is_finite() {
        return Value::Float(number).to_string();
    }
    let bits = number.to_bits();
    let sign = if number.is_sign_negative() { "-" } else { "" };
    let exponent = (bits >> 52 & 0x7ff).to_i64().unwrap_or(0);
    let fraction = bits & ((1 << 52) - 1);
    match (exponent, fraction) {
        (0, 0) => format!("{sign}0x0.0p+0"),
        (0, _) => format!("{sign}0x0.{fraction:013x}p-1022"),
        _ => format!("{sign}0x1.{fraction:013x}p{:+}", exponent - 1023),
    }
}
