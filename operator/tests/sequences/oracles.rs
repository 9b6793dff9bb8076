//! What must hold after each change. Pure: from what was tried and what was seen, to what is wrong.

use serde_json::Value;

use crate::{change::Change, known, state::State, subject::Answer, values::Class};

/// Reasons that say that something is on its way, not that it is wrong.
const UNDERWAY: [&str; 5] =
    ["NoReport", "Progressing", "Migrating", "ReplicasUnavailable", "SettingsPending"];

/// What should come of a change.
enum Expected {
    Taking,
    Refusal,
    RefusalOrReport,
}

/// A change that was tried.
pub(crate) struct Attempt<'a> {
    pub(crate) change: &'a Change,
    /// What the rules say against it; the schema's other demands follow from the change's class.
    pub(crate) broken_rules: Vec<String>,
    pub(crate) answer: &'a Answer,
    pub(crate) before: &'a State,
    pub(crate) after: &'a State,
    /// Whether the spec says that nothing is to be written.
    pub(crate) is_paused: bool,
}

impl Attempt<'_> {
    /// The first oracle: the API server refuses what is invalid, and what it takes works or is reported; what is refused or
    /// reported changes nothing.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let mut all = self.complaint_about_the_answer();
        if matches!(self.answer, Answer::Refused(_)) {
            all.extend(self.after.differences(self.before));
        } else if !self.after.is_well() {
            all.extend(self.complaint_about_the_report());
            all.extend(self.effects_of_what_is_reported());
        } else if self.is_paused {
            all.extend(self.after.children_that_differ(self.before));
        }
        all
    }

    fn complaint_about_the_answer(&self) -> Vec<String> {
        let Self { broken_rules, answer, .. } = self;
        let wrong = match (answer, self.expected()) {
            (Answer::Taken, Expected::Refusal) => format!("taken, though invalid {broken_rules:?}"),
            (Answer::Taken, Expected::RefusalOrReport) if self.after.is_well() => {
                "taken, and nothing says that it can't be used".to_owned()
            }
            (Answer::Refused(why), Expected::Taking) => format!("refused, though valid: {why}"),
            (Answer::Refused(why), Expected::Refusal)
                if self.only_rules_refuse() && !broken_rules.iter().any(|rule| why.contains(rule)) =>
            {
                format!("refused for another reason than {broken_rules:?}: {why}")
            }
            _ => return vec![],
        };
        vec![wrong]
    }

    fn expected(&self) -> Expected {
        match self.change.class {
            Class::Unusable => Expected::RefusalOrReport,
            // Of the rules about changes only the rules themselves know whether they are broken.
            _ if self.only_rules_refuse() && self.broken_rules.is_empty() => Expected::Taking,
            _ => Expected::Refusal,
        }
    }

    fn only_rules_refuse(&self) -> bool {
        self.change.class.is_taken() || self.change.class == Class::RuleBroken
    }

    /// What can't be used changes nothing. What only has not come about yet may well have.
    fn effects_of_what_is_reported(&self) -> Vec<String> {
        let reason = self.after.reason();
        if UNDERWAY.contains(&reason) {
            return vec![];
        }
        let mut all = self.after.children_that_differ(self.before);
        all.retain(|difference| !known::is_effect(reason, difference));
        all
    }

    /// A person must be able to tell from the object itself that something is wrong, and from the report which field it is about.
    fn complaint_about_the_report(&self) -> Vec<String> {
        let said = self.after.complaints().join("\n");
        if self.after.claims_to_be_well() {
            return vec![format!("claims to be well, though {said}")];
        }
        let plain = said.to_lowercase().replace('_', "");
        let is_named = self.change.words().iter().any(|word| plain.contains(word.as_str()));
        if is_named {
            return vec![];
        }
        vec![format!("reported without a word of {}: {said}", self.change.words().join(", "))]
    }
}

/// The third oracle: once the input is mended all is as it was while it was good.
pub(crate) fn not_mended(answer: &Answer, good: &State, after: &State) -> Vec<String> {
    match answer {
        Answer::Refused(why) => vec![format!("can't be mended: {why}")],
        Answer::Taken => after.differences(good),
    }
}

/// The second oracle: an object that came to a spec by changes is what a new one with that spec is.
pub(crate) fn not_as_new(come_to: &State, new: &State) -> Vec<String> {
    known::without_past(come_to).differences(new)
}

/// Whether a spec asks for nothing to be written.
pub(crate) fn is_paused(spec: &Value) -> bool {
    spec["paused"] == true
}
