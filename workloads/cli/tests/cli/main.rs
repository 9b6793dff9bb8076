//! The built program, run as its users run it.

mod bulk;
mod classify;
mod command_line;
mod pairs;
mod program;
mod screen;
mod serve;
mod verify;
