//! Colours, sizes and the estimate of how wide a text is.

/// The palette of Okabe and Ito, told apart by colour-blind readers; yellow is left out, too faint on white.
pub(super) const PALETTE: [&str; 7] =
    ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000"];

/// Text, axes, and curves that are exact.
pub(super) const INK: &str = "#222222";
/// The grid.
pub(super) const GRID: &str = "#E6E6E6";
/// Reference lines.
pub(super) const GREY: &str = "#777777";

/// The height of every text, in pixels.
pub(super) const FONT: f64 = 14.0;
/// The distance between two lines of text.
pub(super) const LINE: f64 = 20.0;
/// The space left at the edges.
pub(super) const EDGE: f64 = 10.0;

/// The width of a text. The fonts of the reader are unknown: this is at the wide end of what is usual.
pub(super) fn text_width(text: &str) -> f64 {
    let units: f64 = text
        .chars()
        .map(|c| match c {
            'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '|' | '\'' | '!' => 0.32,
            ' ' | 'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '-' | 'I' => 0.42,
            '⁰'..='⁹' | '¹' | '²' | '³' | '⁻' => 0.45,
            'm' | 'w' | 'M' | 'W' | '—' => 0.95,
            '−' | '+' | '=' | '<' | '>' | '×' | '~' => 0.84,
            'A'..='Z' => 0.72,
            _ => 0.62,
        })
        .sum();
    units * FONT
}

/// The text, cut to the width with an ellipsis where it is wider.
pub(super) fn fitted(text: &str, width: f64) -> String {
    if text_width(text) <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    for c in text.chars() {
        if text_width(&cut) + text_width(&format!("{c}…")) > width {
            break;
        }
        cut.push(c);
    }
    cut.trim_end().to_owned() + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_only_where_it_must_be() {
        assert_eq!(fitted("short", 100.0), "short");
        let cut = fitted("a very long name of a series", 100.0);
        assert!(cut.ends_with('…') && text_width(&cut) <= 100.0);
    }
}
