//! One experiment on the page.

use maud::{Markup, PreEscaped, html};

use super::numbers::{cell, duration, full, short};
use super::{Shown, rerun};
use crate::experiment::AnyExperiment;
use crate::outcome::{Check, Table};
use crate::record::Record;

/// Rows beyond which a table scrolls in a box of its own.
const LONG: usize = 40;

/// Figures wider than this stand alone in their row.
const WIDE: f64 = 700.0;

/// What it asks, what is seen, what is checked, all its numbers and how to have them again.
pub(super) fn section(Shown { record, figures }: &Shown, experiment: Option<&dyn AnyExperiment>) -> Markup {
    html! {
        section.experiment id=(record.experiment) {
            h3 { (record.experiment) }
            p.lead { (record.summary) }
            p.facts {
                span class=(if record.holds() { "pass" } else { "fail" }) {
                    (record.held()) " of " (record.checks.len()) " checks hold"
                }
                " · " (if record.quick { "quick settings" } else { "full settings" })
                " · seed " (record.seed) " · " (duration(record.seconds))
            }
            @if !figures.is_empty() {
                div.figures {
                    @for (svg, caption) in figures.iter().zip(&record.captions) {
                        @let wide = is_wide(svg);
                        figure class=[wide.then_some("wide")] {
                            div.card tabindex="0" { (PreEscaped(svg)) }
                            figcaption { (caption) }
                        }
                    }
                }
            }
            @if !record.notes.is_empty() {
                h4 { "What it shows" }
                @if let [note] = record.notes.as_slice() { p { (note) } }
                @else { ul.notes { @for note in &record.notes { li { (note) } } } }
            }
            h4 { "What is checked" }
            (checks(&record.checks))
            @for table in &record.tables { (data(table)) }
            h4 { "How to run it again" }
            pre { code { (rerun::command(record, experiment)) } }
            (settings(record, experiment))
        }
    }
}

fn checks(checks: &[Check]) -> Markup {
    html! {
        div.scroll.long[checks.len() > LONG] tabindex="0" { table.checks {
            thead { tr {
                th { "check" } th.number { "value" } th {} th.number { "bound" } th {} th { "origin of claim and bound" }
            } }
            tbody {
                @for check in checks {
                    tr {
                        td.words { (check.name) }
                        td.number title=(full(check.value)) { (short(check.value)) }
                        td.relation { (if check.relation.symbol() == "<=" { "≤" } else { "≥" }) }
                        td.number title=(full(check.bound)) { (short(check.bound)) }
                        td { @if check.holds { span.pass { "pass" } } @else { span.fail { "FAIL" } } }
                        td.words.source { (check.source) }
                    }
                }
            }
        } }
    }
}

fn data(table: &Table) -> Markup {
    // A column is one of words as soon as one of its cells is a word.
    let words = |column: usize| table.rows.iter().any(|row| row[column].is_string());
    let class = |column: usize| (!words(column)).then_some("number");
    html! {
        figure.table {
            figcaption { strong { (table.name) } " " (table.caption) }
            div.scroll.long[table.rows.len() > LONG] tabindex="0" { table {
                thead { tr { @for (k, name) in table.columns.iter().enumerate() { th class=[class(k)] { (name) } } } }
                tbody {
                    @for row in &table.rows {
                        tr { @for (k, value) in row.iter().enumerate() {
                            @let (text, title) = cell(value);
                            td class=[class(k)] title=[title] { (text) }
                        } }
                    }
                }
            } }
        }
    }
}

fn settings(record: &Record, experiment: Option<&dyn AnyExperiment>) -> Markup {
    let docs = experiment.map_or(&[] as &[_], |experiment| experiment.setting_docs());
    let doc = |key: &str| docs.iter().find(|(name, _)| *name == key).map_or("", |(_, doc)| doc);
    html! {
        details {
            summary { "Settings" }
            div.scroll { table.settings {
                thead { tr { th { "setting" } th { "value" } th { "meaning" } } }
                tbody {
                    @for (key, value) in &record.settings {
                        tr { td { code { (key) } } td.value { code { (value.to_string()) } } td.words { (doc(key)) } }
                    }
                }
            } }
            p.small {
                "Seed " (record.seed) ", data: " (record.data) ", version " (record.version) ", commit "
                span.commit { (record.git) } "."
            }
        }
    }
}

fn is_wide(svg: &str) -> bool {
    let width = svg.split_once("width=\"").and_then(|(_, rest)| rest.split_once('"'));
    width.and_then(|(width, _)| width.parse::<f64>().ok()).is_some_and(|width| width > WIDE)
}
