//! An element, and what can be wrong with it.

/// An element with its attributes, its text and the elements inside it.
#[derive(Debug, Default)]
pub(crate) struct Element {
    /// Its name, without a namespace.
    pub(crate) name: String,
    /// Its own text, as written.
    pub(crate) text: String,
    /// The elements inside it.
    pub(crate) children: Vec<Element>,
    /// Its attributes, without their namespaces.
    pub(super) attributes: Vec<(String, String)>,
    /// Where it starts.
    pub(super) at: Position,
}

/// Where an element starts, for a fault that only shows once the element is gone.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Position(pub(super) usize);

impl Position {
    /// The fault `problem` there.
    pub(crate) fn fault(self, problem: impl Into<String>) -> Fault {
        Fault { at: self, problem: problem.into() }
    }
}

/// What is wrong with an element that is well-formed; [`Document::refuse`](super::Document::refuse) adds the file, the line and the column.
#[derive(Debug)]
pub(crate) struct Fault {
    /// Where.
    pub(super) at: Position,
    /// What.
    pub(super) problem: String,
}

impl Element {
    /// Its text on one line, `None` where there is none.
    pub(crate) fn words(&self) -> Option<String> {
        let words = self.text.split_whitespace().collect::<Vec<_>>().join(" ");
        (!words.is_empty()).then_some(words)
    }

    /// The text of the first element called `name` that has one.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.named(name).find_map(Self::words)
    }

    /// The elements called `name`.
    pub(crate) fn named<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first element called `name`.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The elements at the end of `path`, one level of names after the other.
    pub(crate) fn below<'e>(&'e self, path: &[&str]) -> Vec<&'e Self> {
        path.iter().fold(vec![self], |level, name| {
            level
                .into_iter()
                .flat_map(|one| one.children.iter().filter(move |child| child.name == *name))
                .collect()
        })
    }

    /// The texts of all elements called `name`.
    pub(crate) fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = String> + 'e {
        self.named(name).filter_map(Self::words)
    }

    /// The attribute `name`, `None` where it is blank or missing.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let (_, value) = self.attributes.iter().find(|(key, _)| key == name)?;
        Some(value.trim()).filter(|value| !value.is_empty())
    }

    /// The attribute `name`, which must be there.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Fault> {
        self.attribute(name).ok_or_else(|| self.fault(format!("{} has no {name}", self.name)))
    }

    /// Whether the attribute `name` says yes, as XML Schema writes it.
    pub(crate) fn says(&self, name: &str) -> bool {
        matches!(self.attribute(name), Some("true" | "1"))
    }

    /// Where it starts.
    pub(crate) fn position(&self) -> Position {
        self.at
    }

    /// The fault `problem` where it starts.
    pub(crate) fn fault(&self, problem: impl Into<String>) -> Fault {
        self.at.fault(problem)
    }
}
