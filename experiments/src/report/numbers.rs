//! Numbers for readers.

use serde_json::Value;

/// Four significant digits; whole numbers below a million in full.
pub(super) fn short(value: f64) -> String {
    if !value.is_finite() {
        return "not finite".into();
    }
    let size = value.abs();
    if value.fract() == 0.0 && size < 1e6 {
        return format!("{value:.0}").replace("-0", "0");
    }
    if (1e-4..1e6).contains(&size) {
        let decimals = (3 - size.log10().floor() as i32).max(0) as usize;
        let text = format!("{value:.decimals$}");
        let trimmed =
            if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        return trimmed.to_owned();
    }
    let text = format!("{value:.3e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => {
            format!("{}e{exponent}", mantissa.trim_end_matches('0').trim_end_matches('.'))
        }
        None => text,
    }
}

/// All digits.
pub(super) fn full(value: f64) -> String {
    format!("{value:?}")
}

/// Seconds in the unit a reader would choose.
pub(super) fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 99.95 => format!("{s:.1} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

/// A cell of a table: what is shown, and the full number where that is shorter.
pub(super) fn cell(value: &Value) -> (String, Option<String>) {
    match value {
        Value::Null => ("–".into(), None),
        Value::Bool(true) => ("yes".into(), None),
        Value::Bool(false) => ("no".into(), None),
        Value::Number(number) if number.is_f64() => {
            let number = number.as_f64().unwrap_or(f64::NAN);
            (short(number), Some(full(number)))
        }
        Value::Number(number) => (number.to_string(), None),
        Value::String(text) => (text.clone(), None),
        Value::Array(_) | Value::Object(_) => (value.to_string(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_their_unit() {
        let cases =
            [(0.04, "0.0 s"), (99.9, "99.9 s"), (100.0, "2 min"), (5399.0, "90 min"), (5400.0, "1.5 h")];
        for (seconds, expected) in cases {
            assert_eq!(duration(seconds), expected);
        }
    }

    #[test]
    fn four_digits_are_shown() {
        let cases = [
            (0.0, "0"),
            (-0.0, "0"),
            (3.0, "3"),
            (-20.0, "-20"),
            (0.5, "0.5"),
            (0.123456, "0.1235"),
            (123.456, "123.5"),
            (123456.7, "123457"),
            (1.23456e-5, "1.235e-5"),
            (2e7, "2e7"),
            (f64::NAN, "not finite"),
        ];
        for (value, expected) in cases {
            assert_eq!(short(value), expected);
        }
    }
}
