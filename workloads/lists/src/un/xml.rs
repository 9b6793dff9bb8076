//! The document as records. Nothing is handed on that is not well-formed, and no declaration (DTD) is accepted: the list
//! has none, and entities that expand are the classic way to fill a reader's memory.

use chrono::NaiveDate;
use quick_xml::{
    Reader,
    events::{BytesRef, BytesStart, Event},
};

use crate::{ListError, SourceFile};

const ROOT: &str = "CONSOLIDATED_LIST";
/// Elements deeper than this inside a record are refused; the list uses two levels.
const DEEPEST: usize = 16;

/// Which part of the list a record stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    /// `INDIVIDUALS`.
    Individuals,
    /// `ENTITIES`.
    Entities,
}

impl Section {
    const ALL: [(&'static str, &'static str, Self); 2] =
        [("INDIVIDUALS", "INDIVIDUAL", Self::Individuals), ("ENTITIES", "ENTITY", Self::Entities)];
}

/// An element with its text and the elements inside it.
#[derive(Debug, Default)]
pub(super) struct Element {
    /// Its name.
    pub(super) name: String,
    /// Its own text, as written.
    pub(super) text: String,
    /// The elements inside it.
    pub(super) children: Vec<Element>,
    /// The line it starts on, from 1.
    pub(super) line: u64,
}

/// What the document says beside its records.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// Its date, from `dateGenerated`.
    pub(super) generated: Option<NaiveDate>,
    /// Elements of the upper levels that are not known.
    pub(super) unknown: Vec<String>,
}

/// Takes one record.
pub(super) type Each<'e> = dyn FnMut(Section, Element) -> Result<(), ListError> + 'e;

/// Reads the whole document and hands each record to `each`. Both sections must be there: a list without one is half a
/// list.
pub(super) fn read(file: &SourceFile, each: &mut Each<'_>) -> Result<Document, ListError> {
    let text = file.text()?;
    let mut walk = Walk { reader: Reader::from_str(text), text, file, start: 0, line: 1, counted: 0 };
    let mut document = Document { generated: generated(&walk.root()?), ..Document::default() };
    let mut seen = Vec::new();
    while let Some(child) = walk.child(ROOT)? {
        let known = Section::ALL.into_iter().find(|(name, ..)| *name == child.name);
        let Some((name, record, section)) = known else {
            document.unknown.push(walk.rest_of(child)?.name);
            continue;
        };
        if seen.contains(&name) {
            return Err(walk.fault(format!("has a second {name}")));
        }
        seen.push(name);
        if !child.open {
            continue;
        }
        while let Some(inside) = walk.child(name)? {
            let element = walk.rest_of(inside)?;
            if element.name == record { each(section, element)? } else { document.unknown.push(element.name) }
        }
    }
    walk.end()?;
    match Section::ALL.into_iter().find(|(name, ..)| !seen.contains(name)) {
        Some((name, ..)) => Err(file.cut(format!("it has no {name}"))),
        None => Ok(document),
    }
}

/// The name of the root element, where `bytes` begin like XML; enough to tell lists apart, not to trust them.
pub(crate) fn root_name(bytes: &[u8]) -> Option<String> {
    let start = String::from_utf8_lossy(bytes.get(..4096).unwrap_or(bytes));
    let mut reader = Reader::from_str(start.trim_start_matches('\u{feff}'));
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag) | Event::Empty(tag)) => return Some(local(&tag).to_owned()),
            Ok(Event::Eof) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

/// Whether `name` is the root of the UN's list.
pub(crate) fn is_root(name: &str) -> bool {
    name == ROOT
}

fn local<'a>(tag: &'a BytesStart<'_>) -> &'a str {
    tag.local_name().into_inner()
}

/// The day in `dateGenerated="2026-02-27T00:00:09.554Z"`.
fn generated(root: &Tag<'_>) -> Option<NaiveDate> {
    let value = root.bytes.try_get_attribute("dateGenerated").ok().flatten()?;
    value.value.get(..10)?.parse().ok()
}

/// A start tag.
struct Tag<'a> {
    bytes: BytesStart<'a>,
    name: String,
    line: u64,
    /// Whether an end tag is still to come.
    open: bool,
}

struct Walk<'a> {
    reader: Reader<&'a [u8]>,
    text: &'a str,
    file: &'a SourceFile,
    /// Where the event at hand starts.
    start: usize,
    /// The line of the byte `counted`; lines are counted once, not from the start for every record.
    line: u64,
    counted: usize,
}

impl<'a> Walk<'a> {
    /// The next event; refuses what breaks XML or declares a document type.
    fn next(&mut self) -> Result<Event<'a>, ListError> {
        self.start = usize::try_from(self.reader.buffer_position()).unwrap_or(self.text.len());
        match self.reader.read_event() {
            Ok(Event::DocType(_)) => {
                Err(self.fault("declares a document type, which the list never does".into()))
            }
            Ok(event) => Ok(event),
            Err(error) => {
                let at = usize::try_from(self.reader.error_position()).unwrap_or(self.text.len());
                Err(self.file.fault_at(self.text, at, format!("is no well-formed XML: {error}")))
            }
        }
    }

    fn fault(&self, problem: String) -> ListError {
        self.file.fault_at(self.text, self.start, problem)
    }

    fn tag(&mut self, bytes: BytesStart<'a>, open: bool) -> Tag<'a> {
        let passed = self.text.as_bytes().get(self.counted..self.start).unwrap_or_default();
        self.line += passed.iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
        self.counted = self.start;
        Tag { name: local(&bytes).to_owned(), bytes, line: self.line, open }
    }

    /// The root's start tag.
    fn root(&mut self) -> Result<Tag<'a>, ListError> {
        loop {
            let (bytes, open) = match self.next()? {
                Event::Start(bytes) => (bytes, true),
                Event::Empty(bytes) => (bytes, false),
                Event::Eof => return Err(self.file.cut("it has no root element")),
                event => {
                    self.blank(&event)?;
                    continue;
                }
            };
            let tag = self.tag(bytes, open);
            return match (is_root(&tag.name), tag.open) {
                (true, true) => Ok(tag),
                (true, false) => Err(self.fault(format!("{ROOT} is empty"))),
                (false, _) => Err(self.fault(format!("the root is {}, not {ROOT}", tag.name))),
            };
        }
    }

    /// The next start tag inside `parent`, or `None` at its end.
    fn child(&mut self, parent: &str) -> Result<Option<Tag<'a>>, ListError> {
        loop {
            match self.next()? {
                Event::Start(bytes) => return Ok(Some(self.tag(bytes, true))),
                Event::Empty(bytes) => return Ok(Some(self.tag(bytes, false))),
                Event::End(_) => return Ok(None),
                Event::Eof => return Err(self.file.cut(format!("it ends inside {parent}"))),
                event => self.blank(&event)?,
            }
        }
    }

    /// Refuses text where only elements may stand.
    fn blank(&self, event: &Event<'_>) -> Result<(), ListError> {
        let text = match event {
            Event::Text(text) => text.xml10_content(),
            Event::CData(text) => text.xml10_content(),
            Event::GeneralRef(_) => "&".into(),
            _ => return Ok(()),
        };
        if text.trim().is_empty() { Ok(()) } else { Err(self.fault("has text between elements".into())) }
    }

    /// The element that `tag` starts, to its end. Without recursion: depth must not cost stack.
    fn rest_of(&mut self, tag: Tag<'a>) -> Result<Element, ListError> {
        let new = |tag: Tag<'_>| Element { name: tag.name, line: tag.line, ..Element::default() };
        let mut open = tag.open;
        let mut stack = vec![new(tag)];
        loop {
            if !open && let Some(done) = stack.pop() {
                match stack.last_mut() {
                    Some(parent) => parent.children.push(done),
                    None => return Ok(done),
                }
            }
            open = true;
            let event = self.next()?;
            let inside = stack.len();
            let Some(element) = stack.last_mut() else {
                return Err(self.fault("has an end without a start".into()));
            };
            match event {
                Event::Start(_) | Event::Empty(_) if inside >= DEEPEST => {
                    return Err(self.fault(format!("is nested deeper than {DEEPEST} elements")));
                }
                Event::Start(bytes) => stack.push(new(self.tag(bytes, true))),
                Event::Empty(bytes) => {
                    stack.push(new(self.tag(bytes, false)));
                    open = false;
                }
                Event::End(_) => open = false,
                Event::Text(text) => element.text.push_str(&text.xml10_content()),
                Event::CData(text) => element.text.push_str(&text.xml10_content()),
                Event::GeneralRef(name) => element.text.push(self.character(&name)?),
                Event::Eof => return Err(self.file.cut(format!("it ends inside {}", element.name))),
                Event::Comment(_) | Event::PI(_) | Event::Decl(_) | Event::DocType(_) => {}
            }
        }
    }

    /// The character that `&…;` stands for.
    fn character(&self, reference: &BytesRef<'_>) -> Result<char, ListError> {
        let name = reference.xml10_content();
        let unknown = || self.fault(format!("uses &{name};, which is not defined"));
        let found = match &*name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => reference.resolve_char_ref().ok().flatten().ok_or_else(unknown)?,
        };
        let forbidden = found.is_control() && !matches!(found, '\n' | '\r' | '\t');
        if forbidden { Err(unknown()) } else { Ok(found) }
    }

    /// Refuses anything but blanks and comments behind the root.
    fn end(&mut self) -> Result<(), ListError> {
        loop {
            match self.next()? {
                Event::Eof => return Ok(()),
                Event::Start(_) | Event::Empty(_) => {
                    return Err(self.fault("has a second root element".into()));
                }
                event => self.blank(&event)?,
            }
        }
    }
}
