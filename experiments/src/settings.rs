//! Settings of experiments: typed defaults and `--set key=value` on top of them.

use std::str::FromStr;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value as JsonValue};
use toml::{Table, Value};

/// One `key=value` of the command line. The value is TOML (`1e-3`, `true`, `[2, 8]`), or a bare word.
#[derive(Clone, Debug)]
pub(crate) struct Assignment {
    key: String,
    value: String,
}

impl FromStr for Assignment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (key, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is not key=value"))?;
        let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
        if key.is_empty() || value.is_empty() {
            return Err(format!("`{text}` lacks a key or a value"));
        }
        Ok(Self { key, value })
    }
}

impl std::fmt::Display for Assignment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}={}", self.key, self.value)
    }
}

impl Assignment {
    /// The value as TOML. Where the default is a string, quotes may be left out even if the word is a number.
    fn parse(&self, default: &Value) -> Value {
        let parsed = toml::from_str::<Table>(&format!("v = {}", self.value))
            .ok()
            .filter(|table| table.len() == 1)
            .and_then(|mut table| table.remove("v"));
        match parsed {
            Some(value) if value.is_str() || !default.is_str() => value,
            _ => Value::String(self.value.clone()),
        }
    }
}

/// `defaults` with the assignments applied: each must name a setting, once, and fit its type.
pub(crate) fn overridden<S>(defaults: &S, assignments: &[Assignment]) -> Result<S>
where
    S: Serialize + DeserializeOwned,
{
    let defaults = Table::try_from(defaults).context("the default settings are no TOML table")?;
    let mut settings = defaults.clone();
    ensure_once(assignments)?;
    for assignment in assignments {
        let Assignment { key, value } = assignment;
        let Some(slot) = settings.get_mut(key) else {
            bail!("no setting `{key}` (given `{value}`); {}", listing(&defaults));
        };
        *slot = assignment.parse(slot);
        ensure!(is_finite(slot), "setting `{key}` = `{value}` is not finite");
        settings.clone().try_into::<S>().map_err(|error| {
            anyhow!("setting `{key}` = `{value}`: {}; {}", error.message(), listing(&defaults))
        })?;
    }
    settings.try_into().context("the settings do not fit their type")
}

/// The settings as a record shows them.
pub(crate) fn shown<S: Serialize>(settings: &S) -> Result<Map<String, JsonValue>> {
    match serde_json::to_value(settings)? {
        JsonValue::Object(shown) => Ok(shown),
        _ => bail!("the settings are no struct with named fields"),
    }
}

/// What [`shown`] was made of; an error names the setting at fault.
pub(crate) fn restored<S>(values: &Map<String, JsonValue>) -> Result<S>
where
    S: Serialize + DeserializeOwned,
{
    let settings: S = serde_path_to_error::deserialize(&JsonValue::Object(values.clone()))
        .map_err(|error| anyhow!("setting `{}`: {}", error.path(), error.inner()))?;
    let again = shown(&settings)?;
    for (key, value) in values {
        ensure!(again.get(key) == Some(value), "setting `{key}`: {value} does not fit its type");
    }
    ensure!(again.len() == values.len(), "not every setting is there");
    Ok(settings)
}

/// Names of settings and what they mean.
pub(crate) type SettingDocs = &'static [(&'static str, &'static str)];

include!(concat!(env!("OUT_DIR"), "/setting_docs.rs"));

/// The documentation of the fields of the struct S, as the build script found it in the sources of the experiments.
pub(crate) fn docs<S>() -> SettingDocs {
    let path = std::any::type_name::<S>();
    let found = SETTING_DOCS.iter().find(|(name, _)| path.ends_with(name));
    found.map_or(&[], |(_, fields)| fields)
}

/// Writes the assignments into a table. A key leads through tables, as `training.steps` does; tables that are missing on the
/// way are made, and whoever reads the table judges what is in it.
pub(crate) fn assign(table: &mut Table, assignments: &[Assignment]) -> Result<()> {
    ensure_once(assignments)?;
    for assignment in assignments {
        let Assignment { key, value } = assignment;
        let mut parts: Vec<&str> = key.split('.').collect();
        ensure!(!parts.contains(&""), "setting `{key}` = `{value}`: the key has an empty part");
        let last = parts.pop().unwrap_or_default();
        let mut place = &mut *table;
        for part in parts {
            let next = place.entry(part).or_insert_with(|| Value::Table(Table::new()));
            place = next
                .as_table_mut()
                .ok_or_else(|| anyhow!("setting `{key}` = `{value}`: `{part}` is no table"))?;
        }
        place.insert(last.to_owned(), assignment.parse(&Value::Boolean(false)));
    }
    Ok(())
}

fn ensure_once(assignments: &[Assignment]) -> Result<()> {
    for (index, Assignment { key, .. }) in assignments.iter().enumerate() {
        let twice = assignments[..index].iter().any(|other| other.key == *key);
        ensure!(!twice, "setting `{key}` is given twice");
    }
    Ok(())
}

fn is_finite(value: &Value) -> bool {
    match value {
        Value::Float(number) => number.is_finite(),
        Value::Array(values) => values.iter().all(is_finite),
        Value::Table(table) => table.values().all(is_finite),
        _ => true,
    }
}

fn listing(defaults: &Table) -> String {
    let entries: Vec<_> =
        defaults.iter().map(|(key, value)| format!("{key} = {value} ({})", value.type_str())).collect();
    format!("valid settings: {}", entries.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Settings {
        particles: usize,
        rate: f64,
        dims: Vec<usize>,
        model: String,
    }

    fn set(assignments: &[&str]) -> Result<Settings> {
        let defaults = Settings { particles: 100, rate: 0.5, dims: vec![2, 3], model: "killed".into() };
        let parsed: Vec<_> = assignments.iter().map(|text| text.parse().unwrap()).collect();
        overridden(&defaults, &parsed)
    }

    #[test]
    fn values_are_toml_or_bare_words() {
        let settings = set(&["particles=7", "rate = 1", "dims=[8]", "model=12"]).unwrap();
        assert_eq!(settings, Settings { particles: 7, rate: 1.0, dims: vec![8], model: "12".into() });
        assert_eq!(set(&["model=\"ou\""]).unwrap().model, "ou");
    }

    #[test]
    fn an_unknown_key_lists_the_valid_ones() {
        let message = set(&["particle=7"]).unwrap_err().to_string();
        assert!(
            message.contains("no setting `particle`") && message.contains("particles = 100 (integer)"),
            "{message}"
        );
    }

    #[test]
    fn a_wrong_type_names_key_and_value() {
        for text in ["particles=-1", "particles=many", "particles=1.5", "rate=[1]", "dims=2"] {
            let message = set(&[text]).unwrap_err().to_string();
            let (key, value) = text.split_once('=').unwrap();
            assert!(message.contains(&format!("setting `{key}` = `{value}`")), "{message}");
        }
    }

    #[test]
    fn contradictions_and_values_that_are_not_finite_are_errors() {
        assert!(set(&["rate=1", "rate=2"]).unwrap_err().to_string().contains("given twice"));
        assert!(set(&["rate=nan"]).unwrap_err().to_string().contains("not finite"));
        assert!("rate".parse::<Assignment>().is_err());
        assert!("=1".parse::<Assignment>().is_err());
    }

    #[test]
    fn settings_come_back_from_a_record() {
        let settings = set(&["rate=0.30000000000000004", "dims=[]"]).unwrap();
        let text = serde_json::to_string(&shown(&settings).unwrap()).unwrap();
        let values: Map<String, JsonValue> = serde_json::from_str(&text).unwrap();
        assert_eq!(restored::<Settings>(&values).unwrap(), settings);
        type Change<'a> = &'a dyn Fn(&mut Map<String, JsonValue>);
        let cases: [(Change<'_>, &str); 4] = [
            (&|v| drop(v.insert("particles".into(), (-1).into())), "setting `particles`"),
            (&|v| drop(v.insert("rate".into(), 1.into())), "setting `rate`: 1 does not fit"),
            (&|v| drop(v.insert("new".into(), 1.into())), "unknown field `new`"),
            (&|v| drop(v.remove("dims")), "missing field `dims`"),
        ];
        for (change, words) in cases {
            let mut changed = values.clone();
            change(&mut changed);
            let message = restored::<Settings>(&changed).unwrap_err().to_string();
            assert!(message.contains(words), "{message}");
        }
    }

    #[test]
    fn keys_lead_through_tables() {
        let mut table: Table = toml::from_str("a = 1\n[b]\nc = \"word\"").unwrap();
        let set = |table: &mut Table, texts: &[&str]| {
            assign(table, &texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>())
        };
        set(&mut table, &["b.c=2", "b.d=word", "e.f={ g = [1] }"]).unwrap();
        let expected = "a = 1\n[b]\nc = 2\nd = \"word\"\n[e.f]\ng = [1]";
        assert_eq!(table, toml::from_str::<Table>(expected).unwrap());
        for (texts, words) in [
            (&["a.b=1"][..], "setting `a.b` = `1`: `a` is no table"),
            (&["b..c=1"], "empty part"),
            (&["a=1", "a=2"], "setting `a` is given twice"),
        ] {
            assert!(set(&mut table, texts).unwrap_err().to_string().contains(words));
        }
    }

    #[test]
    fn a_value_cannot_smuggle_in_a_second_key() {
        assert!(set(&["rate=1\nparticles=2"]).is_err());
    }
}
