//! What the system says of the memory of this process.

use std::fs;

/// A field of the process's status, in bytes; nothing where the system does not tell.
pub(crate) fn field(name: &str) -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    Some(1024.0 * line.split_whitespace().nth(1)?.parse::<f64>().ok()?)
}

/// The most memory that `work` takes beyond what was there before, in bytes.
pub(crate) fn working_set(work: impl FnOnce()) -> Option<f64> {
    // Sets the highest mark to what is taken now.
    fs::write("/proc/self/clear_refs", "5").ok()?;
    let before = field("VmHWM:")?;
    work();
    Some(field("VmHWM:")? - before)
}
