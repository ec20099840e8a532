//! An interrupted training goes on as if it had not been interrupted, whatever the number of threads.

mod regression;

use regression::Regression;
use resolvent_learn::checkpoint::{Subject, read_tensors};
use resolvent_learn::train::{
    Files, Observer, Outcome, Record, State, Task, Trainer, TrainingSettings, read_records,
};
use resolvent_learn::{Error, Result};
use serde_json::json;
use std::fs;
use std::path::Path;

fn settings() -> TrainingSettings {
    TrainingSettings {
        steps: 30,
        batch: 22,
        shard: 4,
        lanes: 3,
        warmup: 5,
        weight_decay: 0.1,
        clip: Some(1.0),
        record_every: 3,
        validate_every: 7,
        checkpoint_every: 10,
        seed: 5,
        ..TrainingSettings::default()
    }
}

fn subject() -> Subject {
    Subject::new(json!({"model": {"width": 150}, "data": "sine"}))
}

/// A network whose parameters take more than one chunk of the optimiser.
fn task() -> Regression {
    Regression::new(150)
}

/// The files, and how the run is to end before its time.
struct Watch {
    files: Files,
    steps: u64,
    end: End,
}

#[derive(Clone, Copy)]
enum End {
    Never,
    /// Asks to stop after so many steps.
    Stop(u64),
    /// Breaks down at the first record at or after that step.
    Crash(u64),
}

impl Observer for Watch {
    fn record(&mut self, record: &Record) -> Result<()> {
        self.files.record(record)?;
        match self.end {
            End::Crash(at) if record.step >= at => Err(Error::Settings { what: "crash".into() }),
            _ => Ok(()),
        }
    }

    fn stop(&mut self) -> bool {
        self.steps += 1;
        matches!(self.end, End::Stop(after) if self.steps > after)
    }

    fn checkpoint(&mut self, state: &State) -> Result<()> {
        self.files.checkpoint(state)
    }
}

fn on_threads<R: Send>(threads: usize, run: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(run)
}

fn start(stem: &Path, threads: usize, end: End) -> Result<Outcome> {
    let task = task();
    let mut watch = Watch { files: Files::create(stem).unwrap(), steps: 0, end };
    on_threads(threads, || Trainer::new(&task, subject(), settings()).unwrap().run(&mut watch))
}

fn resume(stem: &Path, threads: usize, end: End) -> Result<Outcome> {
    let task = task();
    let (files, state) = Files::resume(stem)?;
    let mut watch = Watch { files, steps: 0, end };
    on_threads(threads, || Trainer::resume(&task, &subject(), state)?.run(&mut watch))
}

/// Records without what depends on the machine.
fn records(stem: &Path) -> Vec<Record> {
    let timeless = |record| Record { seconds: 0.0, samples_per_second: None, ..record };
    read_records(Files::records(stem)).unwrap().into_iter().map(timeless).collect()
}

/// Everything that must not depend on interruptions: models byte by byte, states number by number, records.
fn assert_same(a: &Path, b: &Path) {
    assert!(fs::read(Files::model(a)).unwrap() == fs::read(Files::model(b)).unwrap());
    let states = [a, b].map(|stem| read_tensors(Files::state(stem)).unwrap());
    assert_eq!(states[0].len(), 5);
    assert!(states[0] == states[1]);
    assert_eq!(records(a), records(b));
}

#[test]
fn resumed_equals_uninterrupted() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    assert_eq!(start(&whole, 2, End::Never).unwrap(), Outcome::Finished);
    assert!(task().layout().len() > 1 << 14);
    // Stopped before the first step, at a record, between two, right after a checkpoint, and several times.
    let stops: [&[u64]; 6] = [&[0], &[6], &[8], &[20], &[1, 1, 13], &[29]];
    for (case, stops) in stops.iter().enumerate() {
        let stem = folder.path().join(format!("case-{case}"));
        assert_eq!(start(&stem, 1, End::Stop(stops[0])).unwrap(), Outcome::Stopped);
        for (part, after) in stops[1..].iter().enumerate() {
            assert_eq!(resume(&stem, 3 + part, End::Stop(*after)).unwrap(), Outcome::Stopped);
        }
        assert_eq!(State::read(Files::state(&stem)).unwrap().step(), stops.iter().sum::<u64>());
        assert_eq!(resume(&stem, 3, End::Never).unwrap(), Outcome::Finished);
        assert_same(&whole, &stem);
    }
}

/// A run that breaks down leaves records behind that are later than its checkpoint, and perhaps half a line.
#[test]
fn a_crash_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, stem) = (folder.path().join("whole"), folder.path().join("crashed"));
    start(&whole, 1, End::Never).unwrap();
    assert!(start(&stem, 1, End::Crash(17)).is_err());
    let mut text = fs::read_to_string(Files::records(&stem)).unwrap();
    text.push_str("{\"step\":99,\"lo");
    fs::write(Files::records(&stem), text).unwrap();
    assert_eq!(records(&stem).last().unwrap().step, 18);
    let (_, state) = Files::resume(&stem).unwrap();
    assert_eq!((state.step(), records(&stem).last().unwrap().step), (10, 9));
    assert_eq!(resume(&stem, 2, End::Never).unwrap(), Outcome::Finished);
    assert_same(&whole, &stem);
}

#[test]
fn seconds_add_up() {
    let folder = tempfile::tempdir().unwrap();
    let stem = folder.path().join("run");
    start(&stem, 1, End::Stop(10)).unwrap();
    let seconds = State::read(Files::state(&stem)).unwrap().seconds();
    resume(&stem, 1, End::Never).unwrap();
    let records = read_records(Files::records(&stem)).unwrap();
    assert!(seconds > 0.0 && records.windows(2).all(|pair| pair[0].seconds <= pair[1].seconds));
    assert!(State::read(Files::state(&stem)).unwrap().seconds() > seconds);
}

#[test]
fn of_another_training() {
    let folder = tempfile::tempdir().unwrap();
    let stem = folder.path().join("run");
    start(&stem, 1, End::Stop(3)).unwrap();
    let state = || State::read(Files::state(&stem)).unwrap();
    let message = |task: &Regression, subject: &Subject| {
        Trainer::resume(task, subject, state()).err().unwrap().to_string()
    };
    let other = Subject::new(json!({"model": {"width": 8}, "data": "sine"}));
    assert_eq!(
        message(&task(), &other),
        "the checkpoint is of another training: model.width is 150 there, 8 here"
    );
    let says = message(&Regression::new(8), &subject());
    assert!(
        says.contains("input.weight of shape [150, 1] there, input.weight of shape [8, 1] here"),
        "{says}"
    );
    // A name that is taken is not written over.
    let before = fs::read(Files::state(&stem)).unwrap();
    assert!(Files::create(&stem).err().unwrap().to_string().contains("is there already"));
    assert!(fs::read(Files::state(&stem)).unwrap() == before);
    // Records that are none are left alone.
    fs::write(Files::records(&stem), "no record\n").unwrap();
    assert!(Files::resume(&stem).err().unwrap().to_string().contains("line 1 is no record"));
    assert_eq!(fs::read_to_string(Files::records(&stem)).unwrap(), "no record\n");
}
