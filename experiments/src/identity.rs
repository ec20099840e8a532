//! What a result is a function of.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The commit of the sources that this program was built from.
const GIT: &str = env!("RESOLVENT_GIT");

/// Everything that decides how an experiment comes out. Two results of the same identity differ in their seconds alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Identity {
    pub(crate) experiment: String,
    pub(crate) version: String,
    /// As [`Record::git`](crate::record::Record::git).
    pub(crate) git: String,
    pub(crate) seed: u64,
    pub(crate) quick: bool,
    /// As [`Record::data`](crate::record::Record::data).
    pub(crate) data: String,
    pub(crate) settings: Map<String, Value>,
}

impl Identity {
    /// That of a run of this program.
    pub(crate) fn here(
        experiment: &str,
        settings: &Map<String, Value>,
        seed: u64,
        quick: bool,
        data: &str,
    ) -> Self {
        Self {
            experiment: experiment.into(),
            version: env!("CARGO_PKG_VERSION").into(),
            git: GIT.into(),
            seed,
            quick,
            data: data.into(),
            settings: settings.clone(),
        }
    }

    /// The first field in which the other one differs, with both values; nothing if they are the same.
    pub(crate) fn difference(&self, other: &Self) -> Option<String> {
        let fields = |identity: &Self| {
            let Self { experiment, version, git, seed, quick, data, settings } = identity;
            let words = [("experiment", experiment), ("version", version), ("git", git), ("data", data)];
            let mut fields: Vec<(String, Value)> =
                words.iter().map(|(name, word)| ((*name).into(), word.as_str().into())).collect();
            fields.extend([("seed".into(), (*seed).into()), ("quick".into(), (*quick).into())]);
            let mut settings: Vec<_> = settings.iter().collect();
            settings.sort_by_key(|(key, _)| *key);
            fields
                .extend(settings.into_iter().map(|(key, value)| (format!("settings.{key}"), value.clone())));
            fields
        };
        let (ours, theirs) = (fields(self), fields(other));
        let missing = (String::new(), Value::Null);
        (0..ours.len().max(theirs.len())).find_map(|k| {
            let (our, their) = (ours.get(k).unwrap_or(&missing), theirs.get(k).unwrap_or(&missing));
            let name = if our.0.is_empty() { &their.0 } else { &our.0 };
            (our != their).then(|| format!("field `{name}`: {} and {}", our.1, their.1))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_the_field_and_both_values() {
        let settings = serde_json::from_str(r#"{"rate": 0.5, "dims": [2]}"#).unwrap();
        let first = Identity::here("e", &settings, 1, true, "none");
        assert_eq!(first.difference(&first.clone()), None);
        let mut reordered = first.clone();
        reordered.settings = serde_json::from_str(r#"{"dims": [2], "rate": 0.5}"#).unwrap();
        assert_eq!(first.difference(&reordered), None);
        type Change<'a> = &'a dyn Fn(&mut Identity);
        let cases: [(Change<'_>, &str); 8] = [
            (&|i| i.experiment = "f".into(), r#"field `experiment`: "e" and "f""#),
            (&|i| i.version = "0".into(), "field `version`: "),
            (&|i| i.git = "0".into(), "field `git`: "),
            (&|i| i.seed = 2, "field `seed`: 1 and 2"),
            (&|i| i.quick = false, "field `quick`: true and false"),
            (&|i| i.data = "some".into(), r#"field `data`: "none" and "some""#),
            (&|i| drop(i.settings.insert("rate".into(), 1.0.into())), "field `settings.rate`: 0.5 and 1.0"),
            (&|i| drop(i.settings.remove("rate")), "field `settings.rate`: 0.5 and null"),
        ];
        for (change, expected) in cases {
            let mut second = first.clone();
            change(&mut second);
            let message = first.difference(&second).unwrap();
            assert!(message.starts_with(expected), "{message}");
        }
    }
}
