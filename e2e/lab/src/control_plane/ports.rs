//! Free ports on loopback.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher as _, Hasher as _},
    net::TcpListener,
};

use crate::error::{LabError, Result};

/// Below the range that Linux gives to outgoing connections (32768 and up), which would take a port between our looking and a
/// server's binding.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

/// How many ports to look at for one that is free.
const TRIES: u32 = 1000;

/// Three different ports that were free a moment ago.
pub(super) fn three() -> Result<[u16; 3]> {
    let (first, second, third) = (free()?, free()?, free()?); // all held until all are found
    Ok([first.0, second.0, third.0])
}

fn free() -> Result<(u16, TcpListener)> {
    let mut tries = (0..TRIES).map(|_| random_port());
    tries.find_map(|port| Some((port, TcpListener::bind(("127.0.0.1", port)).ok()?))).ok_or_else(|| {
        LabError::TimedOut {
            what: "finding a free port on 127.0.0.1".into(),
            after: std::time::Duration::ZERO,
            last: format!("{TRIES} ports between {} and {} are taken", RANGE.start, RANGE.end),
        }
    })
}

/// The standard library seeds each map's hasher differently, which is random enough to stay out of others' way.
fn random_port() -> u16 {
    let width = u64::from(RANGE.end - RANGE.start);
    let offset = RandomState::new().build_hasher().finish() % width;
    RANGE.start + u16::try_from(offset).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_that_are_taken_are_not_given() {
        let given: Vec<[u16; 3]> = (0..20).map(|_| three().unwrap()).collect();
        for [a, b, c] in given {
            assert!(a != b && b != c && a != c);
            assert!([a, b, c].iter().all(|port| RANGE.contains(port)));
        }
    }
}
