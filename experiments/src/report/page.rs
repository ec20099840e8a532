//! The page: one file with everything in it, no script and nothing to load.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::contents::{self, groups};
use super::numbers::duration;
use super::section::section;
use super::{Shown, claims};
use crate::experiment::AnyExperiment;

const STYLE: &str = include_str!("style.css");

/// The text of the page; the records stand in the order in which they are given.
pub(super) fn page(shown: &[Shown], registry: &[&dyn AnyExperiment]) -> String {
    let experiment = |name: &str| registry.iter().find(|experiment| experiment.name() == name).copied();
    let claims = claims::section(shown);
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
                (contents::navigation(shown, claims.is_some()))
                div.page {
                    (header(shown))
                    main {
                        (contents::summary(shown))
                        @for (index, (question, group)) in groups(shown).iter().enumerate() {
                            section.question id={ "question-" (index + 1) } {
                                h2 { (question) }
                                @for shown in *group { (section(shown, experiment(&shown.record.experiment))) }
                            }
                        }
                        @if let Some(claims) = claims { (claims) }
                    }
                }
            }
        }
    }
    .into_string()
}

fn header(shown: &[Shown]) -> Markup {
    let checks: usize = shown.iter().map(|shown| shown.record.checks.len()).sum();
    let held: usize = shown.iter().map(|shown| shown.record.held()).sum();
    let seconds: f64 = shown.iter().map(|shown| shown.record.seconds).sum();
    html! {
        header {
            h1 { "resolvent" }
            p.lead { "Diffusion generative models with a random time horizon." }
            p {
                "A diffusion started in the data is killed at a random time and run backward from where it died: "
                "the backward process is time-homogeneous, its drift is a purely spatial score, and it decides by "
                "itself when to stop. Beside it stands the standard model, a forward SDE run to a fixed time and "
                "reversed. Every experiment below answers a part of a question. It states claims of the theory as "
                "checks, each with its number, a bound, and where the bound comes from: the theory, Monte-Carlo error "
                "or a published figure, never the outcome."
            }
            p.facts {
                span class=(if held == checks { "pass" } else { "fail" }) { (held) " of " (checks) " checks hold" }
                " in " (shown.len()) (if shown.len() == 1 { " experiment" } else { " experiments" })
                ", computed in " (duration(seconds)) "."
            }
            p.small {
                "Point at a number to see all its digits; the files " code { "record.json" } " hold them too. The time of "
                "an experiment that is made of units is the sum over its units, which are computed side by side."
            }
        }
    }
}
