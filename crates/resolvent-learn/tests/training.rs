//! The optimiser against an independent trajectory, the loop against a known minimiser, and what ends it.

mod regression;

use regression::{NOISE, Regression};
use resolvent_learn::checkpoint::Subject;
use resolvent_learn::network::Layout;
use resolvent_learn::train::{Observer, Outcome, Record, State, Task, Trainer, TrainingSettings};
use resolvent_learn::{Error, Result};
use serde_json::json;
use std::ops::Range;
use std::sync::Mutex;

/// The quadratic ½ Σ c_i (p_i - m_i)² with c_i = 1 + 0.3 i and m_i = ± 0.2 i, in the parameters of a 1-2-2-1 network.
struct Quadratic {
    shape: Regression,
    /// What has been asked for.
    asked: Mutex<Vec<Range<u64>>>,
    /// The example from which on the loss is not finite.
    bad_from: u64,
    /// Whether the gradient is not finite there either.
    bad_gradient: bool,
    /// Whether validation finds a finite loss at parameters that begin with this or more.
    valid_from: f32,
}

impl Quadratic {
    fn new() -> Self {
        let (asked, valid_from) = (Mutex::default(), f32::NEG_INFINITY);
        Self { shape: Regression::new(2), asked, bad_from: u64::MAX, bad_gradient: false, valid_from }
    }

    fn start(&self) -> Vec<f32> {
        (0..self.layout().len()).map(|i| 0.5 - 0.1 * i as f32).collect()
    }
}

impl Task for Quadratic {
    fn layout(&self) -> &Layout {
        self.shape.layout()
    }

    fn gradient(&self, parameters: &[f32], examples: Range<u64>, gradient: &mut [f32]) -> f64 {
        let (n, bad) = ((examples.end - examples.start) as f32, examples.end > self.bad_from);
        self.asked.lock().unwrap().push(examples);
        let mut loss = 0.0;
        for (i, (g, p)) in gradient.iter_mut().zip(parameters).enumerate() {
            let sign = if i % 2 == 0 { 1.0 } else { -1.0 };
            let (c, m) = (1.0 + 0.3 * i as f32, sign * 0.2 * i as f32);
            *g += n * c * (p - m);
            loss += f64::from(0.5 * n * c * (p - m).powi(2));
        }
        match (bad, self.bad_gradient) {
            (true, true) => gradient[7] = f32::INFINITY,
            (true, false) => loss = f64::NAN,
            _ => {}
        }
        loss
    }

    fn validate(&self, parameters: &[f32]) -> Vec<(String, f64)> {
        let loss = if parameters[0] >= self.valid_from { 1.0 } else { f64::NAN };
        vec![("loss".into(), loss)]
    }
}

fn subject() -> Subject {
    Subject::new(json!({"task": "toy"}))
}

/// The settings of the tables below.
fn table() -> TrainingSettings {
    TrainingSettings {
        steps: 40,
        batch: 1,
        shard: 1,
        learning_rate: 0.1,
        warmup: 5,
        final_rate: 0.1,
        betas: [0.8, 0.95],
        epsilon: 1e-3,
        weight_decay: 0.2,
        clip: Some(3.0),
        average_decay: 0.6,
        ..TrainingSettings::default()
    }
}

/// PyTorch 2.15 in double precision: `torch.optim.AdamW` with weight decay for the matrices alone, `clip_grad_norm_`, `LinearLR`
/// followed by `CosineAnnealingLR`, and an average by `lerp_`. Steps taken, parameters, averages.
const TRAJECTORY: [(u64, [f64; 13], [f64; 13]); 3] = [
    (
        1,
        [
            0.478_281_377,
            0.378_581_286,
            0.319_146_221,
            0.180_093_441,
            0.119_507_767,
            -0.019_943_084,
            -0.079_639_126,
            -0.219_161_714,
            -0.280_022_065,
            -0.419_972_490,
            -0.478_014_259,
            -0.617_579_281,
            -0.680_010_002,
        ],
        [
            0.480_453_240,
            0.380_723_157,
            0.317_231_599,
            0.182_084_096,
            0.117_556_991,
            -0.017_948_776,
            -0.081_675_213,
            -0.217_245_543,
            -0.282_019_858,
            -0.417_975_241,
            -0.480_212_834,
            -0.615_821_353,
            -0.682_009_002,
        ],
    ),
    (
        10,
        [
            -0.126_125_419,
            -0.274_949_735,
            0.361_954_027,
            -0.530_759_272,
            0.754_692_058,
            -0.707_350_376,
            0.637_511_690,
            -0.892_185_930,
            0.489_589_244,
            -1.178_642_919,
            0.315_275_018,
            -1.247_160_369,
            0.099_371_454,
        ],
        [
            -0.083_299_425,
            -0.216_329_344,
            0.372_500_475,
            -0.450_569_730,
            0.689_464_362,
            -0.629_693_768,
            0.553_950_022,
            -0.814_055_657,
            0.392_979_399,
            -1.085_003_319,
            0.219_992_517,
            -1.172_205_979,
            0.000_244_675,
        ],
    ),
    (
        40,
        [
            0.001_150_587,
            -0.196_242_929,
            0.399_316_123,
            -0.605_219_072,
            0.796_032_337,
            -0.986_397_283,
            1.176_711_320,
            -1.373_620_672,
            1.606_603_731,
            -1.803_856_476,
            1.523_578_494,
            -2.072_963_425,
            1.633_782_865,
        ],
        [
            0.002_145_565,
            -0.196_943_000,
            0.399_576_789,
            -0.604_981_943,
            0.796_977_400,
            -0.984_135_756,
            1.176_837_894,
            -1.373_051_103,
            1.604_659_756,
            -1.807_322_301,
            1.511_320_862,
            -2.067_214_858,
            1.615_465_373,
        ],
    ),
];

/// Learning rate, norm of the gradient and loss of some steps of it.
const STEPS: [(u64, f64, f64, f64); 6] = [
    (0, 0.02, 21.404_438_791_988_92, 57.232),
    (3, 0.08, 20.224_906_115_387_366, 50.650_844_253_547_45),
    (4, 0.1, 19.452_632_754_514_973, 46.584_040_696_675_61),
    (5, 0.1, 18.503_593_957_228_876, 41.843_662_162_870_686),
    (20, 0.065_013_442_028_034_08, 7.916_094_327_268_255, 7.128_449_748_763_383),
    (39, 0.010_181_156_770_214_243, 4.102_947_896_161_584, 1.894_011_168_246_512_4),
];

#[test]
fn the_optimiser_against_pytorch() {
    let task = Quadratic::new();
    let mut trainer = Trainer::start_from(&task, subject(), table(), task.start()).unwrap();
    for step in 0..40 {
        let progress = trainer.step().unwrap();
        if let Some((_, rate, norm, loss)) = STEPS.iter().find(|row| row.0 == step) {
            assert!((progress.learning_rate - rate).abs() < 1e-12, "{step}");
            assert!((progress.gradient_norm / norm - 1.0).abs() < 1e-5, "{step}");
            assert!((progress.loss / loss - 1.0).abs() < 1e-5, "{step}");
        }
        if let Some((_, parameters, average)) = TRAJECTORY.iter().find(|row| row.0 == step + 1) {
            let state = trainer.state();
            for (found, expected) in [(state.parameters(), parameters), (state.average(), average)] {
                for (f, e) in found.iter().zip(expected) {
                    assert!((f64::from(*f) - e).abs() < 5e-6, "{step}: {f} {e}");
                }
            }
        }
    }
}

/// Without a gradient the weights decay and the biases stay, wherever the threads' chunks end.
#[test]
fn weights_decay_and_biases_do_not() {
    struct Flat(Regression);
    impl Task for Flat {
        fn layout(&self) -> &Layout {
            self.0.layout()
        }
        fn gradient(&self, _: &[f32], _: Range<u64>, _: &mut [f32]) -> f64 {
            0.0
        }
        fn validate(&self, _: &[f32]) -> Vec<(String, f64)> {
            Vec::new()
        }
    }
    let task = Flat(Regression::new(200));
    assert!(task.layout().len() > 2 << 14);
    let start = vec![1.0; task.layout().len()];
    let settings = TrainingSettings { warmup: 0, ..table() };
    let mut trainer = Trainer::start_from(&task, subject(), settings, start).unwrap();
    trainer.step().unwrap();
    for entry in task.layout().entries() {
        let left = if entry.shape.len() == 1 { 1.0 } else { 1.0 - 0.1 * 0.2 };
        assert!(trainer.state().parameters()[entry.range()].iter().all(|p| *p == left), "{}", entry.name);
    }
}

#[test]
fn learning_rates() {
    let settings = TrainingSettings {
        steps: 110,
        warmup: 10,
        learning_rate: 2.0,
        final_rate: 0.5,
        ..TrainingSettings::default()
    };
    let rates = [(0, 0.2), (9, 2.0), (10, 2.0), (60, 1.5), (110, 1.0)];
    for (step, rate) in rates {
        assert!((settings.rate(step) - rate).abs() < 1e-12, "{step}: {}", settings.rate(step));
    }
    let constant = TrainingSettings { final_rate: 1.0, warmup: 0, ..settings };
    assert!([0, 50, 109].iter().all(|step| constant.rate(*step) == 2.0));
}

/// Every example is asked for once, in shards that depend on the settings alone, and the gradient is their mean.
#[test]
fn examples_are_shared_out() {
    let settings = TrainingSettings { batch: 21, shard: 4, lanes: 2, clip: None, ..table() };
    let (task, plain) = (Quadratic::new(), Quadratic::new());
    let mut trainer = Trainer::start_from(&task, subject(), settings.clone(), task.start()).unwrap();
    let mut all = Trainer::start_from(
        &plain,
        subject(),
        TrainingSettings { batch: 1, shard: 1, ..settings },
        plain.start(),
    )
    .unwrap();
    for step in 0..3 {
        let (found, expected) = (trainer.step().unwrap(), all.step().unwrap());
        assert!((found.loss / expected.loss - 1.0).abs() < 1e-5);
        assert!((found.gradient_norm / expected.gradient_norm - 1.0).abs() < 1e-5);
        let mut asked = std::mem::take(&mut *task.asked.lock().unwrap());
        asked.sort_by_key(|range| range.start);
        let begin = 21 * step;
        let expected: Vec<_> = (0..6).map(|i| begin + 4 * i..(begin + 4 * i + 4).min(begin + 21)).collect();
        assert_eq!(asked, expected);
    }
}

#[test]
fn a_known_minimiser_is_found() {
    let task = Regression::new(32);
    let settings = TrainingSettings {
        steps: 1500,
        batch: 64,
        shard: 32,
        learning_rate: 5e-3,
        warmup: 50,
        average_decay: 0.99,
        validate_every: 0,
        ..TrainingSettings::default()
    };
    let mut log = Log::default();
    let mut trainer = Trainer::new(&task, subject(), settings).unwrap();
    assert_eq!(trainer.run(&mut log).unwrap(), Outcome::Finished);
    let error = |record: &Record| record.validation["error"].as_f64().unwrap();
    let (first, last) = (&log.records[0], log.records.last().unwrap());
    assert!(error(first) > 0.6 && error(last) < 0.05, "{} {}", error(first), error(last));
    // The mean loss of the last hundred steps: 6400 examples or more, whose squared noise has standard deviation √2 NOISE².
    let loss = last.smoothed_loss.unwrap() / (NOISE * NOISE);
    assert!((loss - 1.0).abs() < 0.1, "{loss}");
    assert!(last.validation["infinite"].is_null());
    assert_eq!((first.step, first.loss, last.step), (0, None, 1500));
    assert_eq!(log.records.len(), 151);
    assert_eq!(log.checkpoints, [1000, 1500]);
}

/// Remembers everything, and stops after `stop` steps.
#[derive(Default)]
struct Log {
    records: Vec<Record>,
    checkpoints: Vec<u64>,
    good: Option<Vec<f32>>,
    layout: Layout,
    stop: Option<u64>,
}

impl Observer for Log {
    fn record(&mut self, record: &Record) -> Result<()> {
        self.records.push(record.clone());
        Ok(())
    }

    fn stop(&mut self) -> bool {
        self.stop.is_some_and(|stop| self.records.last().unwrap().step >= stop)
    }

    fn checkpoint(&mut self, state: &State) -> Result<()> {
        self.checkpoints.push(state.step());
        Ok(())
    }

    fn diverged(&mut self, state: &State) -> Result<()> {
        self.good = state.last_good().map(|model| model.parameters(&self.layout).unwrap());
        Ok(())
    }
}

fn every_step() -> TrainingSettings {
    TrainingSettings { record_every: 1, checkpoint_every: 1, validate_every: 2, ..table() }
}

#[test]
fn a_loss_or_gradient_that_is_not_finite_ends_it() {
    for bad_gradient in [false, true] {
        let task = Quadratic { bad_from: 7, bad_gradient, ..Quadratic::new() };
        let mut trainer = Trainer::start_from(&task, subject(), every_step(), task.start()).unwrap();
        let mut averages = Vec::new();
        for _ in 0..7 {
            averages.push(trainer.state().average().to_vec());
            trainer.step().unwrap();
        }
        let before = trainer.state().clone();
        assert!(trainer.step().is_none());
        assert_eq!(*trainer.state(), before, "a bad step was taken");
        // The same by a run: what is left is the average at the last validation.
        let mut log = Log { layout: task.layout().clone(), ..Log::default() };
        let mut trainer = Trainer::start_from(&task, subject(), every_step(), task.start()).unwrap();
        let outcome = trainer.run(&mut log).unwrap();
        assert_eq!(outcome, Outcome::Diverged { step: 7, last_good: Some(6) });
        assert_eq!(log.good.unwrap(), averages[6]);
        assert_eq!(log.checkpoints, [1, 2, 3, 4, 5, 6, 7]);
    }
}

#[test]
fn a_validation_that_is_not_finite_ends_it() {
    // The first parameter decreases from 0.5.
    let task = Quadratic { valid_from: 0.4, ..Quadratic::new() };
    let mut log = Log { layout: task.layout().clone(), ..Log::default() };
    let mut trainer = Trainer::start_from(&task, subject(), every_step(), task.start()).unwrap();
    let Outcome::Diverged { step, last_good } = trainer.run(&mut log).unwrap() else {
        panic!("it ran to the end");
    };
    assert_eq!(last_good, Some(step - 2));
    assert!(log.good.unwrap()[0] >= 0.4 && trainer.state().average()[0] < 0.4);
    assert!(log.records.last().unwrap().validation["loss"].is_null());
    assert_eq!(log.checkpoints.last(), Some(&(step - 1)));
    // From the start there is nothing good.
    let task = Quadratic { valid_from: 1.0, ..Quadratic::new() };
    let mut trainer = Trainer::start_from(&task, subject(), every_step(), task.start()).unwrap();
    assert_eq!(trainer.run(&mut ()).unwrap(), Outcome::Diverged { step: 0, last_good: None });
}

#[test]
fn stopped_and_out_of_time() {
    let task = Quadratic::new();
    let mut log = Log { stop: Some(3), ..Log::default() };
    let settings = TrainingSettings { checkpoint_every: 0, ..every_step() };
    let mut trainer = Trainer::start_from(&task, subject(), settings.clone(), task.start()).unwrap();
    assert_eq!(trainer.run(&mut log).unwrap(), Outcome::Stopped);
    assert_eq!((trainer.state().step(), &log.checkpoints[..]), (3, &[3][..]));
    let losses: Vec<f64> = log.records.iter().filter_map(|record| record.loss).collect();
    let mean = losses.iter().sum::<f64>() / losses.len() as f64;
    assert!(losses.len() == 3 && (log.records[3].smoothed_loss.unwrap() / mean - 1.0).abs() < 1e-12);
    let settings = TrainingSettings { seconds: Some(1e-9), ..settings };
    let mut trainer = Trainer::start_from(&task, subject(), settings, task.start()).unwrap();
    assert_eq!(trainer.run(&mut log).unwrap(), Outcome::TimeUp);
    trainer.limit_seconds(None).unwrap();
    assert_eq!(trainer.run(&mut ()).unwrap(), Outcome::Finished);
}

#[test]
fn settings_outside_their_ranges() {
    let good = TrainingSettings::default();
    good.validate().unwrap();
    let bad = [
        (TrainingSettings { steps: 0, ..good.clone() }, "steps must be at least 1, got 0"),
        (TrainingSettings { batch: 0, ..good.clone() }, "batch must be at least 1, got 0"),
        (TrainingSettings { shard: 0, ..good.clone() }, "shard must be at least 1, got 0"),
        (TrainingSettings { lanes: 0, ..good.clone() }, "lanes must be at least 1, got 0"),
        (TrainingSettings { record_every: 0, ..good.clone() }, "record_every must be at least 1, got 0"),
        (TrainingSettings { steps: u64::MAX, ..good.clone() }, "more than 2^64"),
        (TrainingSettings { learning_rate: 0.0, ..good.clone() }, "learning_rate must be positive"),
        (TrainingSettings { learning_rate: -1.0, ..good.clone() }, "got -1"),
        (TrainingSettings { learning_rate: f64::NAN, ..good.clone() }, "got NaN"),
        (TrainingSettings { learning_rate: f64::INFINITY, ..good.clone() }, "got inf"),
        (TrainingSettings { final_rate: 1.5, ..good.clone() }, "final_rate must be in [0, 1], got 1.5"),
        (TrainingSettings { betas: [1.0, 0.9], ..good.clone() }, "betas must be in [0, 1), got 1"),
        (TrainingSettings { betas: [0.9, f64::NAN], ..good.clone() }, "betas"),
        (TrainingSettings { epsilon: 0.0, ..good.clone() }, "epsilon"),
        (TrainingSettings { epsilon: 1e-50, ..good.clone() }, "epsilon must be in [1.2e-38, 1]"),
        (TrainingSettings { batch: 1 << 40, ..good.clone() }, "batch must be at most 16777216, got"),
        (TrainingSettings { lanes: 1 << 40, ..good.clone() }, "lanes must be at most 1024, got"),
        (TrainingSettings { weight_decay: -0.1, ..good.clone() }, "weight_decay"),
        (TrainingSettings { clip: Some(0.0), ..good.clone() }, "clip"),
        (TrainingSettings { average_decay: 1.0, ..good.clone() }, "average_decay"),
        (TrainingSettings { seconds: Some(-1.0), ..good.clone() }, "seconds"),
    ];
    let task = Quadratic::new();
    for (settings, says) in bad {
        let error = Trainer::new(&task, subject(), settings).err().unwrap().to_string();
        assert!(error.contains(says), "{error}");
    }
    let unknown = serde_json::from_value::<TrainingSettings>(json!({"steps": 3, "momentum": 0.9}));
    assert!(unknown.unwrap_err().to_string().contains("momentum"));
}

#[test]
fn parameters_that_do_not_fit() {
    let task = Quadratic::new();
    let start = |parameters| Trainer::start_from(&task, subject(), table(), parameters).err().unwrap();
    assert!(matches!(start(vec![0.0; 12]), Error::Dimension { expected: 13, found: 12, .. }));
    assert!(matches!(start(vec![f32::NAN; 13]), Error::Number { name: "parameters", .. }));
}
