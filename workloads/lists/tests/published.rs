//! The lists as their publishers wrote them: the 2019 SDN list, the consolidated list, the UN's sample, and the example.

#![expect(
    clippy::expect_used,
    reason = "a test whose data is missing must fail, in the functions it calls too"
)]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use kyb_lists::{
    Entry, EntryKind, ListError, ListFormat, NameKind, Parsed, Published, PublishedBy, SourceFile, directory,
};

fn shared(name: &str) -> PathBuf {
    ["../../../shared/data", name].iter().collect()
}

fn example() -> PathBuf {
    ["../../examples/lists"].iter().collect()
}

fn only(folder: &Path) -> Parsed {
    let mut lists = directory::load(folder).expect("the list is whole");
    assert_eq!(lists.len(), 1);
    lists.remove(0)
}

fn entry<'a>(parsed: &'a Parsed, id: &str) -> &'a Entry {
    parsed.watchlist.entries.iter().find(|entry| entry.id == id).expect("listed")
}

fn names_of(parsed: &Parsed, kind: NameKind) -> usize {
    parsed.watchlist.entries.iter().flat_map(|entry| &entry.names).filter(|name| name.kind == kind).count()
}

/// How many phrases of remarks there are, and how many of them were not understood.
fn remarks(parsed: &Parsed) -> (usize, u64) {
    let texts = parsed.watchlist.entries.iter().filter_map(|entry| entry.remarks.as_deref());
    let unread = parsed.not_understood.iter().filter(|(label, _)| label.starts_with("remark:"));
    (texts.map(|text| text.split(';').count()).sum(), unread.map(|(_, times)| times).sum())
}

#[test]
fn the_sdn_list_of_2019_is_read_in_full() {
    use EntryKind::{Aircraft, Organization, Person, Vessel};

    let parsed = only(&shared("ofac-2019"));
    assert_eq!(parsed.watchlist.version.entries, 7379);
    let kinds =
        parsed.watchlist.entries.iter().fold(BTreeMap::new(), |mut kinds: BTreeMap<_, u32>, entry| {
            *kinds.entry(entry.kind).or_default() += 1;
            kinds
        });
    assert_eq!(kinds, [(Person, 3845), (Organization, 2994), (Vessel, 323), (Aircraft, 217)].into());
    assert!(names_of(&parsed, NameKind::Weak) > 2000, "weak aliases stand in the remarks");
    let (phrases, unread) = remarks(&parsed);
    assert!(unread * 40 < phrases as u64, "at most 2.5 % not understood: {unread} of {phrases}");
    let countries: Vec<_> =
        parsed.not_understood.keys().filter(|label| label.starts_with("country:")).collect();
    assert!(countries.len() <= 2, "{countries:?}");
}

#[test]
fn a_known_entry_has_its_names_country_and_numbers() {
    for parsed in [only(&shared("ofac-2019")), only(&example())] {
        let firm = entry(&parsed, "18782");
        assert_eq!(firm.caption(), "ROSOBORONEKSPORT OAO");
        let aliases: Vec<&str> = firm.names.iter().skip(1).map(|name| name.text.as_str()).collect();
        assert_eq!(
            aliases,
            [
                "RUSSIAN DEFENSE EXPORT ROSOBORONEXPORT",
                "ROSOBORONEXPORT JSC",
                "ROSOBORONEKSPORT OJSC",
                "OJSC ROSOBORONEXPORT",
                "ROSOBORONEXPORT",
            ]
        );
        assert_eq!(firm.programs, ["SYRIA", "UKRAINE-EO13662"]);
        assert_eq!(firm.countries.iter().map(ToString::to_string).collect::<Vec<_>>(), ["RU"]);
        assert_eq!(firm.addresses, ["27 Stromynka ul., Moscow 107076, Russia"]);
        assert!(firm.identifiers.iter().any(|number| number.value.as_str() == "1117746521452"));
        let ship = entry(&parsed, "15057");
        assert!(ship.identifiers.iter().any(|number| number.value.as_str() == "9362059"), "its IMO number");
        assert_eq!(
            entry(&parsed, "306").names.last().map(|name| (name.kind, name.text.as_str())),
            Some((NameKind::Weak, "BNC"))
        );
        assert_eq!(entry(&parsed, "8279").birth_dates.len(), 2);
    }
}

#[test]
fn the_consolidated_list_is_read_in_full() {
    let parsed = only(&shared("ofac-consolidated"));
    assert_eq!(parsed.watchlist.version.entries, 442);
    assert_eq!(parsed.watchlist.version.list.as_str(), "ofac-consolidated");
    assert_eq!(names_of(&parsed, NameKind::Weak), 68);
    let (phrases, unread) = remarks(&parsed);
    assert!(unread * 40 < phrases as u64, "{unread} of {phrases}");
    assert_eq!(
        parsed.not_understood.get("remark:cut off at 1,000 characters"),
        Some(&10),
        "their end is not guessed"
    );
    let zahhar = entry(&parsed, "9647");
    let weak: Vec<&str> =
        zahhar.names.iter().filter(|n| n.kind == NameKind::Weak).map(|n| n.text.as_str()).collect();
    assert_eq!(weak, ["ZAHAR, Mahmoud", "AL-ZAHAR, Mahmoud"]);
}

#[test]
fn the_un_sample_is_read_in_full() {
    let parsed = only(&shared("un"));
    let version = &parsed.watchlist.version;
    assert_eq!((version.entries, version.published_by), (20, PublishedBy::Document));
    assert_eq!(version.published, "2026-02-27".parse().expect("a date"));
    assert_eq!(parsed.not_understood, BTreeMap::new());
    assert_eq!(names_of(&parsed, NameKind::Weak), 3);
    let north_korean = entry(&parsed, "6908566");
    let names: Vec<_> = north_korean.names.iter().map(|name| (name.kind, name.text.as_str())).collect();
    assert_eq!(
        names,
        [
            (NameKind::Primary, "KIM CHOL SAM"),
            (NameKind::Alias, "Jin Tiesan"),
            (NameKind::OriginalScript, "金铁三"),
        ]
    );
}

#[test]
fn the_example_is_understood_to_the_last_phrase() {
    let parsed = only(&example());
    assert_eq!(parsed.watchlist.version.entries, 61);
    assert_eq!(parsed.not_understood, BTreeMap::new());
    for name in ["sdn.csv", "alt.csv", "add.csv"] {
        let bytes = std::fs::read(example().join(name)).expect("is there");
        assert!(bytes.ends_with(b"\r\n\x1a"), "{name} ends as the publisher's files do");
    }
}

/// The three files of 2019, one of them cut to the first `kept` of its records.
fn with_cut(name: &str, kept: impl Fn(usize) -> usize) -> Result<Parsed, ListError> {
    let list = "ofac-sdn".try_into().expect("a list's name");
    let mut found = directory::files(&shared("ofac-2019"), &list, ListFormat::OfacCsv)?;
    let file = found.files.iter_mut().find(|file| file.name == name).expect("one of three");
    let lines: Vec<&[u8]> = file.bytes.split_inclusive(|byte| *byte == b'\n').collect();
    file.bytes = lines[..kept(lines.len())].concat();
    found.parse()
}

#[test]
fn a_file_that_lost_its_end_between_two_records_is_refused() {
    for name in ["alt.csv", "add.csv"] {
        for lost in [2, 5, 10, 30, 90] {
            let refused = with_cut(name, |lines| lines - lines * lost / 100).expect_err(name).to_string();
            assert!(refused.starts_with(&format!("{name} is cut off: none of the last ")), "{refused}");
        }
    }
    let refused = with_cut("add.csv", |lines| lines - 1).expect_err("one row").to_string();
    assert!(
        refused.starts_with("add.csv is cut off: none of the last 1 of 7379 entries has a row"),
        "{refused}"
    );
    for lost in [1, 10, 700] {
        let refused = with_cut("sdn.csv", |lines| lines - lost).expect_err("sdn.csv").to_string();
        assert!(refused.contains("which the primary file does not have"), "{refused}");
    }
}

/// The twin: with the end-of-file byte that the publisher sets and the copy lost, the same rows missing would have to be
/// taken for the publisher's own doing.
#[test]
fn the_length_of_the_tail_is_all_that_shows_it() {
    let list = "ofac-sdn".try_into().expect("a list's name");
    let mut found = directory::files(&shared("ofac-2019"), &list, ListFormat::OfacCsv).expect("is there");
    for file in &mut found.files {
        if file.name == "alt.csv" {
            let lines: Vec<&[u8]> = file.bytes.split_inclusive(|byte| *byte == b'\n').collect();
            file.bytes = lines[..lines.len() * 9 / 10].concat();
        }
        if file.name == "add.csv" {
            file.bytes.extend(b"- ");
        }
        file.bytes.extend(b"\r\n\x1a");
    }
    let alias = found.files.iter_mut().find(|file| file.name == "alt.csv").expect("one of three");
    alias.bytes = alias
        .bytes
        .strip_suffix(b"\n\r\n\x1a")
        .map(|rest| [rest, b"\n\x1a"].concat())
        .expect("cut at a line");
    assert!(found.parse().is_ok());
}

#[test]
fn the_version_names_the_content() {
    let list = "ofac-sdn".try_into().expect("a list's name");
    let found = directory::files(&example(), &list, ListFormat::OfacCsv).expect("is there");
    let published = Published { date: "2019-01-07".parse().expect("a date"), by: PublishedBy::HttpHeader };
    let version = |files: &[SourceFile]| {
        kyb_lists::parse(&list, ListFormat::OfacCsv, files, published).expect("whole").watchlist.version
    };
    let (one, mut turned) = (version(&found.files), found.files.clone());
    turned.reverse();
    assert_eq!(one, version(&turned), "the order of the files does not matter");
    assert_eq!(one.published_by, PublishedBy::HttpHeader);
    let mut other = found.files.clone();
    let text = String::from_utf8(other[0].bytes.clone()).expect("text").replace("VOLGA", "WOLGA");
    other[0].bytes = text.into_bytes();
    assert_ne!(one.sha256, version(&other).sha256);
}
