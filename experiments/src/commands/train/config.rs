//! The file of settings.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use resolvent::learn::Recipe;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;
use toml::{Table, Value};

use super::data::DataSettings;
use crate::settings::{Assignment, assign};

/// The table of the data; everything else is the recipe.
const DATA: &str = "data";

/// Everything the file says, with the assignments of the command line applied.
#[derive(Debug)]
pub(super) struct Config {
    /// The file and what was changed of it, for messages.
    pub(super) name: String,
    pub(super) data: DataSettings,
    pub(super) recipe: Recipe,
}

impl Config {
    /// Reads a file. `data` takes the place of the data named there; how many of them is left as it is there.
    pub(super) fn read(path: &Path, assignments: &[Assignment], data: Option<&Path>) -> Result<Self> {
        let mut name = path.display().to_string();
        let text = std::fs::read_to_string(path).with_context(|| name.clone())?;
        let mut table: Table = toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(1, |span| text[..span.start].lines().count().max(1));
            anyhow!("{name}: line {line}: {}", error.message())
        })?;
        for (index, assignment) in assignments.iter().enumerate() {
            name += &format!("{} {assignment}", if index == 0 { " with" } else { "," });
        }
        assign(&mut table, assignments).with_context(|| name.clone())?;
        if let Some((key, value)) = not_finite("", &table) {
            bail!("{name}: {key} = {value} is not finite");
        }
        let settings = match (table.remove(DATA), data) {
            (Some(table), _) => Some(typed(&table, DATA).with_context(|| name.clone())?),
            (None, Some(_)) => Some(DataSettings::default()),
            (None, None) => None,
        };
        let Some(mut settings) = settings else {
            bail!("{name}: has no table [{DATA}], and there is no --data");
        };
        if let Some(place) = data {
            settings.replace(place)?;
        }
        let recipe = typed(&Value::Table(table), "").with_context(|| name.clone())?;
        Ok(Self { name, data: settings, recipe })
    }
}

/// The first number that is none, with its key.
fn not_finite(place: &str, table: &Table) -> Option<(String, f64)> {
    fn within(key: String, value: &Value) -> Option<(String, f64)> {
        match value {
            Value::Float(x) if !x.is_finite() => Some((key, *x)),
            Value::Array(values) => values.iter().find_map(|value| within(key.clone(), value)),
            Value::Table(table) => not_finite(&key, table),
            _ => None,
        }
    }
    table.iter().find_map(|(key, value)| within(join(place, key), value))
}

fn join(place: &str, key: &str) -> String {
    if place.is_empty() { key.to_owned() } else { format!("{place}.{key}") }
}

/// The table as a type; what does not fit is named with its key, beneath `place`, and its value.
fn typed<T: DeserializeOwned>(value: &Value, place: &str) -> Result<T> {
    serde_path_to_error::deserialize(value.clone()).map_err(|error| {
        let (mut key, mut at) = (place.to_owned(), Some(value));
        for segment in error.path() {
            let (part, next) = match segment {
                Segment::Map { key } | Segment::Enum { variant: key } => {
                    (key.clone(), at.and_then(|at| at.get(key)))
                }
                Segment::Seq { index } => (index.to_string(), at.and_then(|at| at.get(*index))),
                Segment::Unknown => continue,
            };
            (key, at) = (join(&key, &part), next);
        }
        let message = error.inner().message();
        match at {
            // A choice is a table of one entry, which the parser says in words of its own.
            Some(Value::Table(kinds)) if kinds.len() > 1 && message.contains("exactly 1 element") => {
                let kinds: Vec<_> = kinds.keys().map(String::as_str).collect();
                anyhow!("{key}: takes one of its kinds, got {}", kinds.join(", "))
            }
            _ if key.is_empty() => anyhow!("{message}"),
            None | Some(Value::Table(_)) => anyhow!("{key}: {message}"),
            Some(value) => anyhow!("{key} = {value}: {message}"),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recipe_is_one() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../recipes");
        let mut recipes = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let few = ["data.points=40".parse().unwrap(), "data.held_out=9".parse().unwrap()];
            let config = Config::read(&path, &few, None).unwrap();
            recipes += 1;
            if config.name.contains("mnist") {
                config.recipe.training.validate().unwrap();
                continue;
            }
            let data = config.data.load().unwrap();
            let prepared = config.recipe.prepare(&"test".into(), &data.points, &data.held_out).unwrap();
            assert!(prepared.model().network().layout().len() > 1000);
        }
        assert!(recipes >= 5);
    }
}
