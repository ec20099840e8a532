//! `resolvent list`

use std::io::Write;

use anyhow::Result;

use crate::Verdict;
use crate::experiment::AnyExperiment;

/// One line per experiment: name, time (with a star if it is a sweep), what it reproduces.
pub(crate) fn execute(registry: &[&dyn AnyExperiment], out: &mut impl Write) -> Result<Verdict> {
    let width = registry.iter().map(|experiment| experiment.name().len()).max().unwrap_or(0);
    for experiment in registry {
        let time = duration(experiment.seconds());
        let star = if experiment.in_units() { '*' } else { ' ' };
        writeln!(out, "{:width$}  {time:>6}{star} {}", experiment.name(), experiment.summary())?;
    }
    Ok(Verdict::Holds)
}

fn duration(seconds: u32) -> String {
    if seconds < 120 { format!("{seconds} s") } else { format!("{} min", seconds.div_ceil(60)) }
}

#[cfg(test)]
mod tests {
    #[test]
    fn long_times_are_in_minutes() {
        assert_eq!(super::duration(119), "119 s");
        assert_eq!(super::duration(121), "3 min");
    }
}
