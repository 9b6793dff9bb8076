//! Tells what is done and how long each step took, on standard error.

use std::time::Instant;

use crate::error::Result;

/// The clock of one run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Steps {
    started: Instant,
}

impl Steps {
    pub(crate) fn begin() -> Self {
        Self { started: Instant::now() }
    }

    /// Does something and says so once it is done, with how long it took and the time since the beginning.
    pub(crate) async fn step<T>(
        &self,
        place: &str,
        what: &str,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let began = Instant::now();
        let done = work.await?;
        let (took, all) = (began.elapsed().as_secs_f64(), self.started.elapsed().as_secs_f64());
        eprintln!("{all:7.1} s  {place:<10} {what} ({took:.1} s)");
        Ok(done)
    }
}
