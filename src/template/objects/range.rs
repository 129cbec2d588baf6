use std::any::Any;

use crate::diagnostic::{Diagnostic, Result};
use crate::value::{Dict, Object, Value};

/// `range(…)`: numbers that need no memory.
pub struct Range {
    start: i64,
    stop: i64,
    step: i64,
    /// How many numbers it has.
    length: usize,
}

/// More than this is a mistake, not a loop.
const LIMIT: i128 = 10_000_000;

impl Range {
    pub fn new(args: &[Value]) -> Result<Self> {
        let number = |value: &Value| match value {
            Value::Int(_) | Value::Bool(_) => Ok(value.as_int().unwrap_or(0)),
            other => Err(Diagnostic::new(format!(
                "'{}' object cannot be interpreted as an integer",
                other.type_name()
            ))),
        };
        let (start, stop, step) = match args {
            [stop] => (0, number(stop)?, 1),
            [start, stop] => (number(start)?, number(stop)?, 1),
            [start, stop, step] => (number(start)?, number(stop)?, number(step)?),
            [] => return Err(Diagnostic::new("range expected at least 1 argument, got 0")),
            more => {
                return Err(Diagnostic::new(format!(
                    "range expected at most 3 arguments, got {}",
                    more.len()
                )));
            }
        };
        if step == 0 {
            return Err(Diagnostic::new("range() arg 3 must not be zero"));
        }
        let (wide_start, wide_stop, wide_step) = (i128::from(start), i128::from(stop), i128::from(step));
        let distance = if step > 0 { wide_stop - wide_start } else { wide_start - wide_stop };
        let length = ((distance.max(0) + wide_step.abs() - 1) / wide_step.abs()).max(0);
        if length > LIMIT {
            return Err(Diagnostic::new(format!("a range of {length} numbers is too long")));
        }
        Ok(Self { start, stop, step, length: usize::try_from(length).unwrap_or(0) })
    }

    pub fn iter(&self) -> impl Iterator<Item = Value> {
        let (mut next, step) = (i128::from(self.start), i128::from(self.step));
        std::iter::from_fn(move || {
            let current = next;
            next += step;
            Some(Value::from(current))
        })
        .take(self.length)
    }
}

impl Object for Range {
    fn type_name(&self) -> &'static str {
        "range"
    }

    fn repr(&self) -> String {
        match self.step {
            1 => format!("range({}, {})", self.start, self.stop),
            step => format!("range({}, {}, {step})", self.start, self.stop),
        }
    }

    fn get(&self, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "start" => Some(Value::Int(self.start)),
            "stop" => Some(Value::Int(self.stop)),
            "step" => Some(Value::Int(self.step)),
            _ => None,
        }
    }

    fn call_method(&self, name: &str, args: &[Value], _: &Dict) -> Option<Result<Value>> {
        let wanted = args.first().filter(|_| args.len() == 1);
        let place = wanted.and_then(|wanted| self.iter().position(|number| number == *wanted));
        match (name, wanted) {
            ("count", Some(_)) => Some(Ok(Value::Int(place.is_some().into()))),
            ("index", Some(wanted)) => Some(
                place.map(Value::from).ok_or_else(|| Diagnostic::new(format!("{wanted} is not in range"))),
            ),
            _ => None,
        }
    }

    fn items(&self) -> Option<Vec<Value>> {
        Some(self.iter().collect())
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}
