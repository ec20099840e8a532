//! The golden tables.

/// Length of a place.
pub(crate) const DIMENSION: usize = 6;

/// A place.
pub(crate) type Point = [f64; DIMENSION];

/// A row of trajectories.csv.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) step: usize,
    pub(crate) stage: &'static str,
    pub(crate) timestep: Option<f64>,
    /// NaN where the scheduler knows no level.
    pub(crate) alpha: f64,
    pub(crate) sigma: f64,
    pub(crate) next: Option<(f64, f64)>,
    pub(crate) x: Point,
}

impl Entry {
    /// Is the next level this one, but for rounding?
    pub(crate) fn goes_nowhere(&self) -> bool {
        let same = |a: f64, b: f64| (a - b).abs() <= 1e-12 * a.abs();
        self.next.is_some_and(|(alpha, sigma)| same(alpha, self.alpha) && same(sigma, self.sigma))
    }
}

/// The fields of the rows of a table, without its comment and header.
fn rows(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines().filter(|line| !line.starts_with('#')).skip(1).map(|line| line.split(',').collect())
}

fn case_rows() -> impl Iterator<Item = Vec<&'static str>> {
    rows(include_str!("cases.csv"))
}

/// The names of all cases.
pub(crate) fn names() -> Vec<String> {
    case_rows().map(|row| row[0].to_owned()).collect()
}

/// How many noise vectors the scheduler drew in case `name`.
pub(crate) fn draws(name: &str) -> usize {
    case_rows().find(|row| row[0] == name).unwrap()[4].parse().unwrap()
}

/// The bound to which the scheduler clips denoised points in case `name`.
pub(crate) fn clip(name: &str) -> Option<f64> {
    let row = case_rows().find(|row| row[0] == name).unwrap();
    let parameter = |key: &str| row[5].split(';').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
    (parameter("clip_sample") == Some("True"))
        .then(|| parameter("clip_sample_range").unwrap().parse().unwrap())
}

/// The trajectory of case `name`.
pub(crate) fn trajectory(name: &str) -> Vec<Entry> {
    let number = |field: &str| (!field.is_empty()).then(|| field.parse::<f64>().unwrap());
    let entry = |row: Vec<&'static str>| Entry {
        step: row[1].parse().unwrap(),
        stage: row[2],
        timestep: number(row[3]),
        alpha: number(row[4]).unwrap_or(f64::NAN),
        sigma: number(row[5]).unwrap_or(f64::NAN),
        next: number(row[6]).zip(number(row[7])),
        x: std::array::from_fn(|j| number(row[8 + j]).unwrap()),
    };
    let found: Vec<Entry> =
        rows(include_str!("trajectories.csv")).filter(|row| row[0] == name).map(entry).collect();
    assert!(!found.is_empty(), "no trajectory of {name}");
    found
}
