//! Times the hot paths of the library, one case a run. `benches/peers/speed.py` describes the cases and compares with other libraries.
//!
//!     cargo run --release --example speed -- score-few --threads 2 --dtype f32 --seconds 5
//!
//! Prints one line of JSON: the rate of the best run, and a figure that says whether the result is right.

mod curves;
mod killed;
mod machine;
mod mapped;
mod memory;
mod normals;
mod particles;
mod score;

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

/// What a case reports.
struct Report {
    /// Units of work per second.
    rate: f64,
    unit: &'static str,
    /// How far the result is from what it should be; the cases say in what.
    error: Option<f64>,
    /// What else is known, as pairs of name and number.
    more: Vec<(&'static str, f64)>,
}

/// How long to measure, on how many threads, in which precision.
struct Options {
    threads: usize,
    seconds: f64,
    single: bool,
    /// A file of data, for the case that needs one, and how many it should hold.
    file: PathBuf,
    data: usize,
}

impl Options {
    /// Calls `work` once and then until the time is over, and returns the seconds of the fastest call.
    fn fastest(&self, mut work: impl FnMut()) -> f64 {
        work();
        let (begin, mut fastest) = (Instant::now(), f64::INFINITY);
        while begin.elapsed().as_secs_f64() < self.seconds {
            let start = Instant::now();
            work();
            fastest = fastest.min(start.elapsed().as_secs_f64());
        }
        fastest
    }
}

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn case(name: &str, options: &Options) -> Result<Report> {
    match name {
        "score-few" => score::run(1.0, options),
        "score-all" => score::run(0.02, options),
        "gemm" => Ok(score::products(options)),
        "particles" => particles::run(options),
        "killed" => killed::run(options),
        "normals" => Ok(normals::run(options)),
        "multiply-add" => Ok(machine::multiply_add(options)),
        "machine" => Ok(machine::copy(options)),
        "mapped" => mapped::run(options),
        _ => Err("the case is score-few, score-all, gemm, particles, killed, normals, multiply-add, machine, mapped or curves".into()),
    }
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let mut options =
        Options { threads: 1, seconds: 5.0, single: false, file: PathBuf::new(), data: 1_000_000 };
    while let Some(option) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{option} has no value"))?;
        match (option.as_str(), value.as_str()) {
            ("--threads", value) => options.threads = value.parse()?,
            ("--seconds", value) => options.seconds = value.parse()?,
            ("--file", value) => options.file = value.into(),
            ("--data", value) => options.data = value.parse()?,
            ("--dtype", "f32" | "f64") => options.single = value == "f32",
            _ => return Err(format!(
                "{option} {value}: the options are --threads, --seconds, --dtype f32|f64, --file and --data"
            )
            .into()),
        }
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads).build()?;
    if name == "curves" {
        println!("{}", pool.install(|| curves::run(&options))?);
        return Ok(());
    }
    let Report { rate, unit, error, more } = pool.install(|| case(&name, &options))?;
    let mut line = serde_json::json!({
        "peer": "resolvent", "case": name, "threads": options.threads, "dtype": if options.single { "f32" } else { "f64" },
        "rate": rate, "unit": unit, "error": error,
    });
    for (name, value) in more {
        line[name] = value.into();
    }
    println!("{line}");
    Ok(())
}
