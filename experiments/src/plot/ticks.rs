//! Where the ticks of an axis stand, and what is written at them.

/// A tick: its value and its label.
pub(super) type Tick = (f64, String);

/// Round numbers in `[lo, hi]`, a multiple of 1, 2 or 5 times a power of ten apart, about `count` of them.
pub(super) fn linear(lo: f64, hi: f64, count: usize) -> Vec<Tick> {
    let raw = (hi - lo) / count.max(1) as f64;
    let power = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|unit| unit * power).into_iter().find(|&s| s >= raw * 0.999);
    let step = step.unwrap_or(10.0 * power);
    let (first, last) = ((lo / step - 1e-9).ceil() as i64, (hi / step + 1e-9).floor() as i64);
    (first..=last)
        .map(|k| k as f64 * step)
        .map(|value| (value, decimal(value, step, lo.abs().max(hi.abs()))))
        .collect()
}

/// Powers of ten in `[lo, hi]`, with 2 and 5 times them where the range is short, at most about `count`.
pub(super) fn logarithmic(lo: f64, hi: f64, count: usize) -> Vec<Tick> {
    let (first, last) = ((lo.log10() - 1e-9).ceil() as i32, (hi.log10() + 1e-9).floor() as i32);
    let decades = (last - first + 1).max(0);
    let values: Vec<f64> = if decades >= 3 {
        let stride = (decades as usize).div_ceil(count.max(2));
        (first..=last).filter(|k| k.rem_euclid(stride as i32) == 0).map(|k| 10f64.powi(k)).collect()
    } else {
        let fine = (first - 1..=last).flat_map(|k| [1.0, 2.0, 5.0].map(|unit| unit * 10f64.powi(k)));
        fine.filter(|&value| value >= lo * (1.0 - 1e-9) && value <= hi * (1.0 + 1e-9)).collect()
    };
    if values.len() < 2 {
        return linear(lo, hi, count).into_iter().filter(|&(value, _)| value > 0.0).collect();
    }
    let plain = values[0] > 0.99e-3 && values[values.len() - 1] < 1.01e4;
    values
        .into_iter()
        .map(|value| (value, if plain { shortest(value) } else { power_of_ten(value) }))
        .collect()
}

fn decimal(value: f64, step: f64, largest: f64) -> String {
    if largest >= 1e5 || step < 1e-4 {
        return power_of_ten(value);
    }
    let decimals = (-(step.log10() + 1e-9).floor()).max(0.0) as usize;
    let text = format!("{value:.decimals$}");
    let zero = text.chars().all(|c| matches!(c, '-' | '0' | '.'));
    if zero { "0".into() } else { text.replace('-', "−") }
}

fn shortest(value: f64) -> String {
    // One significant digit is enough for 1, 2 and 5 times a power of ten, which may be off by a rounding.
    let decimals = (-(value.log10() + 1e-9).floor()).max(0.0) as usize;
    format!("{value:.decimals$}")
}

/// The value as a multiple of a power of ten, as in 2×10⁻⁵.
fn power_of_ten(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let exponent = (value.abs().log10() + 1e-9).floor() as i32;
    let mantissa = format!("{:.2}", value / 10f64.powi(exponent));
    let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.').replace('-', "−");
    let power: String = exponent.to_string().chars().map(superscript).collect();
    match mantissa.as_str() {
        "1" => format!("10{power}"),
        "−1" => format!("−10{power}"),
        _ => format!("{mantissa}×10{power}"),
    }
}

fn superscript(c: char) -> char {
    match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        _ => c.to_digit(10).and_then(|digit| char::from_u32(0x2070 + digit)).unwrap_or(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: Vec<Tick>) -> Vec<String> {
        ticks.into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn linear_ticks_are_round() {
        assert_eq!(labels(linear(0.0, 1.0, 5)), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(linear(-3.1, 3.2, 6)), ["−2", "0", "2"]);
        assert_eq!(labels(linear(0.0, 2e6, 4)), ["0", "5×10⁵", "10⁶", "1.5×10⁶", "2×10⁶"]);
    }

    #[test]
    fn logarithmic_ticks_are_powers_of_ten() {
        assert_eq!(labels(logarithmic(0.01, 10.0, 6)), ["0.01", "0.1", "1", "10"]);
        assert_eq!(labels(logarithmic(1e-12, 1.0, 5)), ["10⁻¹²", "10⁻⁹", "10⁻⁶", "10⁻³", "10⁰"]);
        assert_eq!(labels(logarithmic(3.0, 60.0, 6)), ["5", "10", "20", "50"]);
        assert_eq!(labels(logarithmic(3.0, 4.0, 4)), ["3.0", "3.5", "4.0"]);
    }
}
