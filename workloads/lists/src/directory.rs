//! A folder that holds a publisher's own files: the only part of this crate that reads from disk.
//!
//! Lists are told by what is there: OFAC's csv files by their names, every other list by how its file begins (its root
//! element, its first JSON line, its header). Other files are passed over, except those that look like a list and can't be
//! one; to pass over them would look as if they had been read. A file is read whole only once it is known to be a list.

use std::{
    collections::HashMap,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    time::SystemTime,
};

use chrono::{DateTime, Utc};

use crate::{
    ListError, ListFormat, ListId, Parsed, Published, PublishedBy, SourceFile,
    ofac::files::Publication,
    sniff::{self, Sniffed, Written},
};

/// A list's files as they lie in a folder, not yet parsed.
#[derive(Debug, Clone)]
pub struct Found {
    /// Which list. Where the caller gave it no name, by its files `ofac-sdn`, `ofac-consolidated`, `eu-consolidated`,
    /// `uk-sanctions`, `un-consolidated`, `opensanctions`, `senzing` or `own`.
    pub list: ListId,
    /// Its format.
    pub format: ListFormat,
    /// The folder.
    pub folder: PathBuf,
    /// The files, read whole.
    pub files: Vec<SourceFile>,
    /// The oldest time stamp among them, since a list is as old as its oldest part.
    pub published: Published,
}

impl Found {
    /// Parses the files.
    pub fn parse(&self) -> Result<Parsed, ListError> {
        crate::parse(&self.list, self.format, &self.files, self.published)
    }
}

/// Reads every list found in `folder` or in its direct sub-folders, sorted by list id. Sub-folders whose names start with a
/// dot are passed over (Kubernetes keeps the files of a mounted volume a second time in `..data`).
///
/// Refused are a part of a list, the same list twice, and a folder without any.
pub fn load(folder: &Path) -> Result<Vec<Parsed>, ListError> {
    let mut found = find(folder)?;
    for sub in sub_folders(folder)? {
        found.extend(find(&sub)?);
    }
    if found.is_empty() {
        return Err(ListError::NothingFound { folder: folder.to_owned(), wanted: "no watchlist".into() });
    }
    found.sort_by(|a, b| a.list.cmp(b.list));
    for (one, next) in found.iter().zip(found.iter().skip(1)) {
        if one.list == next.list {
            let (first, second) = (one.folder.clone(), next.folder.clone());
            return Err(ListError::Twice { list: one.id()?, first, second });
        }
    }
    // One after the other: the files of a list need not be in memory while the next one is read.
    found.iter().map(|candidate| candidate.read(candidate.id()?)?.parse()).collect()
}

/// Reads the one list of `format` that lies in `folder` itself, under the name `list`.
pub fn load_one(folder: &Path, list: &ListId, format: ListFormat) -> Result<Parsed, ListError> {
    files(folder, list, format)?.parse()
}

/// The files of the one list of `format` that lies in `folder` itself, unparsed. Where several of that format lie there,
/// such as both of OFAC's, `list` tells which is meant: it must be `ofac-sdn` or `ofac-consolidated` then.
pub fn files(folder: &Path, list: &ListId, format: ListFormat) -> Result<Found, ListError> {
    let mut found = find(folder)?;
    found.retain(|one| one.format == format);
    if found.len() > 1 {
        found.retain(|one| one.list == list.as_str());
    }
    let one = found.pop().ok_or_else(|| {
        let wanted = format!("no {} that is clearly {list}", in_words(format));
        ListError::NothingFound { folder: folder.to_owned(), wanted }
    })?;
    one.read(list.clone())
}

fn in_words(format: ListFormat) -> &'static str {
    match format {
        ListFormat::OfacCsv => "OFAC list as csv",
        ListFormat::OfacXml => "OFAC list as advanced XML",
        ListFormat::EuXml => "EU list",
        ListFormat::UkCsv => "UK list as csv",
        ListFormat::UkXml => "UK list as XML",
        ListFormat::UnXml => "UN list",
        ListFormat::OpenSanctions => "list of OpenSanctions",
        ListFormat::Senzing => "list of Senzing records",
        ListFormat::OwnCsv => "list of your own",
    }
}

/// A list that lies in a folder, by its paths; nothing of it but its beginning was read.
struct Candidate {
    list: &'static str,
    format: ListFormat,
    folder: PathBuf,
    paths: Vec<PathBuf>,
}

/// The lists that lie in `folder` itself.
fn find(folder: &Path) -> Result<Vec<Candidate>, ListError> {
    let paths: Vec<PathBuf> = listing(folder)?.into_iter().filter(|path| path.is_file()).collect();
    let mut by_name: HashMap<String, Vec<PathBuf>> = HashMap::new();
    for path in &paths {
        by_name.entry(file_name(path).to_ascii_lowercase()).or_default().push(path.clone());
    }
    let mut found = Vec::new();
    for publication in Publication::ALL {
        found.extend(ofac(folder, publication, &by_name)?);
    }
    let taken: Vec<PathBuf> = found.iter().flat_map(|one| one.paths.clone()).collect();
    for path in paths.into_iter().filter(|path| !taken.contains(path)) {
        let name = file_name(&path);
        let Some(written) = Written::by(&name) else { continue };
        match written.sniff(&name, &head(&path)?) {
            Sniffed::List(format, list) => {
                found.push(Candidate { list, format, folder: folder.to_owned(), paths: vec![path] });
            }
            Sniffed::Unknown(what) => return Err(ListError::Unknown { path, what }),
            Sniffed::Other => {}
        }
    }
    Ok(found)
}

fn ofac(
    folder: &Path,
    publication: Publication,
    by_name: &HashMap<String, Vec<PathBuf>>,
) -> Result<Option<Candidate>, ListError> {
    let names = publication.names();
    let (present, missing): (Vec<&str>, Vec<&str>) =
        names.into_iter().partition(|name| by_name.contains_key(*name));
    if present.is_empty() {
        return Ok(None);
    }
    if !missing.is_empty() {
        let (present, missing) = (present.join(", "), missing.join(", "));
        return Err(ListError::PartOfList { folder: folder.to_owned(), present, missing });
    }
    let paths = names.iter().filter_map(|name| by_name.get(*name)).flatten().cloned().collect();
    let (list, format) = (publication.list(), ListFormat::OfacCsv);
    Ok(Some(Candidate { list, format, folder: folder.to_owned(), paths }))
}

impl Candidate {
    /// The list's name where nobody gave it another.
    fn id(&self) -> Result<ListId, ListError> {
        ListId::try_from(self.list).map_err(|error| ListError::Unreadable {
            path: self.folder.clone(),
            source: std::io::Error::other(error),
        })
    }

    /// Reads its files whole. One that is plainly something else is refused by its beginning, however long it is.
    fn read(&self, list: ListId) -> Result<Found, ListError> {
        let mut files = Vec::with_capacity(self.paths.len());
        let mut oldest = SystemTime::now();
        for path in &self.paths {
            let unreadable = |source| ListError::Unreadable { path: path.clone(), source };
            SourceFile { name: file_name(path), bytes: head(path)? }.is_no_other_kind()?;
            let bytes = std::fs::read(path).map_err(unreadable)?;
            let changed = std::fs::metadata(path).and_then(|data| data.modified()).map_err(unreadable)?;
            oldest = oldest.min(changed);
            files.push(SourceFile { name: file_name(path), bytes });
        }
        let published =
            Published { date: DateTime::<Utc>::from(oldest).date_naive(), by: PublishedBy::FileTime };
        Ok(Found { list, format: self.format, folder: self.folder.clone(), files, published })
    }
}

/// The first bytes of a file.
fn head(path: &Path) -> Result<Vec<u8>, ListError> {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(sniff::HEAD as u64).read_to_end(&mut head));
    read.map_err(|source| ListError::Unreadable { path: path.to_owned(), source })?;
    Ok(head)
}

fn sub_folders(folder: &Path) -> Result<Vec<PathBuf>, ListError> {
    let mut folders = listing(folder)?;
    folders
        .retain(|path| path.is_dir() && !file_name(path).starts_with('.') && file_name(path) != "lost+found");
    Ok(folders)
}

/// What lies in a folder, sorted.
fn listing(folder: &Path) -> Result<Vec<PathBuf>, ListError> {
    let unreadable = |source| ListError::Unreadable { path: folder.to_owned(), source };
    let entries = std::fs::read_dir(folder).map_err(unreadable)?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(unreadable)?;
    paths.sort();
    Ok(paths)
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
