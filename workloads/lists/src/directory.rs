//! A folder that holds a publisher's own files: the only part of this crate that reads from disk.
//!
//! Lists are told by what is there: OFAC's by their file names, the UN's by its root element. Other files are passed
//! over, except those that look like a list and can't be one; to pass over them would look as if they had been read.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::SystemTime,
};

use chrono::{DateTime, Utc};

use crate::{
    ListError, ListFormat, ListId, Parsed, Published, PublishedBy, SourceFile, ofac::files::Publication, un,
};

/// The name of the UN's list where nobody gave it another.
const UN_LIST: &str = "un-consolidated";

/// A list's files as they lie in a folder, not yet parsed.
#[derive(Debug, Clone)]
pub struct Found {
    /// Which list; by its files `ofac-sdn`, `ofac-consolidated` or `un-consolidated` where the caller gave it no name.
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
    found.sort_by(|a, b| a.list.cmp(&b.list));
    for (one, next) in found.iter().zip(found.iter().skip(1)) {
        if one.list == next.list {
            let (first, second) = (one.folder.clone(), next.folder.clone());
            return Err(ListError::Twice { list: one.list.clone(), first, second });
        }
    }
    found.iter().map(Found::parse).collect()
}

/// Reads the one list of `format` that lies in `folder` itself, under the name `list`.
pub fn load_one(folder: &Path, list: &ListId, format: ListFormat) -> Result<Parsed, ListError> {
    files(folder, list, format)?.parse()
}

/// The files of the one list of `format` that lies in `folder` itself, unparsed. Where both of OFAC's lists lie there,
/// `list` tells which is meant: it must be `ofac-sdn` or `ofac-consolidated` then.
pub fn files(folder: &Path, list: &ListId, format: ListFormat) -> Result<Found, ListError> {
    let mut found = find(folder)?;
    found.retain(|one| one.format == format);
    if found.len() > 1 {
        found.retain(|one| one.list == *list);
    }
    let wanted = match format {
        ListFormat::OfacCsv => format!("no OFAC list that is clearly {list}"),
        ListFormat::UnXml => "no UN list".to_owned(),
    };
    let one = found.pop().ok_or_else(|| ListError::NothingFound { folder: folder.to_owned(), wanted })?;
    Ok(Found { list: list.clone(), ..one })
}

/// The lists that lie in `folder` itself.
fn find(folder: &Path) -> Result<Vec<Found>, ListError> {
    let paths = listing(folder)?.into_iter().filter(|path| path.is_file());
    let mut by_name: HashMap<String, Vec<PathBuf>> = HashMap::new();
    for path in paths {
        by_name.entry(file_name(&path).to_ascii_lowercase()).or_default().push(path);
    }
    let mut found = Vec::new();
    for publication in Publication::ALL {
        found.extend(ofac(folder, publication, &by_name)?);
    }
    let is_xml = |name: &str| Path::new(name).extension().is_some_and(|extension| extension == "xml");
    let mut documents: Vec<&PathBuf> =
        by_name.iter().filter(|(name, _)| is_xml(name)).flat_map(|(_, paths)| paths).collect();
    documents.sort();
    for path in documents {
        found.push(document(folder, path)?);
    }
    Ok(found)
}

fn ofac(
    folder: &Path,
    publication: Publication,
    by_name: &HashMap<String, Vec<PathBuf>>,
) -> Result<Option<Found>, ListError> {
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
    let paths: Vec<&PathBuf> = names.iter().filter_map(|name| by_name.get(*name)).flatten().collect();
    read(folder, publication.list(), ListFormat::OfacCsv, &paths).map(Some)
}

fn document(folder: &Path, path: &PathBuf) -> Result<Found, ListError> {
    let found = read(folder, UN_LIST, ListFormat::UnXml, &[path])?;
    let root = found.files.first().and_then(|file| un::root_name(&file.bytes));
    if root.as_deref().is_some_and(un::is_root) {
        return Ok(found);
    }
    let root = root.unwrap_or_else(|| "not readable".to_owned());
    Err(ListError::UnknownXml { path: path.clone(), root })
}

fn read(folder: &Path, list: &str, format: ListFormat, paths: &[&PathBuf]) -> Result<Found, ListError> {
    let mut files = Vec::with_capacity(paths.len());
    let mut oldest = SystemTime::now();
    for path in paths {
        let unreadable = |source| ListError::Unreadable { path: (*path).clone(), source };
        let bytes = std::fs::read(path).map_err(unreadable)?;
        let changed = std::fs::metadata(path).and_then(|data| data.modified()).map_err(unreadable)?;
        oldest = oldest.min(changed);
        files.push(SourceFile { name: file_name(path), bytes });
    }
    let list = ListId::try_from(list).map_err(|error| ListError::Unreadable {
        path: folder.to_owned(),
        source: std::io::Error::other(error),
    })?;
    let published = Published { date: DateTime::<Utc>::from(oldest).date_naive(), by: PublishedBy::FileTime };
    Ok(Found { list, format, folder: folder.to_owned(), files, published })
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
