//! Lists to test with: OFAC's of 2019, read from the shared test data, and small ones in its format.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use kyb_domain::list::{Entry, EntryKind, ListFormat, Watchlist};
use rand::{SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};

/// A publisher's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListFile {
    /// Its name.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// The folder of the shared test data.
pub fn test_data(name: &str) -> anyhow::Result<PathBuf> {
    let folder = crate::binaries::workspace_root()?.join("../shared/data").join(name);
    folder.canonicalize().with_context(|| format!("the test data {} is missing", folder.display()))
}

/// A small list in OFAC's three files: organisations under the programme `SDGT` in Iran, `(id, name)` each.
pub fn ofac_trio(entries: &[(u32, &str)]) -> Vec<ListFile> {
    const NULL: &str = "-0- ";
    let (mut sdn, mut alt, mut add) = (String::new(), String::new(), String::new());
    for (id, name) in entries {
        // Writing to a String can't fail.
        let _ = write!(sdn, "{id},\"{name}\",{NULL},\"SDGT\"{}\r\n", format!(",{NULL}").repeat(8));
        let _ = write!(alt, "{id},{id},\"aka\",\"{name} TRADING\",{NULL}\r\n");
        let _ = write!(add, "{id},{id},\"1 Azadi Street\",\"Tehran\",\"Iran\",{NULL}\r\n");
    }
    let file =
        |name: &str, text: String| ListFile { name: name.to_owned(), bytes: (text + "\u{1a}").into_bytes() };
    vec![file("sdn.csv", sdn), file("alt.csv", alt), file("add.csv", add)]
}

/// `count` made-up organisations for [`ofac_trio`], the first ones the same for every count.
pub fn made_up_names(count: u32) -> Vec<(u32, String)> {
    const FIRST: [&str; 8] =
        ["ZORVEX", "QUNTAL", "BRIMOX", "TELVARI", "OSKANTI", "MURZHAN", "PELIDOR", "VANTUK"];
    const SECOND: [&str; 8] =
        ["MARITIME", "PETROLEUM", "AVIATION", "STEEL", "EXCHANGE", "CHEMICAL", "CEMENT", "RADAR"];
    let name = |n: u32| {
        let (first, second) = (FIRST[n as usize % 8], SECOND[n as usize / 8 % 8]);
        if n < 64 { format!("{first} {second} COMPANY") } else { format!("{first}{n} {second} COMPANY") }
    };
    (0..count).map(|n| (n + 1, name(n))).collect()
}

/// Reads the list in a folder.
pub fn read(folder: &Path, id: &str, format: ListFormat) -> anyhow::Result<Watchlist> {
    Ok(kyb_lists::directory::load_one(folder, &id.parse()?, format)?.watchlist)
}

/// Writes files into a folder, each as a whole.
pub fn write(folder: &Path, files: &[ListFile]) -> anyhow::Result<()> {
    for file in files {
        let new = folder.join(format!(".{}.new", file.name));
        std::fs::write(&new, &file.bytes)?;
        std::fs::rename(new, folder.join(&file.name))?;
    }
    Ok(())
}

/// The files in a folder, in the order of their names.
pub fn files(folder: &Path) -> anyhow::Result<Vec<ListFile>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() {
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .context("a file name that is no text")?
                .to_owned();
            files.push(ListFile { name, bytes: std::fs::read(path)? });
        }
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

/// `count` entries of a kind, picked by `seed`: the same ones in every run. Only names of at least two words and eight
/// letters, so that there is something to misspell and to reorder.
pub fn sample(list: &Watchlist, kind: EntryKind, count: usize, seed: u64) -> Vec<&Entry> {
    let fit = |entry: &&Entry| {
        let name = entry.caption();
        entry.kind == kind
            && name.split_whitespace().count() > 1
            && name.chars().filter(|c| c.is_alphabetic()).count() > 7
    };
    let mut entries: Vec<&Entry> = list.entries.iter().filter(fit).collect();
    entries.shuffle(&mut StdRng::seed_from_u64(seed));
    entries.truncate(count);
    entries
}
