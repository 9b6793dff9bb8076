//! What is known of objects of kinds that are not watched, such as Secrets: nothing after a start, and from then on what
//! we read once or wrote ourselves.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::ChildKey;

/// What is known of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Memory {
    /// There is none that is ours.
    Absent,
    /// It is ours.
    Present {
        /// The digest of what it was last made to be, or found to be.
        digest: String,
        /// Its uid.
        uid: String,
    },
}

/// A table of digests. What others change is not noticed before the next start. Cheap to clone; all clones see the same.
#[derive(Debug, Clone, Default)]
pub struct Remembered(Arc<Mutex<HashMap<ChildKey, Memory>>>);

impl Remembered {
    /// What is known of an object; none where nothing is.
    pub fn get(&self, key: &ChildKey) -> Option<Memory> {
        self.with(|table| table.get(key).cloned())
    }

    /// Notes what an object was made to be, or was found to be.
    pub fn note(&self, key: &ChildKey, memory: Memory) {
        self.with(|table| table.insert(key.clone(), memory));
    }

    /// Forgets an object: it will be read before it is written again.
    pub fn forget(&self, key: &ChildKey) {
        self.with(|table| table.remove(key));
    }

    fn with<T>(&self, use_table: impl FnOnce(&mut HashMap<ChildKey, Memory>) -> T) -> T {
        use_table(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
