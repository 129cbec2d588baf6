//! Python's equality and hashing.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use num_traits::ToPrimitive;

use super::Value;

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        use Value::{
            BigInt, Bool, Dict, Float, Int, List, None, Object, Omit, Str, Template, Tuple, Undefined, Vault,
        };
        match (self, other) {
            (None, None) | (Omit, Omit) | (Undefined(_), Undefined(_)) => true,
            (Bool(a), Bool(b)) => a == b,
            (Int(a), Int(b)) => a == b,
            (Bool(a), Int(b)) | (Int(b), Bool(a)) => i64::from(*a) == *b,
            (BigInt(a), BigInt(b)) => a == b,
            (Float(a), Float(b)) => a == b,
            (Float(a), Int(b)) | (Int(b), Float(a)) => int_equals_float(*b, *a),
            (Float(a), Bool(b)) | (Bool(b), Float(a)) => int_equals_float(i64::from(*b), *a),
            (Float(a), BigInt(b)) | (BigInt(b), Float(a)) => b.to_f64() == Some(*a),
            (Str(a), Str(b)) => a == b,
            (List(a), List(b)) | (Tuple(a), Tuple(b)) => Arc::ptr_eq(a, b) || a == b,
            (Dict(a), Dict(b)) => Arc::ptr_eq(a, b) || a == b,
            (Template(a), Template(b)) => a.source() == b.source(),
            (Vault(a), Vault(b)) => a.ciphertext == b.ciphertext,
            (Object(a), Object(b)) => {
                Arc::ptr_eq(a, b) || a.compare(other) == Some(std::cmp::Ordering::Equal)
            }
            _ => false,
        }
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Bool(flag) => i64::from(*flag).hash(state),
            Self::Int(number) => number.hash(state),
            Self::Float(number) => match number.to_i64() {
                Some(whole) if int_equals_float(whole, *number) => whole.hash(state),
                _ => number.to_bits().hash(state),
            },
            Self::BigInt(number) => number.hash(state),
            Self::Str(text) => text.hash(state),
            Self::Template(template) => template.source().hash(state),
            Self::Tuple(items) | Self::List(items) => items.hash(state),
            // Not hashable in Python; equal values still must agree here.
            Self::None
            | Self::Dict(_)
            | Self::Vault(_)
            | Self::Undefined(_)
            | Self::Object(_)
            | Self::Omit => 0_u8.hash(state),
        }
    }
}

fn int_equals_float(int: i64, float: f64) -> bool {
    // Through i128: an i64 near its limits has no exact f64.
    float.fract() == 0.0 && float.to_i128() == Some(i128::from(int))
}
