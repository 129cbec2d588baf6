use std::sync::Arc;

use smallvec::SmallVec;

use super::hostvars::VarsObject;
use super::{Magic, Reached, RoleVars, Unknown, merge_deep};
use crate::inventory::{self, Level};
use crate::playbook::{Keywords, Layer};
use crate::template::Names;
use crate::value::{Dict, Value};

/// The variables in force for one host and, usually, one task.
///
/// A scope is a stack of shared layers, searched from the strongest down: building one costs a few atomic
/// increments whatever the number of variables, and nothing is rendered until it is read.
#[derive(Clone)]
pub struct Scope {
    /// Strongest of all: the loop item, the result under test.
    locals: Dict,
    /// The local name that holds an item of a list in the user's own files.
    own_item: Option<Arc<str>>,
    magic: Magic,
    stack: Stack,
    facts: Option<Layer>,
    /// What is not known yet.
    unknown: Option<Arc<Unknown>>,
}

/// Layers, strongest first.
#[derive(Clone, Default)]
struct Stack {
    /// `hash_behaviour = merge`: dictionaries of one name are laid over each other.
    merges: bool,
    layers: SmallVec<[Layer; 24]>,
    /// Which of them hold what the run learnt: results, facts, items of loops.
    learnt: SmallVec<[usize; 4]>,
}

impl Stack {
    fn push(&mut self, layer: Layer) {
        if !layer.is_empty() {
            self.layers.push(layer);
        }
    }

    fn push_learnt(&mut self, layer: Layer) {
        if !layer.is_empty() {
            self.learnt.push(self.layers.len());
            self.layers.push(layer);
        }
    }

    fn get(&self, name: &str) -> Option<Value> {
        let mut found = self.layers.iter().filter_map(|layer| layer.get(name));
        let strongest = found.next()?;
        if !self.merges {
            return Some(strongest.clone());
        }
        let below: Vec<&Value> = found.take_while(|value| matches!(value, Value::Dict(_))).collect();
        let weakest_first = below.into_iter().rev().chain([strongest]);
        weakest_first.cloned().reduce(|below, above| merge_deep(below, &above))
    }
}

/// The sources of a scope by level; see `reference/language.md` for the order.
#[derive(Default)]
pub struct ScopeParts<'a> {
    /// 22
    pub extra: Layer,
    /// 16, 17 and 21
    pub keywords: Option<&'a Keywords>,
    /// 2, 15 and 20 of the role the task stands in.
    pub role: Option<RoleVars>,
    /// 19
    pub set: Layer,
    /// 18
    pub included: Layer,
    /// 15 of all roles of the play
    pub play_role_vars: Layer,
    /// 14
    pub vars_files: Vec<Layer>,
    /// 12
    pub play_vars: Layer,
    /// 11
    pub facts: super::hosts::Facts,
    /// 3 to 10, weakest first.
    pub inventory: Arc<[inventory::Layer]>,
    /// 2 of all roles of the play
    pub play_role_defaults: Layer,
    /// The loop variables of the includes around the task, outermost first: above all but extra vars.
    pub inner: Vec<Layer>,
    /// Whether dictionaries of one name are laid over each other.
    pub merges: bool,
}

impl ScopeParts<'_> {
    /// The same sources as they are outside any task.
    pub fn without_task(&self) -> ScopeParts<'static> {
        ScopeParts {
            extra: self.extra.clone(),
            keywords: None,
            role: None,
            set: self.set.clone(),
            included: self.included.clone(),
            play_role_vars: self.play_role_vars.clone(),
            vars_files: self.vars_files.clone(),
            play_vars: self.play_vars.clone(),
            facts: self.facts.clone(),
            inventory: self.inventory.clone(),
            play_role_defaults: self.play_role_defaults.clone(),
            inner: self.inner.clone(),
            merges: self.merges,
        }
    }
}

impl Scope {
    pub fn new(magic: Magic, parts: ScopeParts<'_>) -> Self {
        let mut stack = Stack { merges: parts.merges, ..Stack::default() };
        stack.push(parts.extra);
        parts.inner.into_iter().rev().for_each(|layer| stack.push_learnt(layer));
        if let Some(keywords) = parts.keywords {
            keywords.params.iter().rev().cloned().for_each(|layer| stack.push(layer));
        }
        let role = parts.role.unwrap_or_default();
        stack.push(role.params);
        stack.push_learnt(parts.set);
        stack.push(parts.included);
        if let Some(keywords) = parts.keywords {
            keywords.vars.iter().rev().cloned().for_each(|layer| stack.push(layer));
        }
        stack.push(role.vars);
        stack.push(parts.play_role_vars);
        parts.vars_files.into_iter().rev().for_each(|layer| stack.push(layer));
        stack.push(parts.play_vars);
        stack.push_learnt(parts.facts.injected);
        for layer in parts.inventory.iter().rev() {
            match layer.level {
                // What `add_host` sets is among them.
                Level::InventoryHost => stack.push_learnt(layer.vars.clone()),
                _ => stack.push(layer.vars.clone()),
            }
        }
        stack.push(role.defaults);
        stack.push(parts.play_role_defaults);
        Self {
            locals: Dict::new(),
            own_item: None,
            magic,
            stack,
            facts: Some(parts.facts.namespaced),
            unknown: None,
        }
    }

    /// The same scope with one more name that hides all others.
    pub fn set_local(&mut self, name: impl Into<Value>, value: impl Into<Value>) {
        self.locals.insert(name, value);
    }

    /// Says that a local name holds what the user's own files do: see [`Names::written`].
    pub fn trust_local(&mut self, name: Arc<str>) {
        self.own_item = Some(name);
    }

    /// Takes over the local names of another scope.
    pub fn take_locals(&mut self, other: &Self) {
        self.locals = other.locals.clone();
        self.own_item.clone_from(&other.own_item);
    }

    /// Says what is not known yet.
    pub fn set_unknown(&mut self, unknown: Arc<Unknown>) {
        self.unknown = Some(unknown);
    }

    pub fn set_reached(&mut self, reached: Reached) {
        self.magic.reached = Some(reached);
    }

    pub fn local(&self, name: &str) -> Option<&Value> {
        self.locals.get(name)
    }

    pub fn magic(&self) -> &Magic {
        &self.magic
    }
}

impl Names for Scope {
    fn get(&self, name: &str) -> Option<Value> {
        if let Some(value) = self.locals.get(name) {
            return Some(value.clone());
        }
        if self.unknown.as_ref().is_some_and(|unknown| unknown.holds(name)) {
            return None;
        }
        match name {
            "vars" => Some(Value::Object(Arc::new(VarsObject { scope: self.clone(), type_name: "dict" }))),
            "ansible_facts" => self.stack.get(name).or_else(|| self.facts.clone().map(Value::Dict)),
            _ if Magic::WEAK.contains(&name) => self.stack.get(name).or_else(|| self.magic.get(name)),
            // `ansible_local` exists only where facts were gathered; the facts layer has it then.
            _ => self
                .magic
                .get(name)
                .or_else(|| self.stack.get(name))
                .or_else(|| self.magic.reached.as_ref()?.get(name)),
        }
    }

    fn may_look_up(&self) -> bool {
        if let Some(unknown) = &self.unknown {
            unknown.ask();
        }
        self.unknown.is_none()
    }

    fn files_dir(&self) -> &'static str {
        self.magic.files_dir
    }

    fn written(&self, name: &str) -> Option<Value> {
        if let Some(local) = self.locals.get(name) {
            return (self.own_item.as_deref() == Some(name)).then(|| local.clone());
        }
        let found = self.stack.layers.iter().position(|layer| layer.get(name).is_some())?;
        let layer = self.stack.layers.get(found).filter(|_| !self.stack.learnt.contains(&found))?;
        layer.get(name).cloned()
    }

    fn names(&self) -> Vec<Arc<str>> {
        let is_here = |name: &&&str| !name.contains("role") || self.magic.get(name).is_some();
        let mut names: Vec<Arc<str>> =
            Magic::NAMES.iter().filter(is_here).map(|name| Arc::from(*name)).collect();
        let layers = self.stack.layers.iter().map(AsRef::as_ref).chain([&self.locals]);
        names.extend(layers.flat_map(|layer| layer.keys()).filter_map(|key| match key {
            Value::Str(name) => Some(name.clone()),
            _ => None,
        }));
        names.push("ansible_facts".into());
        names.sort_unstable();
        names.dedup();
        names
    }
}
