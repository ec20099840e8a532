//! What an experiment returns: checks, tables, figures and notes.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// Everything an experiment has to show, a function of version, settings and seed alone.
#[derive(Default)]
pub(crate) struct Outcome {
    /// Claims of the theory or the source, each with its number.
    pub(crate) checks: Vec<Check>,
    /// Numbers for the page, at full precision.
    pub(crate) tables: Vec<Table>,
    /// Pictures for the page.
    pub(crate) figures: Vec<Figure>,
    /// Sentences for the page: what was seen that no check states.
    pub(crate) notes: Vec<String>,
}

/// The side of the bound on which a check holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Relation {
    #[serde(rename = "<=")]
    AtMost,
    #[serde(rename = ">=")]
    AtLeast,
}

impl Relation {
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::AtMost => "<=",
            Self::AtLeast => ">=",
        }
    }

    /// Whether `value` lies on this side of `bound`; never for a number that is not finite.
    fn holds(self, value: f64, bound: f64) -> bool {
        value.is_finite()
            && bound.is_finite()
            && match self {
                Self::AtMost => value <= bound,
                Self::AtLeast => value >= bound,
            }
    }
}

/// A claim with its number. The bound comes from the theory or from Monte-Carlo error, never from the outcome.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Check {
    pub(crate) name: String,
    #[serde(deserialize_with = "null_is_nan")]
    pub(crate) value: f64,
    pub(crate) relation: Relation,
    #[serde(deserialize_with = "null_is_nan")]
    pub(crate) bound: f64,
    pub(crate) holds: bool,
    pub(crate) source: String,
}

impl Check {
    /// The claim `value <= bound`; `source` names where the claim comes from.
    pub(crate) fn at_most(
        name: impl Into<String>,
        value: f64,
        bound: f64,
        source: impl Into<String>,
    ) -> Self {
        Self::new(name.into(), value, Relation::AtMost, bound, source.into())
    }

    /// The claim `value >= bound`; `source` names where the claim comes from.
    pub(crate) fn at_least(
        name: impl Into<String>,
        value: f64,
        bound: f64,
        source: impl Into<String>,
    ) -> Self {
        Self::new(name.into(), value, Relation::AtLeast, bound, source.into())
    }

    fn new(name: String, value: f64, relation: Relation, bound: f64, source: String) -> Self {
        Self { name, value, relation, bound, holds: relation.holds(value, bound), source }
    }

    /// Whether `holds` is what value, relation and bound say.
    pub(crate) fn is_consistent(&self) -> bool {
        self.holds == self.relation.holds(self.value, self.bound)
    }
}

/// JSON has no number that is not finite; such a number is written as null.
fn null_is_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

/// The largest of `values`, none of them negative, or 0 if there are none. NaN if one is not a number, so that a check on
/// it fails.
pub(crate) fn largest(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().fold(0.0, |a, b| if a.is_nan() || b <= a { a } else { b })
}

/// A table of numbers and words; build the rows with [`cells!`](crate::outcome::cells).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) caption: String,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<Value>>,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new(name: impl Into<String>, caption: impl Into<String>, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|&column| column.to_owned()).collect();
        Self { name: name.into(), caption: caption.into(), columns, rows: Vec::new() }
    }

    /// Adds a row.
    ///
    /// # Panics
    /// If the row has not one cell per column.
    pub(crate) fn push(&mut self, row: Vec<Value>) {
        assert_eq!(row.len(), self.columns.len(), "table `{}`: cells in a row against columns", self.name);
        self.rows.push(row);
    }
}

/// A row of a [`Table`] from numbers and words of any type: `cells![d, "exact", 0.25]`.
macro_rules! cells {
    ($($cell:expr),* $(,)?) => {
        vec![$(::serde_json::Value::from($cell)),*]
    };
}
pub(crate) use cells;

/// A picture; `stem` names its file, so it consists of lower-case letters, digits and hyphens.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) stem: String,
    pub(crate) caption: String,
    pub(crate) svg: String,
}

impl Figure {
    /// A picture from the SVG text that the helpers in [`plot`](crate::plot) return.
    pub(crate) fn new(stem: impl Into<String>, caption: impl Into<String>, svg: String) -> Self {
        Self { stem: stem.into(), caption: caption.into(), svg }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_holds_on_its_side_of_the_bound_only() {
        assert!(Check::at_most("a", 1.0, 1.0, "s").holds);
        assert!(!Check::at_most("a", 1.1, 1.0, "s").holds);
        assert!(Check::at_least("a", 1.0, 1.0, "s").holds);
        assert!(!Check::at_least("a", 0.9, 1.0, "s").holds);
    }

    #[test]
    fn a_number_that_is_not_finite_never_holds() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(!Check::at_most("a", bad, 1.0, "s").holds);
            assert!(!Check::at_least("a", bad, 1.0, "s").holds);
            assert!(!Check::at_most("a", 1.0, bad, "s").holds);
        }
    }

    #[test]
    fn a_check_survives_json() {
        let check = Check::at_most("a", f64::NAN, 0.1, "s");
        let text = serde_json::to_string(&check).unwrap();
        assert_eq!(
            text,
            r#"{"name":"a","value":null,"relation":"<=","bound":0.1,"holds":false,"source":"s"}"#
        );
        let back: Check = serde_json::from_str(&text).unwrap();
        assert!(back.value.is_nan() && back.is_consistent());
    }
}
