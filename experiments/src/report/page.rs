//! The page: one file with everything in it, no script and nothing to load.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::Shown;
use super::numbers::{cell, full, short};
use crate::outcome::{Check, Table};
use crate::record::Record;

const STYLE: &str = include_str!("style.css");

/// Rows beyond which a table scrolls in a box of its own.
const LONG: usize = 40;

/// Figures wider than this stand alone in their row.
const WIDE: f64 = 700.0;

/// The text of the page.
pub(super) fn page(shown: &[Shown]) -> String {
    let checks: usize = shown.iter().map(|shown| shown.record.checks.len()).sum();
    let held: usize = shown.iter().map(|shown| shown.record.held()).sum();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "resolvent: experiments" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { "resolvent" }
                    p.lead { "Diffusion generative models with a random time horizon." }
                    p {
                        "A diffusion started in the data is killed at a random time and run backward from where it died: "
                        "the backward process is time-homogeneous, its drift is a purely spatial score, and it decides by "
                        "itself when to stop. Beside it stands the standard model, a forward SDE run to a fixed time and "
                        "reversed. Every experiment below states claims of the theory as checks, each with its number "
                        "and a bound from the theory or from Monte-Carlo error. Point at a number to see all its "
                        "digits; the files "
                        code { "record.json" } " hold them too."
                    }
                }
                main {
                    section.summary {
                        h2 { "Summary" }
                        p { (verdict(held, checks)) }
                        (summary(shown))
                    }
                    @for shown in shown { (experiment(shown)) }
                }
            }
        }
    }
    .into_string()
}

fn verdict(held: usize, all: usize) -> Markup {
    let class = if held == all { "pass" } else { "fail" };
    html! { span class=(class) { (held) " of " (all) } " checks hold." }
}

fn summary(shown: &[Shown]) -> Markup {
    html! {
        div.scroll { table {
            thead { tr { th { "experiment" } th { "what it reproduces" } th.number { "checks held" } th.number { "seconds" } } }
            tbody {
                @for Shown { record, .. } in shown {
                    tr {
                        td { a href={ "#" (record.experiment) } { (record.experiment) } }
                        td { (record.summary) }
                        td.number { span class=(if record.holds() { "pass" } else { "fail" }) {
                            (record.held()) "/" (record.checks.len())
                        } }
                        td.number { (seconds(record)) }
                    }
                }
            }
        } }
    }
}

fn experiment(Shown { record, figures }: &Shown) -> Markup {
    html! {
        section id=(record.experiment) {
            h2 { (record.experiment) }
            p.lead { (record.summary) }
            (checks(&record.checks))
            @if !figures.is_empty() {
                div.figures {
                    @for (svg, caption) in figures.iter().zip(&record.captions) {
                        figure class=[is_wide(svg).then_some("wide")] {
                            div.card { (PreEscaped(svg)) }
                            figcaption { (caption) }
                        }
                    }
                }
            }
            @for table in &record.tables { (data(table)) }
            @if !record.notes.is_empty() {
                ul.notes { @for note in &record.notes { li { (note) } } }
            }
            (settings(record))
        }
    }
}

fn checks(checks: &[Check]) -> Markup {
    html! {
        div.scroll { table.checks {
            thead { tr { th { "check" } th.number { "value" } th {} th.number { "bound" } th {} th { "source" } } }
            tbody {
                @for check in checks {
                    tr {
                        td { (check.name) }
                        td.number title=(full(check.value)) { (short(check.value)) }
                        td.relation { (if check.relation.symbol() == "<=" { "≤" } else { "≥" }) }
                        td.number title=(full(check.bound)) { (short(check.bound)) }
                        td { @if check.holds { span.pass { "pass" } } @else { span.fail { "FAIL" } } }
                        td.source { (check.source) }
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
            div.scroll.long[table.rows.len() > LONG] { table {
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

fn settings(record: &Record) -> Markup {
    html! {
        details {
            summary { "Settings" }
            dl {
                @for (key, value) in &record.settings { dt { (key) } dd { (value.to_string()) } }
                dt { "settings" } dd { (if record.quick { "quick" } else { "full" }) }
                dt { "seed" } dd { (record.seed) }
                dt { "data" } dd { (record.data) }
                dt { "version" } dd { (record.version) }
                dt { "commit" } dd { (record.git) }
                dt { "seconds" } dd { (seconds(record)) }
            }
        }
    }
}

fn seconds(record: &Record) -> String {
    format!("{:.1}", record.seconds)
}

fn is_wide(svg: &str) -> bool {
    let width = svg.split_once("width=\"").and_then(|(_, rest)| rest.split_once('"'));
    width.and_then(|(width, _)| width.parse::<f64>().ok()).is_some_and(|width| width > WIDE)
}
