//! The command that makes a record again.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::experiment::AnyExperiment;
use crate::record::Record;

/// One line for a shell. What an experiment does by default is left out where the experiment is known.
pub(super) fn command(record: &Record, experiment: Option<&dyn AnyExperiment>) -> String {
    let defaults = experiment.and_then(|experiment| experiment.prepare(record.quick, &[]).ok());
    line(record, defaults.as_ref().map(|prepared| &prepared.settings))
}

fn line(record: &Record, defaults: Option<&Map<String, Value>>) -> String {
    let mut line = format!("resolvent run {}", record.experiment);
    if record.quick {
        line += " --quick";
    }
    let mut add = |words: std::fmt::Arguments<'_>| line.write_fmt(words).expect("a string grows");
    if record.seed != 0 {
        add(format_args!(" --seed {}", record.seed));
    }
    if record.has_data() {
        add(format_args!(" --data DIR"));
    }
    for (key, value) in &record.settings {
        if defaults.is_some_and(|defaults| defaults.get(key) != Some(value)) {
            add(format_args!(" --set '{key}={value}'"));
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_changed_is_set() {
        let text = r#"{"experiment": "e", "summary": "", "version": "", "git": "", "seed": 3, "quick": true, "data": "a",
            "settings": {"rate": 0.5, "dims": [2, 3], "model": "ou"}, "seconds": 0, "checks": [], "tables": [],
            "figures": [], "captions": [], "notes": []}"#;
        let mut record: Record = serde_json::from_str(text).unwrap();
        let defaults = serde_json::from_str(r#"{"rate": 1.0, "dims": [2], "model": "ou"}"#).unwrap();
        assert_eq!(
            line(&record, Some(&defaults)),
            "resolvent run e --quick --seed 3 --data DIR --set 'rate=0.5' --set 'dims=[2,3]'"
        );
        (record.seed, record.quick, record.data) = (0, false, "none".into());
        assert_eq!(line(&record, Some(&record.settings)), "resolvent run e");
        assert_eq!(line(&record, None), "resolvent run e");
    }
}
