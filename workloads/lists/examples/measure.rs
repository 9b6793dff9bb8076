//! Reads every list of a folder and prints, as JSON lines, how long it took and how much of the remarks was understood.
//!
//! `cargo run -p kyb-lists --example measure -- FOLDER`

use std::{path::Path, time::Instant};

use kyb_lists::{NameKind, directory};

fn main() -> Result<(), kyb_lists::ListError> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let start = Instant::now();
    let lists = directory::load(Path::new(&folder))?;
    println!(r#"{{"name":"lists_load","value":{},"unit":"ms"}}"#, start.elapsed().as_millis());
    for parsed in &lists {
        let version = &parsed.watchlist.version;
        let weak = parsed
            .watchlist
            .entries
            .iter()
            .flat_map(|e| &e.names)
            .filter(|n| n.kind == NameKind::Weak)
            .count();
        let unread: u64 = parsed.not_understood.values().sum();
        let phrases: usize = parsed
            .watchlist
            .entries
            .iter()
            .filter_map(|entry| entry.remarks.as_deref())
            .map(|remarks| remarks.split(';').count())
            .sum();
        let list = &version.list;
        println!(r#"{{"name":"entries","list":"{list}","value":{},"unit":"entries"}}"#, version.entries);
        println!(r#"{{"name":"weak_aliases","list":"{list}","value":{weak},"unit":"names"}}"#);
        println!(r#"{{"name":"remark_phrases","list":"{list}","value":{phrases},"unit":"phrases"}}"#);
        println!(r#"{{"name":"not_understood","list":"{list}","value":{unread},"unit":"phrases"}}"#);
        let mut labels: Vec<_> = parsed.not_understood.iter().collect();
        labels.sort_by_key(|(_, times)| std::cmp::Reverse(**times));
        for (label, times) in labels {
            eprintln!("{times:>6}  {label}");
        }
    }
    Ok(())
}
