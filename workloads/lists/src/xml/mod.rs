//! XML as elements, strictly and with positions; what the XML formats share.
//!
//! A document is walked event by event: only the record at hand is in memory. Nothing is handed on that is not
//! well-formed, and no declaration of a document type (DTD) is accepted: no publisher has one, and entities that expand
//! are the classic way to fill a reader's memory. Names are compared without their namespace, which publishers change
//! (OFAC did in May 2024) while the elements stay.

use quick_xml::{
    Reader, XmlVersion,
    events::{BytesRef, BytesStart, Event},
};

use crate::{ListError, SourceFile};

mod element;

pub(crate) use element::{Element, Fault, Position};

/// Elements deeper than this inside a record are refused; the deepest list (OFAC's advanced XML) uses eight levels.
const DEEPEST: usize = 16;

/// A start tag of which the inside is still to be read.
#[derive(Debug)]
pub(crate) struct Tag {
    /// The element without what is inside it.
    pub(crate) element: Element,
    /// Whether its end tag is still to come.
    open: bool,
}

/// The name of the root element, where `start` begins like XML; enough to tell lists apart, not to trust them.
pub(crate) fn root_name(start: &str) -> Option<String> {
    let mut reader = Reader::from_str(start.trim_start_matches('\u{feff}').trim_start());
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag) | Event::Empty(tag)) => return Some(local(&tag).to_owned()),
            Ok(Event::Text(text)) if text.trim().is_empty() => {}
            Ok(Event::Eof | Event::Text(_)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

fn local<'a>(tag: &'a BytesStart<'_>) -> &'a str {
    tag.local_name().into_inner()
}

/// A document while it is read from its start to its end.
pub(crate) struct Document<'a> {
    reader: Reader<&'a [u8]>,
    text: &'a str,
    file: &'a SourceFile,
    /// Where the event at hand starts.
    start: usize,
}

impl<'a> Document<'a> {
    /// Checks that `file` is text, and starts to read it.
    pub(crate) fn open(file: &'a SourceFile) -> Result<Self, ListError> {
        let text = file.text()?;
        Ok(Self { reader: Reader::from_str(text), text, file, start: 0 })
    }

    /// The root's start tag, which must be called `name` and hold something.
    pub(crate) fn root(&mut self, name: &str) -> Result<Tag, ListError> {
        loop {
            let (tag, open) = match self.next()? {
                Event::Start(tag) => (tag, true),
                Event::Empty(tag) => (tag, false),
                Event::Eof => return Err(self.file.cut("it has no root element")),
                event => {
                    self.blank(&event)?;
                    continue;
                }
            };
            let element = self.element(&tag)?;
            if element.name != name {
                return Err(self.fault(format!("the root is {}, not {name}", element.name)));
            }
            return if open {
                Ok(Tag { element, open })
            } else {
                Err(self.fault(format!("{name} is empty")))
            };
        }
    }

    /// The next start tag inside `parent`, or `None` at its end. What is inside it must be read, by this or by
    /// [`whole`](Self::whole), before the next one is asked for.
    pub(crate) fn inside(&mut self, parent: &mut Tag) -> Result<Option<Tag>, ListError> {
        while parent.open {
            match self.next()? {
                Event::Start(tag) => return Ok(Some(Tag { element: self.element(&tag)?, open: true })),
                Event::Empty(tag) => return Ok(Some(Tag { element: self.element(&tag)?, open: false })),
                Event::End(_) => parent.open = false,
                Event::Eof => return Err(self.ends_inside(&parent.element)),
                event => self.blank(&event)?,
            }
        }
        Ok(None)
    }

    /// The element that `tag` starts, to its end. Without recursion: depth must not cost stack.
    pub(crate) fn whole(&mut self, tag: Tag) -> Result<Element, ListError> {
        let mut open = tag.open;
        let mut stack = vec![tag.element];
        loop {
            if !open && let Some(done) = stack.pop() {
                match stack.last_mut() {
                    Some(parent) => parent.children.push(done),
                    None => return Ok(done),
                }
            }
            let event = self.next()?;
            open = !matches!(event, Event::Empty(_) | Event::End(_));
            if let Event::Start(tag) | Event::Empty(tag) = &event {
                if stack.len() >= DEEPEST {
                    return Err(self.fault(format!("is nested deeper than {DEEPEST} elements")));
                }
                stack.push(self.element(tag)?);
            }
            let Some(element) = stack.last_mut() else {
                return Err(self.fault("has an end without a start"));
            };
            match event {
                Event::Text(text) => element.text.push_str(&text.xml10_content()),
                Event::CData(text) => element.text.push_str(&text.xml10_content()),
                Event::GeneralRef(name) => element.text.push(self.character(&name)?),
                Event::Eof => return Err(self.ends_inside(element)),
                _ => {}
            }
        }
    }

    /// Refuses anything but blanks and comments behind the root.
    pub(crate) fn end(&mut self) -> Result<(), ListError> {
        loop {
            match self.next()? {
                Event::Eof => return Ok(()),
                Event::Start(_) | Event::Empty(_) => return Err(self.fault("has a second root element")),
                event => self.blank(&event)?,
            }
        }
    }

    /// The refusal of the file for `fault`.
    pub(crate) fn refuse(&self, fault: Fault) -> ListError {
        self.file.fault_at(self.text, fault.at.0, fault.problem)
    }

    /// The next event; refuses what breaks XML or declares a document type.
    fn next(&mut self) -> Result<Event<'a>, ListError> {
        self.start = usize::try_from(self.reader.buffer_position()).unwrap_or(self.text.len());
        match self.reader.read_event() {
            Ok(Event::DocType(_)) => Err(self.fault("declares a document type, which a list never does")),
            Ok(event) => Ok(event),
            Err(error) => {
                let at = usize::try_from(self.reader.error_position()).unwrap_or(self.text.len());
                Err(self.file.fault_at(self.text, at, format!("is no well-formed XML: {error}")))
            }
        }
    }

    fn fault(&self, problem: impl Into<String>) -> ListError {
        self.file.fault_at(self.text, self.start, problem.into())
    }

    fn ends_inside(&self, element: &Element) -> ListError {
        self.file.cut(format!("it ends inside {}", element.name))
    }

    /// The element of a start tag, with its attributes. Refuses an attribute that is there twice.
    fn element(&self, tag: &BytesStart<'_>) -> Result<Element, ListError> {
        let broken = |error: &dyn std::fmt::Display| self.fault(format!("has a broken attribute: {error}"));
        let mut attributes = Vec::new();
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|error| broken(&error))?;
            let value =
                attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| broken(&error))?;
            if value.chars().any(char::is_control) {
                return Err(broken(&"it holds a control character"));
            }
            attributes.push((attribute.key.local_name().into_inner().to_owned(), value.into_owned()));
        }
        let at = Position(self.start);
        Ok(Element { name: local(tag).to_owned(), attributes, at, ..Element::default() })
    }

    /// Refuses text where only elements may stand.
    fn blank(&self, event: &Event<'_>) -> Result<(), ListError> {
        let text = match event {
            Event::Text(text) => text.xml10_content(),
            Event::CData(text) => text.xml10_content(),
            Event::GeneralRef(_) => "&".into(),
            _ => return Ok(()),
        };
        if text.trim().is_empty() { Ok(()) } else { Err(self.fault("has text between elements")) }
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Element, String> {
        let file = SourceFile { name: "list.xml".into(), bytes: text.as_bytes().to_vec() };
        let mut document = Document::open(&file).map_err(|error| error.to_string())?;
        let mut whole = || {
            let root = document.root("list")?;
            let element = document.whole(root)?;
            document.end().map(|()| element)
        };
        whole().map_err(|error| error.to_string())
    }

    #[test]
    fn attributes_and_text_are_read_with_their_characters() {
        let list = read("<x:list xmlns:x='u' a='1 &amp; &#233;' b=' '>\n<i/> t &lt;<![CDATA[<c>]]></x:list>")
            .unwrap();
        assert_eq!(
            (list.attribute("a"), list.attribute("b"), list.attribute("c")),
            (Some("1 & é"), None, None)
        );
        assert_eq!(list.words().as_deref(), Some("t <<c>"));
        assert_eq!(list.children.len(), 1);
    }

    #[test]
    fn what_breaks_an_attribute_is_refused_with_its_position() {
        for (text, words) in [
            ("<list>\n <i a='1' a='2'/></list>", "list.xml, line 2, column 2: has a broken attribute: "),
            ("<list>\n <i a=1/></list>", "list.xml, line 2, column 2: has a broken attribute: "),
            ("<list a='&b;'></list>", "list.xml, line 1, column 1: has a broken attribute: "),
            (
                "<list a='&#1;'></list>",
                "list.xml, line 1, column 1: has a broken attribute: it holds a control",
            ),
        ] {
            let refused = read(text).unwrap_err();
            assert!(refused.starts_with(words), "{refused}");
        }
    }

    #[test]
    fn the_root_is_told_from_the_first_bytes() {
        for (start, root) in [
            ("\u{feff}<?xml version='1.0'?>\n<!-- c -->\n<x:export xmlns:x='y' gene", None),
            ("<?xml version='1.0'?>\n<x:export a='b'><record", Some("export")),
            ("  <list/>", Some("list")),
            ("words <list/>", None),
            ("", None),
            ("{}", None),
        ] {
            assert_eq!(root_name(start).as_deref(), root, "{start}");
        }
    }
}
