//! What is on the page: the list beside it and the table at its head.

use maud::{Markup, html};

use super::Shown;
use super::numbers::duration;
use crate::experiments::question;

/// The records by the questions they answer, in their order.
pub(super) fn groups(shown: &[Shown]) -> Vec<(&'static str, &[Shown])> {
    let same = |a: &Shown, b: &Shown| question(&a.record.experiment) == question(&b.record.experiment);
    shown.chunk_by(same).map(|group| (question(&group[0].record.experiment), group)).collect()
}

/// Links to every section: a list beside the page where there is room, else one that opens above it.
pub(super) fn navigation(shown: &[Shown], claims: bool) -> Markup {
    html! {
        nav.beside aria-label="Contents" { (list(shown, claims)) }
        details.above {
            summary { "Contents" }
            nav aria-label="Contents" { (list(shown, claims)) }
        }
    }
}

fn list(shown: &[Shown], claims: bool) -> Markup {
    html! {
        ol {
            li { a href="#summary" { "Summary" } }
            @for (index, (question, group)) in groups(shown).iter().enumerate() {
                li {
                    a.question href={ "#question-" (index + 1) } { (question) }
                    ul { @for Shown { record, .. } in *group {
                        li {
                            a href={ "#" (record.experiment) } { (record.experiment) }
                            @if !record.holds() { " " span.fail title="a check does not hold" { "✗" } }
                        }
                    } }
                }
            }
            @if claims { li { a href="#claims" { "Claims of the sources" } } }
        }
    }
}

/// The experiments with what they reproduce and how they fared.
pub(super) fn summary(shown: &[Shown]) -> Markup {
    html! {
        section.summary id="summary" {
            h2 { "Summary" }
            div.scroll { table {
                thead { tr {
                    th { "experiment" } th { "what it reproduces" } th.number { "checks held" } th.number { "time" }
                } }
                @for (question, group) in groups(shown) {
                    tbody {
                        tr { th.question colspan="4" scope="rowgroup" { (question) } }
                        @for Shown { record, .. } in group {
                            tr {
                                td { a href={ "#" (record.experiment) } { (record.experiment) } }
                                td.words { (record.summary) }
                                td.number { span class=(if record.holds() { "pass" } else { "fail" }) {
                                    (record.held()) "/" (record.checks.len())
                                } }
                                td.number { (duration(record.seconds)) }
                            }
                        }
                    }
                }
            } }
        }
    }
}
