//! Yes and no, as Ansible reads them.

use fanfare_modules::kit::args::boolean_word;

use super::Value;

impl Value {
    /// What it says where a boolean is due: a boolean, a word for one, or exactly 1 or 0.
    pub fn as_boolean(&self) -> Option<bool> {
        match self {
            Self::Str(text) => boolean_word(text),
            Self::Bool(_) | Self::Int(_) | Self::Float(_) if *self == Self::Int(1) => Some(true),
            Self::Bool(_) | Self::Int(_) | Self::Float(_) if *self == Self::Int(0) => Some(false),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers() {
        for (value, expected) in [
            (Value::from("Yes"), Some(true)),
            (Value::from(" off\n"), Some(false)),
            (Value::from("1"), Some(true)),
            (Value::from("1.0"), None),
            (Value::from(""), None),
            (Value::from("maybe"), None),
            (Value::Int(1), Some(true)),
            (Value::Int(2), None),
            (Value::Float(0.0), Some(false)),
            (Value::Float(0.5), None),
            (Value::None, None),
        ] {
            assert_eq!(value.as_boolean(), expected, "{value:?}");
        }
    }
}
