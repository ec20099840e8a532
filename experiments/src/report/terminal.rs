//! The checks of a record on the terminal.

use std::fmt::Write as _;

use super::numbers::short;
use crate::record::Record;

/// The checks as an aligned table under a line that names the run.
pub(crate) fn terminal(record: &Record) -> String {
    let kind = if record.quick { "quick settings" } else { "full settings" };
    let mut text = format!(
        "{}: {} of {} checks hold ({kind}, seed {}, {} s)\n",
        record.experiment,
        record.held(),
        record.checks.len(),
        record.seed,
        short((record.seconds * 10.0).round() / 10.0)
    );
    let cells: Vec<_> =
        record.checks.iter().map(|check| (check, short(check.value), short(check.bound))).collect();
    let names = cells.iter().map(|(check, ..)| check.name.chars().count()).max().unwrap_or(0);
    let values = cells.iter().map(|(_, value, _)| value.len()).max().unwrap_or(0);
    let bounds = cells.iter().map(|(.., bound)| bound.len()).max().unwrap_or(0);
    for (check, value, bound) in &cells {
        let word = if check.holds { "pass" } else { "FAIL" };
        let relation = check.relation.symbol();
        writeln!(
            text,
            "  {word}  {:names$}  {value:>values$} {relation} {bound:<bounds$}  {}",
            check.name, check.source
        )
        .expect("writing to a string cannot fail");
    }
    text
}
