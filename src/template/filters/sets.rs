//! Lists as sets.
//!
//! Python's sets have an order of their own, which for text changes from run to run. Here the items stay in
//! the order they came in, but for lists of whole numbers, where Python's order is always the same and so is
//! kept.

use indexmap::IndexSet;

use super::items;
use crate::diagnostic::Result;
use crate::template::{Args, Context, FilterEntry};
use crate::value::Value;

pub(super) static TABLE: &[FilterEntry] = &[
    FilterEntry::new("difference", &["b"], difference),
    FilterEntry::new("intersect", &["b"], intersect),
    FilterEntry::new("symmetric_difference", &["b"], symmetric_difference),
    FilterEntry::new("union", &["b"], union),
];

fn union(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let (a, b) = operands(subject, args, context)?;
    if let (Some(a), Some(b)) = (NumberSet::of(&a), NumberSet::of(&b)) {
        return Ok(a.union(&b).into());
    }
    Ok(distinct(a.into_iter().chain(b)))
}

fn intersect(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let (a, b) = operands(subject, args, context)?;
    if let (Some(a), Some(b)) = (NumberSet::of(&a), NumberSet::of(&b)) {
        let (walked, other) = if b.used > a.used { (&a, &b) } else { (&b, &a) };
        return Ok(NumberSet::from_iter(walked.iter().filter(|number| other.contains(*number))).into());
    }
    let b: IndexSet<&Value> = b.iter().collect();
    Ok(distinct(a.into_iter().filter(|item| b.contains(item))))
}

fn difference(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let (a, b) = operands(subject, args, context)?;
    if let (Some(a), Some(b)) = (NumberSet::of(&a), NumberSet::of(&b)) {
        return Ok(a.difference(&b).into());
    }
    let b: IndexSet<&Value> = b.iter().collect();
    Ok(distinct(a.into_iter().filter(|item| !b.contains(item))))
}

fn symmetric_difference(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let (a, b) = operands(subject, args, context)?;
    let (in_a, in_b): (IndexSet<&Value>, IndexSet<&Value>) = (a.iter().collect(), b.iter().collect());
    let only_a = a.iter().filter(|item| !in_b.contains(item));
    let only_b = b.iter().filter(|item| !in_a.contains(item));
    let result: Vec<Value> = only_a.chain(only_b).cloned().collect();
    if let Some(numbers) = NumberSet::of(&result) {
        return Ok(numbers.into());
    }
    Ok(distinct(result.into_iter()))
}

fn operands(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<(Vec<Value>, Vec<Value>)> {
    Ok((items(subject, context)?, items(args.required("b")?, context)?))
}

fn distinct(items: impl Iterator<Item = Value>) -> Value {
    let mut seen = IndexSet::new();
    items.filter(|item| seen.insert(item.clone())).collect::<Vec<_>>().into()
}

/// CPython's set of integers: a table whose slots are walked in order.
struct NumberSet {
    slots: Vec<Option<i64>>,
    used: usize,
}

impl NumberSet {
    const SMALLEST: usize = 8;
    /// Slots tried beside the first before jumping.
    const NEIGHBOURS: usize = 9;

    /// `None` unless every item is an integer.
    fn of(items: &[Value]) -> Option<Self> {
        let numbers: Option<Vec<i64>> = items
            .iter()
            .map(|item| match item {
                Value::Int(number) => Some(*number),
                _ => None,
            })
            .collect();
        numbers.map(Self::from_iter)
    }

    fn from_iter(numbers: impl IntoIterator<Item = i64>) -> Self {
        let mut set = Self { slots: vec![None; Self::SMALLEST], used: 0 };
        for number in numbers {
            set.add(number);
        }
        set
    }

    fn iter(&self) -> impl Iterator<Item = i64> {
        self.slots.iter().copied().flatten()
    }

    fn contains(&self, number: i64) -> bool {
        self.find(number).is_some_and(|slot| self.slots.get(slot).copied().flatten().is_some())
    }

    /// `self | other`.
    fn union(&self, other: &Self) -> Self {
        let mut set = self.copy();
        set.merge(other);
        set
    }

    /// `self - other`.
    fn difference(&self, other: &Self) -> Self {
        let copied = self.used / 4 > other.used;
        let rest = |set: &Self| Self::from_iter(set.iter().filter(|number| !other.contains(*number)));
        if copied { rest(&self.copy()) } else { rest(self) }
    }

    /// A copy has its own table size.
    fn copy(&self) -> Self {
        let mut set = Self { slots: vec![None; Self::SMALLEST], used: 0 };
        set.merge(self);
        set
    }

    fn merge(&mut self, other: &Self) {
        if (self.used + other.used) * 5 >= (self.slots.len() - 1) * 3 {
            self.resize((self.used + other.used) * 2);
        }
        if self.used == 0 && self.slots.len() == other.slots.len() {
            self.slots.clone_from(&other.slots);
            self.used = other.used;
            return;
        }
        for number in other.iter() {
            self.add(number);
        }
    }

    fn add(&mut self, number: i64) {
        let Some(slot) = self.find(number).and_then(|slot| self.slots.get_mut(slot)) else { return };
        if slot.replace(number).is_none() {
            self.used += 1;
            if self.used * 5 >= (self.slots.len() - 1) * 3 {
                let room = if self.used > 50_000 { self.used * 2 } else { self.used * 4 };
                self.resize(room);
            }
        }
    }

    fn resize(&mut self, room: usize) {
        let mut size = Self::SMALLEST;
        while size <= room {
            size *= 2;
        }
        let old = std::mem::replace(&mut self.slots, vec![None; size]);
        for number in old.into_iter().flatten() {
            if let Some(slot) = self.find(number).and_then(|slot| self.slots.get_mut(slot)) {
                *slot = Some(number);
            }
        }
    }

    /// The slot that holds the number, or the free one it would go to.
    fn find(&self, number: i64) -> Option<usize> {
        let mask = self.slots.len() - 1;
        let hash = hash(number);
        let mut perturb = hash;
        let mut at = usize::try_from(hash).unwrap_or(usize::MAX) & mask;
        loop {
            let neighbours = if at + Self::NEIGHBOURS <= mask { Self::NEIGHBOURS } else { 0 };
            let fits = |slot: &usize| {
                self.slots.get(*slot).is_some_and(|held| held.is_none_or(|held| held == number))
            };
            if let Some(slot) = (at..=at + neighbours).find(fits) {
                return Some(slot);
            }
            perturb >>= 5;
            let jump = usize::try_from(perturb).unwrap_or(usize::MAX);
            at = at.wrapping_mul(5).wrapping_add(1).wrapping_add(jump) & mask;
        }
    }
}

impl From<NumberSet> for Value {
    fn from(set: NumberSet) -> Self {
        set.iter().map(Value::Int).collect::<Vec<_>>().into()
    }
}

/// `hash(number)`, as the unsigned number that the table sees.
fn hash(number: i64) -> u64 {
    const MODULUS: u64 = (1 << 61) - 1;
    let hash = number.unsigned_abs() % MODULUS;
    match number {
        0.. => hash,
        _ if hash == 1 => 2_u64.wrapping_neg(),
        _ => hash.wrapping_neg(),
    }
}
