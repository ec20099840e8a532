//! The claims of the sources on the page.

use maud::{Markup, html};

use super::Shown;
use crate::claims::{self, Claim, Finding, Verdict};
use crate::record::Record;

/// Every claim that an experiment on the page tests, and how it fared; nothing if there is none.
pub(super) fn section(shown: &[Shown]) -> Option<Markup> {
    let records: Vec<&Record> = shown.iter().map(|shown| &shown.record).collect();
    let judged: Vec<(&Claim, Verdict)> = claims::ALL
        .claims
        .iter()
        .map(|claim| (claim, claim.judge(&records)))
        .filter(|(_, verdict)| !matches!(verdict, Verdict::Open | Verdict::Untested))
        .collect();
    (!judged.is_empty()).then(|| {
        html! {
            section.claims id="claims" {
                h2 { "Claims of the sources" }
                p {
                    "What the texts behind the library say, in our words, and the checks above that test it. Formulas stand in "
                    "their corrected form."
                }
                div.scroll { table {
                    thead { tr { th { "claim" } th { "where" } th { "tested by" } th { "held?" } } }
                    tbody { @for (claim, verdict) in &judged { (row(claim, *verdict, &records)) } }
                } }
            }
        }
    })
}

fn row(claim: &Claim, verdict: Verdict, records: &[&Record]) -> Markup {
    let class = match verdict {
        Verdict::Held | Verdict::Partly => "pass",
        _ => "fail",
    };
    let source = claims::ALL.sources.get(&claim.source).map_or(claim.source.as_str(), String::as_str);
    html! {
        tr {
            td.words { (claim.says) }
            td.words title=(source) { (claim.source) ": " (claim.place) }
            td { @for test in &claim.tests { (tested(&test.experiment, &test.judge(records))) } }
            td.words {
                span class=(class) { (verdict.words()) }
                @if let Some(correction) = &claim.correction { ": " (correction) }
            }
        }
    }
}

fn tested(experiment: &str, finding: &Finding) -> Markup {
    let (link, note) = match finding {
        Finding::Checked { checks, held } => (true, format!("{held}/{checks}")),
        Finding::NoRecord => (false, "no record".into()),
        Finding::NoCheck(_) => (true, "no such check".into()),
    };
    html! {
        div.test {
            @if link { a href={ "#" (experiment) } { (experiment) } } @else { (experiment) }
            " " span.small { (note) }
        }
    }
}
