//! Starts a server, prints its folder and waits to be killed. The tests kill it.

use std::io::Read as _;

use kyb_ephemeral_postgres::{EphemeralPostgres, Options, StartError};

fn main() -> Result<(), StartError> {
    let server = EphemeralPostgres::start(&Options { durable: false, max_connections: 10 })?;
    println!("{}", server.folder().display());
    // Ends when its input closes; the tests never get that far.
    std::io::stdin().read_to_end(&mut vec![]).ok();
    Ok(())
}
