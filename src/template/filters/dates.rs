//! Dates: `to_datetime`, `strftime`, and the datetime and timedelta they speak of.

use std::any::Any;
use std::cmp::Ordering;
use std::sync::Arc;

use jiff::civil::DateTime;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, Zoned};

use crate::diagnostic::{Diagnostic, Result};
use crate::template::context::note_mood;
use crate::template::{Args, Context, FilterEntry};
use crate::value::{Dict, Object, Operator, Value};

pub(super) static TABLE: &[FilterEntry] = &[
    FilterEntry::new("strftime", &["second", "utc"], strftime),
    FilterEntry::new("to_datetime", &["format"], to_datetime),
];

/// The subject is the format; the time is now unless given in seconds.
fn strftime(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let time = match args.some("second") {
        None => {
            note_mood();
            Timestamp::now()
        }
        Some(given) => {
            let seconds = match given {
                Value::Str(text) => text.trim().parse().ok(),
                Value::Float(number) => Some(*number),
                #[expect(clippy::cast_precision_loss, reason = "as Python does")]
                other => other.as_int().map(|number| number as f64),
            };
            seconds
                .and_then(|seconds| SignedDuration::try_from_secs_f64(seconds).ok())
                .and_then(|since| Timestamp::from_duration(since).ok())
                .ok_or_else(|| Diagnostic::new(format!("Invalid value for epoch value ({given})")))?
        }
    };
    let utc = args.flag("utc", false);
    let zone = if utc { TimeZone::UTC } else { TimeZone::system() };
    format(&time.to_zoned(zone), super::text(subject, "strftime")?, utc).map(Value::from)
}

/// The time now, in UTC or where this machine is.
pub(in crate::template) fn now(utc: bool) -> Value {
    let zone = if utc { TimeZone::UTC } else { TimeZone::system() };
    Moment { time: Timestamp::now().to_zoned(zone).datetime(), offset: None }.value()
}

fn to_datetime(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let text = super::text(subject, "to_datetime")?;
    let format = args.string("format").unwrap_or("%Y-%m-%d %H:%M:%S".into());
    parse(text, &format)
        .map(Moment::value)
        .ok_or_else(|| Diagnostic::new(format!("time data '{text}' does not match format '{format}'")))
}

fn parse(text: &str, format: &str) -> Option<Moment> {
    let parsed = BrokenDownTime::parse(format, text).ok()?;
    let date = match (parsed.year(), parsed.month(), parsed.day()) {
        // What the format does not have is that of the first of January 1900.
        (year, month, day) if parsed.day_of_year().is_none() => {
            jiff::civil::Date::new(year.unwrap_or(1900), month.unwrap_or(1), day.unwrap_or(1)).ok()?
        }
        _ => parsed.to_date().ok()?,
    };
    let time = parsed.to_time().unwrap_or(jiff::civil::Time::midnight());
    Some(Moment { time: date.to_datetime(time), offset: parsed.offset() })
}

/// Python's `strftime`: what it does not know stays as it is. `aware` says that the time knows its zone.
pub(in crate::template) fn format(time: &Zoned, format: &str, aware: bool) -> Result<String> {
    let mut plain = String::new();
    let mut rest = format;
    while let Some((before, after)) = rest.split_once('%') {
        plain.push_str(before);
        let flags = after.find(|c: char| !"-_0^#0123456789:".contains(c)).unwrap_or(after.len());
        let (flags, tail) = after.split_at(flags);
        let mut chars = tail.chars();
        match chars.next() {
            // What C's locale writes in its own way.
            Some('c') => plain.push_str("%a %b %e %H:%M:%S %Y"),
            Some('x') => plain.push_str("%m/%d/%y"),
            Some('X') => plain.push_str("%H:%M:%S"),
            Some('f') if flags.is_empty() => {
                let micros = format!("{:06}", time.subsec_nanosecond() / 1000);
                plain.push_str(&micros);
            }
            Some('z' | 'Z') if !aware => {}
            Some(known) if KNOWN.contains(known) => {
                plain.push('%');
                plain.push_str(flags);
                plain.push(known);
            }
            other => {
                plain.push_str("%%");
                plain.push_str(flags);
                plain.extend(other);
            }
        }
        rest = chars.as_str();
    }
    plain.push_str(rest);
    jiff::fmt::strtime::format(&plain, time)
        .map_err(|error| Diagnostic::new(format!("'{format}' is no time format: {error}")))
}

/// The directives of glibc but those of a locale.
const KNOWN: &str = "aAbBCdDeFgGhHIjklmMnpPrRsStTuUVwWyYzZ%";

/// Python's `datetime`.
#[derive(Clone)]
struct Moment {
    time: DateTime,
    /// `None` for a naive one.
    offset: Option<Offset>,
}

impl Moment {
    fn value(self) -> Value {
        Value::Object(Arc::new(self))
    }

    fn zoned(&self) -> Option<Zoned> {
        let zone = self.offset.map_or_else(TimeZone::system, TimeZone::fixed);
        self.time.to_zoned(zone).ok()
    }

    /// `datetime.isoformat()`; `str()` puts a blank between date and time.
    fn iso(&self, between: char) -> String {
        let (date, time) = (self.time.date(), self.time.time());
        let micros = time.subsec_nanosecond() / 1000;
        let fraction = if micros == 0 { String::new() } else { format!(".{micros:06}") };
        let offset = self.offset.map_or(String::new(), |offset| {
            let seconds = offset.seconds();
            let sign = if seconds < 0 { '-' } else { '+' };
            format!("{sign}{:02}:{:02}", seconds.abs() / 3600, seconds.abs() / 60 % 60)
        });
        let clock = format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second());
        format!("{date}{between}{clock}{fraction}{offset}")
    }

    /// The time between two moments.
    fn since(&self, other: &Self) -> Option<SignedDuration> {
        match (self.offset, other.offset) {
            (None, None) => Some(self.time.duration_since(other.time)),
            (Some(_), Some(_)) => Some(self.zoned()?.duration_since(&other.zoned()?)),
            _ => None,
        }
    }
}

fn as_moment(value: &Value) -> Option<&Moment> {
    match value {
        Value::Object(object) => object.as_any()?.downcast_ref(),
        _ => None,
    }
}

fn as_span(value: &Value) -> Option<&Span> {
    match value {
        Value::Object(object) => object.as_any()?.downcast_ref(),
        _ => None,
    }
}

impl Object for Moment {
    fn type_name(&self) -> &'static str {
        "datetime"
    }

    fn get(&self, key: &Value) -> Option<Value> {
        let time = self.time;
        Some(Value::Int(match key.as_str()? {
            "year" => time.year().into(),
            "month" => time.month().into(),
            "day" => time.day().into(),
            "hour" => time.hour().into(),
            "minute" => time.minute().into(),
            "second" => time.second().into(),
            "microsecond" => (time.subsec_nanosecond() / 1000).into(),
            "tzinfo" if self.offset.is_none() => return Some(Value::None),
            _ => return None,
        }))
    }

    fn call_method(&self, name: &str, args: &[Value], _: &Dict) -> Option<Result<Value>> {
        Some(match name {
            "strftime" => {
                let zoned = self.zoned()?;
                format(&zoned, args.first()?.as_str()?, self.offset.is_some()).map(Value::from)
            }
            "isoformat" => Ok(self.iso('T').into()),
            #[expect(clippy::cast_precision_loss, reason = "as Python does")]
            "timestamp" => {
                let timestamp = self.zoned()?.timestamp();
                Ok(Value::Float(timestamp.as_microsecond() as f64 / 1e6))
            }
            "weekday" => Ok(Value::Int(self.time.weekday().to_monday_zero_offset().into())),
            "isoweekday" => Ok(Value::Int(self.time.weekday().to_monday_one_offset().into())),
            "date" => Ok(Value::from(self.time.date().to_string())),
            _ => return None,
        })
    }

    fn operate(&self, operator: Operator, other: &Value, reversed: bool) -> Option<Result<Value>> {
        if let (Operator::Sub, Some(other)) = (operator, as_moment(other)) {
            let (end, start) = if reversed { (other, self) } else { (self, other) };
            return Some(
                end.since(start)
                    .map(|span| Span(span).value())
                    .ok_or_else(|| Diagnostic::new("can't subtract offset-naive and offset-aware datetimes")),
            );
        }
        let span = as_span(other)?.0;
        let moved = match operator {
            Operator::Add => self.time.checked_add(span),
            Operator::Sub if !reversed => self.time.checked_sub(span),
            _ => return None,
        };
        Some(match moved {
            Ok(time) => Ok(Self { time, offset: self.offset }.value()),
            Err(_) => Err(Diagnostic::new("date value out of range")),
        })
    }

    fn compare(&self, other: &Value) -> Option<Ordering> {
        Some(self.since(as_moment(other)?)?.cmp(&SignedDuration::ZERO))
    }

    fn repr(&self) -> String {
        self.iso(' ')
    }

    fn in_json(&self) -> String {
        self.iso('T')
    }

    fn is_data(&self) -> bool {
        true
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

/// Python's `timedelta`.
#[derive(Clone)]
struct Span(SignedDuration);

const DAY: i64 = 86_400;

impl Span {
    fn value(self) -> Value {
        Value::Object(Arc::new(self))
    }

    /// Days, seconds of the day and microseconds; only the days may be negative.
    fn parts(&self) -> (i64, i64, i64) {
        let micros = i64::try_from(self.0.as_micros()).unwrap_or(0);
        let seconds = micros.div_euclid(1_000_000);
        (seconds.div_euclid(DAY), seconds.rem_euclid(DAY), micros.rem_euclid(1_000_000))
    }
}

impl Object for Span {
    fn type_name(&self) -> &'static str {
        "timedelta"
    }

    fn get(&self, key: &Value) -> Option<Value> {
        let (days, seconds, micros) = self.parts();
        Some(Value::Int(match key.as_str()? {
            "days" => days,
            "seconds" => seconds,
            "microseconds" => micros,
            _ => return None,
        }))
    }

    fn call_method(&self, name: &str, _: &[Value], _: &Dict) -> Option<Result<Value>> {
        (name == "total_seconds").then(|| Ok(Value::Float(self.0.as_secs_f64())))
    }

    fn operate(&self, operator: Operator, other: &Value, reversed: bool) -> Option<Result<Value>> {
        let other = as_span(other)?.0;
        let (a, b) = if reversed { (other, self.0) } else { (self.0, other) };
        let result = match operator {
            Operator::Add => a.checked_add(b),
            Operator::Sub => a.checked_sub(b),
            _ => return None,
        };
        Some(result.map(|span| Self(span).value()).ok_or_else(|| Diagnostic::new("timedelta out of range")))
    }

    fn compare(&self, other: &Value) -> Option<Ordering> {
        Some(self.0.cmp(&as_span(other)?.0))
    }

    fn repr(&self) -> String {
        let (days, seconds, micros) = self.parts();
        let plural = if days.abs() == 1 { "" } else { "s" };
        let days = if days == 0 { String::new() } else { format!("{days} day{plural}, ") };
        let fraction = if micros == 0 { String::new() } else { format!(".{micros:06}") };
        format!("{days}{}:{:02}:{:02}{fraction}", seconds / 3600, seconds / 60 % 60, seconds % 60)
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}
