//! Work on every core with bounded memory, results in the order of the input.
//!
//! ```text
//! reader ──chunk──► jobs (bounded) ──► workers ──result──┐
//!    └─────────the chunk's own receiver──► writer waits for each in turn
//! ```

use std::{
    num::NonZero,
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use anyhow::Context as _;

/// Items that go to a worker together: enough that handing over costs nothing, few enough that output keeps flowing.
const CHUNK: usize = 64;

struct Job<I, O> {
    items: Vec<I>,
    done: SyncSender<Vec<O>>,
}

/// Gives every item of `input` to `work`, on as many threads as there are cores, and every result to `write`, in order.
/// Ends at the first error of `write`.
pub(crate) fn map<I: Send, O: Send>(
    input: impl Iterator<Item = I> + Send,
    work: impl Fn(I) -> O + Sync,
    mut write: impl FnMut(O) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let (jobs, taken) = sync_channel::<Job<I, O>>(threads);
    let (order, results) = sync_channel::<Receiver<Vec<O>>>(threads * 4);
    let taken = Arc::new(Mutex::new(taken));
    thread::scope(|scope| {
        scope.spawn(move || hand_out(input, &jobs, &order));
        let work = &work;
        for _ in 0..threads {
            let taken = Arc::clone(&taken);
            scope.spawn(move || take(&taken, work));
        }
        drop(taken); // once every worker is gone, so is the queue, and the reader ends too
        // `results` moves in here so that an error drops it, which ends the reader and with it the workers
        results.into_iter().try_for_each(|result| {
            let outputs = result.recv().context("a worker thread ended early; this is a bug")?;
            outputs.into_iter().try_for_each(&mut write)
        })
    })
}

fn hand_out<I, O>(
    mut input: impl Iterator<Item = I>,
    jobs: &SyncSender<Job<I, O>>,
    order: &SyncSender<Receiver<Vec<O>>>,
) {
    loop {
        let items: Vec<I> = input.by_ref().take(CHUNK).collect();
        if items.is_empty() {
            return;
        }
        let (done, result) = sync_channel(1);
        if order.send(result).is_err() || jobs.send(Job { items, done }).is_err() {
            return; // the writer is gone
        }
    }
}

fn take<I, O>(jobs: &Mutex<Receiver<Job<I, O>>>, work: &impl Fn(I) -> O) {
    loop {
        let job = jobs.lock().ok().and_then(|jobs| jobs.recv().ok());
        let Some(Job { items, done }) = job else { return };
        let _ = done.send(items.into_iter().map(work).collect()); // the writer may be gone
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use anyhow::bail;

    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_input() {
        let mut seen = vec![];
        map(
            0..10_000_u64,
            |n| if n % 7 == 0 { (0..n).sum::<u64>() } else { n },
            |n| {
                seen.push(n);
                Ok(())
            },
        )
        .unwrap();
        let expected: Vec<u64> = (0..10_000).map(|n| if n % 7 == 0 { (0..n).sum() } else { n }).collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn reading_never_runs_far_ahead_of_writing() {
        let read = AtomicUsize::new(0);
        let most = thread::available_parallelism().map_or(1, NonZero::get) * 7 * CHUNK + 2 * CHUNK;
        let mut written = 0;
        map(
            (0..100_000).inspect(|_| {
                read.fetch_add(1, Ordering::Relaxed);
            }),
            |n| n,
            |_| {
                written += 1;
                assert!(read.load(Ordering::Relaxed) <= written + most);
                Ok(())
            },
        )
        .unwrap();
        assert_eq!(written, 100_000);
    }

    #[test]
    fn an_error_while_writing_ends_it_even_with_endless_input() {
        let error = map(0_u64.., |n| n, |n| if n == 500 { bail!("full") } else { Ok(()) }).unwrap_err();
        assert_eq!(error.to_string(), "full");
    }
}
