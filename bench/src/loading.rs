//! Reading and indexing a list beside a bare csv reader over the same files.

use std::{sync::Arc, time::Instant};

use kyb_domain::list::{ListFormat, Watchlist};
use kyb_screening::Screener;

use crate::{Setup, figure::print_pair, rounds::alternate};

/// Prints how long a list takes to load, and its two parts.
pub(crate) async fn measure(setup: &Setup) -> anyhow::Result<()> {
    let (mut parse, mut index) = (0.0, 0.0);
    let ours = async || -> anyhow::Result<f64> {
        let began = Instant::now();
        let list = read(setup)?;
        parse = began.elapsed().as_secs_f64() * 1e3;
        std::hint::black_box(Screener::build(&[Arc::new(list)]));
        let whole = began.elapsed().as_secs_f64() * 1e3;
        index = whole - parse;
        Ok(whole)
    };
    let baseline = async || -> anyhow::Result<f64> {
        let began = Instant::now();
        std::hint::black_box(fields(setup)?);
        Ok(began.elapsed().as_secs_f64() * 1e3)
    };
    let pair = alternate("list_load", setup.rounds, ours, baseline).await?;
    eprintln!("list_load: the last one was {parse:.0} ms of reading and {index:.0} ms of indexing");
    print_pair("list_load", "ms", &pair);
    Ok(())
}

/// The list in the folder.
pub(crate) fn read(setup: &Setup) -> anyhow::Result<Watchlist> {
    kyb_e2e::lists::read(&setup.lists, "ofac-sdn", ListFormat::OfacCsv)
}

/// How many fields all csv files of the folder hold.
fn fields(setup: &Setup) -> anyhow::Result<usize> {
    let mut fields = 0;
    for file in
        kyb_e2e::lists::files(&setup.lists)?.iter().filter(|file| file.name.to_lowercase().ends_with(".csv"))
    {
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(file.bytes.as_slice());
        for record in reader.records() {
            fields += record?.len();
        }
    }
    Ok(fields)
}
