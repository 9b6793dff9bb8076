//! The built program, run as its users run it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that can't go on fails; clippy knows tests by `#[test]` only, not the functions they share"
)]

mod batches;
mod bulk;
mod classify;
mod command_line;
mod pairs;
mod program;
mod replay;
mod resume;
mod screen;
mod serve;
mod verify;
