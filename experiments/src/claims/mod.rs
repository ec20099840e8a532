//! Claims of the sources, and what the experiments say about them.

mod markdown;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::record::Record;

pub(crate) use markdown::markdown;

/// Every claim, in the order of the file `claims.toml`.
pub(crate) static ALL: LazyLock<Claims> =
    LazyLock::new(|| toml::from_str(include_str!("../../claims.toml")).expect("a test reads the same file"));

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Claims {
    /// What each source is called, by its short name.
    pub(crate) sources: BTreeMap<String, String>,
    #[serde(rename = "claim")]
    pub(crate) claims: Vec<Claim>,
}

/// A claim and the checks that test it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Claim {
    pub(crate) says: String,
    /// Short name of the source.
    pub(crate) source: String,
    pub(crate) place: String,
    #[serde(default)]
    pub(crate) tests: Vec<Test>,
    /// What is true instead of a claim that is wrong; the tests show it.
    pub(crate) correction: Option<String>,
    /// Why no experiment tests it.
    pub(crate) untested: Option<String>,
}

/// Checks of one experiment.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Test {
    pub(crate) experiment: String,
    /// Patterns of names, in which `*` stands for any text.
    pub(crate) checks: Vec<String>,
}

/// What the records say about a [`Test`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// So many checks that match, and how many of them hold.
    Checked { checks: usize, held: usize },
    /// There is no record of the experiment.
    NoRecord,
    /// No check of the record matches this pattern.
    NoCheck(String),
}

/// What the records say about a [`Claim`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All checks hold.
    Held,
    /// The claim is wrong, and all checks of what is true instead hold.
    Corrected,
    /// A check does not hold.
    Failed,
    /// All checks that are there hold; some experiments have no record or not the check.
    Partly,
    /// No experiment with a record tests it.
    Open,
    /// No experiment tests it.
    Untested,
}

impl Test {
    /// What its experiment found.
    pub(crate) fn judge(&self, records: &[&Record]) -> Finding {
        let Some(record) = records.iter().find(|record| record.experiment == self.experiment) else {
            return Finding::NoRecord;
        };
        let meant = |name: &str| self.checks.iter().any(|pattern| matches(pattern, name));
        let checks: Vec<_> = record.checks.iter().filter(|check| meant(&check.name)).collect();
        let (checks, held) = (checks.len(), checks.iter().filter(|check| check.holds).count());
        let unmatched = |pattern: &&String| !record.checks.iter().any(|check| matches(pattern, &check.name));
        match self.checks.iter().find(unmatched) {
            // A check that failed is not excused by one that is missing.
            Some(pattern) if held == checks => Finding::NoCheck(pattern.clone()),
            _ => Finding::Checked { checks, held },
        }
    }
}

impl Claim {
    /// What all its experiments found.
    pub(crate) fn judge(&self, records: &[&Record]) -> Verdict {
        if self.tests.is_empty() {
            return Verdict::Untested;
        }
        let findings: Vec<_> = self.tests.iter().map(|test| test.judge(records)).collect();
        let checked = |found: &&Finding| matches!(found, Finding::Checked { .. });
        let failed = |found: &Finding| matches!(found, Finding::Checked { checks, held } if held < checks);
        match findings.iter().filter(checked).count() {
            _ if findings.iter().any(failed) => Verdict::Failed,
            0 => Verdict::Open,
            some if some < findings.len() => Verdict::Partly,
            _ if self.correction.is_some() => Verdict::Corrected,
            _ => Verdict::Held,
        }
    }
}

impl Verdict {
    /// In words, for a table.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Corrected => "does not hold as said",
            Self::Failed => "a check failed",
            Self::Partly => "held so far, records are missing",
            Self::Open => "no record",
            Self::Untested => "not tested",
        }
    }
}

/// Whether the pattern, in which `*` stands for any text, fits the whole of the name.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        match name.split_once(part) {
            Some((_, after)) => name = after,
            None => return false,
        }
    }
    name.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiments;
    use crate::outcome::Check;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, name) in [
            ("a", "a"),
            ("*", ""),
            ("*", "x"),
            ("a*", "ab"),
            ("*b", "ab"),
            ("a*b*c", "a-b-b-c"),
            ("a**c", "ac"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("a", "ab"), ("a*", "ba"), ("*b", "ba"), ("a*b*c", "a-c"), ("ab*b", "ab"), ("", "a")]
        {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn every_claim_has_a_source_and_a_test_or_a_reason() {
        let names: Vec<_> = experiments::ALL.iter().map(|experiment| experiment.name()).collect();
        for claim in &ALL.claims {
            let Claim { says, source, place, tests, correction, untested } = claim;
            assert!(ALL.sources.contains_key(source), "{says}: no source `{source}`");
            assert!(!place.is_empty() && says.ends_with('.'), "{says}");
            assert_eq!(tests.is_empty(), untested.is_some(), "{says}");
            assert!(correction.is_none() || untested.is_none(), "{says}");
            for test in tests {
                assert!(
                    names.contains(&test.experiment.as_str()),
                    "{says}: no experiment `{}`",
                    test.experiment
                );
                assert!(!test.checks.is_empty(), "{says}");
            }
        }
        let twice = |k: usize| ALL.claims[..k].iter().any(|claim| claim.says == ALL.claims[k].says);
        assert!(!(0..ALL.claims.len()).any(twice));
    }

    /// A record of the experiment with these checks.
    pub(super) fn record(experiment: &str, checks: &[(&str, bool)]) -> Record {
        let checks =
            checks.iter().map(|(name, good)| Check::at_most(*name, 1.0, if *good { 2.0 } else { 0.0 }, "s"));
        Record {
            experiment: experiment.into(),
            summary: String::new(),
            version: "1".into(),
            git: "g".into(),
            seed: 0,
            quick: true,
            data: "none".into(),
            settings: serde_json::Map::new(),
            seconds: 0.0,
            checks: checks.collect(),
            tables: vec![],
            figures: vec![],
            captions: vec![],
            notes: vec![],
        }
    }

    /// A claim tested by `x*` of the experiment a and by `y` of b.
    pub(super) fn claim(correction: Option<&str>) -> Claim {
        let test = |experiment: &str, check: &str| Test {
            experiment: experiment.into(),
            checks: vec![check.into()],
        };
        Claim {
            says: "So it is.".into(),
            source: "s".into(),
            place: "p | q".into(),
            tests: vec![test("a", "x*"), test("b", "y")],
            correction: correction.map(Into::into),
            untested: None,
        }
    }

    #[test]
    fn a_claim_is_judged_by_all_its_checks() {
        let (good, bad) = (
            record("a", &[("x1", true), ("x2", true), ("z", false)]),
            record("a", &[("x1", true), ("x2", false)]),
        );
        let (b, without) = (record("b", &[("y", true)]), record("b", &[("y2", true)]));
        let claim = claim(None);
        assert_eq!(claim.judge(&[&good, &b]), Verdict::Held);
        assert_eq!(claim.judge(&[&bad, &b]), Verdict::Failed);
        assert_eq!(claim.judge(&[&bad]), Verdict::Failed);
        assert_eq!(claim.judge(&[&good]), Verdict::Partly);
        assert_eq!(claim.judge(&[&good, &without]), Verdict::Partly);
        assert_eq!(claim.judge(&[]), Verdict::Open);
        assert_eq!(claim.tests[0].judge(&[&bad]), Finding::Checked { checks: 2, held: 1 });
        assert_eq!(claim.tests[1].judge(&[&without]), Finding::NoCheck("y".into()));
        assert_eq!(claim.tests[1].judge(&[&good]), Finding::NoRecord);
        assert_eq!(super::tests::claim(Some("not so")).judge(&[&good, &b]), Verdict::Corrected);
        assert_eq!(super::tests::claim(Some("not so")).judge(&[&bad, &b]), Verdict::Failed);
        let untested = Claim { tests: vec![], untested: Some("dull".into()), ..claim };
        assert_eq!(untested.judge(&[&good]), Verdict::Untested);
    }
}
