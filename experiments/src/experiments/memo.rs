//! What several units of a sweep need and only one has to make.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;

/// A value that is made or not yet; a unit that asks for it while another makes it waits.
type Slot<T> = Arc<Mutex<Option<Arc<T>>>>;

/// Values by a key that says everything they depend on, so that it makes no difference which unit made them. They are kept until
/// the command ends.
pub(super) struct Memo<T>(Mutex<BTreeMap<String, Slot<T>>>);

impl<T> Memo<T> {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// The value of `key`, made if it is not there.
    pub(super) fn get(&self, key: &str, make: impl FnOnce() -> Result<T>) -> Result<Arc<T>> {
        let slot = {
            let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(slots.entry(key.to_owned()).or_default())
        };
        let mut value = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = &*value {
            return Ok(Arc::clone(value));
        }
        let made = Arc::new(make()?);
        *value = Some(Arc::clone(&made));
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::bail;

    #[test]
    fn a_value_is_made_once_for_each_key_and_again_after_a_failure() {
        let (memo, mut calls) = (Memo::new(), 0);
        assert!(memo.get("a", || bail!("not now")).is_err());
        for _ in 0..3 {
            let value = memo.get("a", || {
                calls += 1;
                Ok(7)
            });
            assert_eq!(*value.unwrap(), 7);
        }
        assert_eq!(calls, 1);
        assert_eq!(*memo.get("b", || Ok(8)).unwrap(), 8);
    }
}
