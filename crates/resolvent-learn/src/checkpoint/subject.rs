//! What a checkpoint is about.

use super::tensor::Tensor;
use serde_json::Value;
use std::collections::BTreeMap;

/// What was trained, as whoever trained it describes it: with it and the parameters the same model can be made again.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Subject {
    /// Architecture, preconditioning, loss, data: whatever there is to say.
    pub settings: Value,
    /// Numbers that belong to the model and are not trained, such as means of the data, by name.
    pub constants: BTreeMap<String, Tensor<'static>>,
}

impl Subject {
    /// Described by settings alone.
    pub fn new(settings: Value) -> Self {
        Self { settings, constants: BTreeMap::new() }
    }

    /// Where two subjects differ first, in words.
    pub(crate) fn difference(&self, other: &Self) -> Option<String> {
        let constants = || {
            let mut names = self.constants.keys().chain(other.constants.keys());
            names.find(|name| self.constants.get(*name) != other.constants.get(*name))
        };
        difference("", &self.settings, &other.settings)
            .or_else(|| constants().map(|name| format!("constant {name} differs")))
    }
}

fn difference(place: &str, a: &Value, b: &Value) -> Option<String> {
    if a == b {
        return None;
    }
    if let (Value::Object(a), Value::Object(b)) = (a, b) {
        let null = &Value::Null;
        return a.keys().chain(b.keys()).find_map(|key| {
            let place = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
            difference(&place, a.get(key).unwrap_or(null), b.get(key).unwrap_or(null))
        });
    }
    let place = if place.is_empty() { "settings" } else { place };
    Some(format!("{place} is {a} there, {b} here"))
}
