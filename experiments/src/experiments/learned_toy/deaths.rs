//! When particles driven by the learned score die.

use anyhow::Result;
use resolvent::core::killing::SupScore;
use resolvent::core::step::EulerMaruyama;
use resolvent::core::{Ensemble, Exit, Sampler, Score, ScoreAdaptive};
use resolvent::metrics::{KsResult, expected_ks, ks_one_sample};

use super::samples::{Driver, Way};
use super::sets::Set;
use super::{Settings, Use};
use crate::outcome::{Table, cells};

/// A particle further away than this many δ was killed too early.
const PREMATURE: f64 = 2.0;

/// The deaths under one rule.
pub(super) struct Deaths {
    rule: &'static str,
    driver: Driver,
    /// Share of those killed too early, and of those never killed.
    premature: f64,
    never: f64,
    mean: f64,
    lifetimes: KsResult,
}

/// Runs from the exact start law r u, under which lifetimes are Exp(r).
pub(super) fn deaths(set: &Set, learned: &dyn Score, settings: &Settings, seed: u64) -> Result<Vec<Deaths>> {
    let data = set.law().sample(settings.particles, Use::Deaths.seed(seed, 0));
    let (starts, _) = set.process.deaths(&data, Use::Deaths.seed(seed, 1))?;
    let paths = Use::Deaths.seed(seed, 2);
    let mut deaths = Vec::new();
    for driver in Driver::ALL {
        let score = if driver == Driver::Exact { set.score() } else { learned };
        let ensemble = Way::Noisy.run(set, score, &starts, settings, paths)?;
        let sampled = if set.codimension().is_some() { "lifetime" } else { "hazard" };
        deaths.push(Deaths::new(set, sampled, driver, &ensemble, settings)?);
        if let Some(codimension) = set.codimension() {
            let rule = SupScore::at_distance(&set.process, codimension, settings.delta)?;
            let (step, control) = (EulerMaruyama::new(score), ScoreAdaptive::new(settings.euler_eta, 0.0)?);
            let sampler = Sampler::new(&set.process, &step, &control).killing("sup", &rule).cap(settings.cap);
            deaths.push(Deaths::new(set, "sup |s|", driver, &sampler.run(&starts, paths)?, settings)?);
        }
    }
    Ok(deaths)
}

impl Deaths {
    fn new(
        set: &Set,
        rule: &'static str,
        driver: Driver,
        ensemble: &Ensemble,
        settings: &Settings,
    ) -> Result<Self> {
        let n = ensemble.exits.len() as f64;
        let killed = |exit: &Exit| matches!(exit, Exit::Killed { .. });
        let early = ensemble
            .points
            .column_iter()
            .zip(&ensemble.exits)
            .filter(|(x, exit)| killed(exit) && set.distance(x.as_slice()) > PREMATURE * settings.delta);
        let lifetimes: Vec<f64> = ensemble.lifetimes.iter().map(|t| settings.rate * t).collect();
        Ok(Self {
            rule,
            driver,
            premature: early.count() as f64 / n,
            never: ensemble.exits.iter().filter(|exit| !killed(exit)).count() as f64 / n,
            mean: lifetimes.iter().sum::<f64>() / n,
            lifetimes: ks_one_sample(&lifetimes, |t| -f64::exp_m1(-t))?,
        })
    }
}

/// One row for each set, rule and score.
pub(super) fn table(reports: &[(&Set, &[Deaths])], settings: &Settings) -> Result<Table> {
    let mut table = Table::new(
        "deaths",
        format!(
            "{} particles from the exact start law r u, under which the lifetime is Exp(r) (r = {}). Sampled lifetime: bridges as above; \
             sup |s|: Euler-Maruyama with η = {}, threshold at the distance δ = {} (R14); hazard: the exact α/u. Killed too early: further \
             than {PREMATURE} δ from M; never killed: alive after {} evaluations, or diverged. KS distance of the lifetimes to Exp(r), \
             {:.5} on average for exact ones.",
            settings.particles,
            settings.rate,
            settings.euler_eta,
            settings.delta,
            settings.cap,
            expected_ks(settings.particles)?
        ),
        &["set", "rule", "score", "too early", "never", "mean lifetime × r", "KS of lifetimes", "p"],
    );
    for (set, deaths) in reports {
        for death in *deaths {
            table.push(cells![
                set.name,
                death.rule,
                death.driver.name(),
                death.premature,
                death.never,
                death.mean,
                death.lifetimes.statistic,
                death.lifetimes.p_value,
            ]);
        }
    }
    Ok(table)
}
