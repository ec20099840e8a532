//! The claims as a page in Markdown.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{Claim, Claims, Finding, Verdict};
use crate::record::Record;

/// One table per source: what is said, what tests it, and whether it held.
pub(crate) fn markdown(claims: &Claims, records: &[&Record]) -> String {
    let Claims { sources, claims } = claims;
    let mut text = head(claims, records);
    let mut order: Vec<&str> = Vec::new();
    claims.iter().map(|claim| claim.source.as_str()).for_each(|source| {
        if !order.contains(&source) {
            order.push(source);
        }
    });
    for source in order {
        let title = sources.get(source).map_or(source, String::as_str);
        write!(text, "\n## {title}\n\n| claim | place | tested by | held? |\n|---|---|---|---|\n")
            .expect("a string grows");
        for claim in claims.iter().filter(|claim| claim.source == source) {
            let cells =
                [claim.says.clone(), claim.place.clone(), tested(claim, records), held(claim, records)];
            let cells = cells.map(|cell| cell.replace('|', "\\|"));
            writeln!(text, "| {} |", cells.join(" | ")).expect("a string grows");
        }
    }
    text
}

fn head(claims: &[Claim], records: &[&Record]) -> String {
    let count = |verdict: Verdict| claims.iter().filter(|claim| claim.judge(records) == verdict).count();
    let missing = claims.len()
        - count(Verdict::Held)
        - count(Verdict::Corrected)
        - count(Verdict::Failed)
        - count(Verdict::Untested);
    let runs: BTreeSet<String> = records
        .iter()
        .map(|record| {
            let kind = if record.quick { "quick" } else { "full" };
            format!("version {}, {kind} settings, seed {}", record.version, record.seed)
        })
        .collect();
    let runs = if runs.is_empty() { "no records".into() } else { Vec::from_iter(runs).join("; ") };
    format!(
        "# Claims of the sources\n\n\
         What the texts that this library follows say, in our words, and what the experiments say about it. Formulas stand in their\n\
         corrected form; what is misprinted is in [errata.md](errata.md). A check is a number with a bound from the theory or from Monte-Carlo\n\
         error; the page that `resolvent run` writes shows each.\n\n\
         This file is written by `resolvent claims DIR --out docs/claims.md` from the records in DIR: {runs}.\n\n\
         {} claims: {} held, {} do not hold as said, {} with a check that failed, {missing} without all their records, {} not tested by an\n\
         experiment.\n",
        claims.len(),
        count(Verdict::Held),
        count(Verdict::Corrected),
        count(Verdict::Failed),
        count(Verdict::Untested),
    )
}

fn tested(claim: &Claim, records: &[&Record]) -> String {
    if let Some(reason) = &claim.untested {
        return format!("nothing: {reason}");
    }
    let one = |(finding, name): (Finding, &str)| match finding {
        Finding::Checked { checks: 1, held: 1 } => format!("`{name}` (1 check)"),
        Finding::Checked { checks, held } if held == checks => format!("`{name}` ({checks} checks)"),
        Finding::Checked { checks, held } => format!("`{name}` ({held} of {checks} checks)"),
        Finding::NoRecord => format!("`{name}` (no record)"),
        Finding::NoCheck(pattern) => format!("`{name}` (no check `{pattern}`)"),
    };
    let findings = claim.tests.iter().map(|test| (test.judge(records), test.experiment.as_str()));
    findings.map(one).collect::<Vec<_>>().join(", ")
}

fn held(claim: &Claim, records: &[&Record]) -> String {
    let verdict = claim.judge(records);
    match &claim.correction {
        Some(correction) => format!("{}: {correction}", verdict.words()),
        None => verdict.words().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{claim, record};
    use super::*;

    #[test]
    fn a_line_says_what_was_found() {
        let claims = Claims {
            sources: [("s".into(), "The source".into())].into(),
            claims: vec![claim(None), claim(Some("not so"))],
        };
        let (a, b) = (record("a", &[("x1", true), ("x2", true)]), record("b", &[("y", true)]));
        let text = markdown(&claims, &[&a, &b]);
        for line in [
            "## The source",
            "| So it is. | p \\| q | `a` (2 checks), `b` (1 check) | held |",
            "| So it is. | p \\| q | `a` (2 checks), `b` (1 check) | does not hold as said: not so |",
            "2 claims: 1 held, 1 do not hold as said, 0 with a check that failed, 0 without all their records,",
            "version 1, quick settings, seed 0",
        ] {
            assert!(text.contains(line), "{text}");
        }
        let text = markdown(&claims, &[&record("a", &[("x1", false)])]);
        assert!(text.contains("`a` (0 of 1 checks), `b` (no record) | a check failed |"), "{text}");
        let text = markdown(&claims, &[&a, &record("b", &[("z", true)])]);
        assert!(text.contains("`b` (no check `y`) | held so far, records are missing |"), "{text}");
    }
}
