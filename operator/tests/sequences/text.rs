//! Texts of a given length that a schema takes, and texts that it refuses.
//!
//! One text that fits is enough: longer and shorter ones are made from it by repeating and leaving out characters, as long as
//! pattern, format and rules go along. So no pattern has to be understood.

use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    string::string_regex,
    test_runner::TestRunner,
};
use regex::Regex;
use serde_json::Value;

use crate::{
    hints,
    schema::{Place, broken_rules},
};

/// How long a text may be where the schema does not say: such texts are values of maps.
const UNBOUNDED: usize = 63;

/// What a schema demands of a text.
pub(crate) struct Demands<'a> {
    schema: &'a Value,
    pattern: Option<Regex>,
}

impl<'a> Demands<'a> {
    pub(crate) fn of(schema: &'a Value) -> Self {
        Self { schema, pattern: schema["pattern"].as_str().map(|pattern| Regex::new(pattern).unwrap()) }
    }

    /// The same at a place where a rule further above demands a pattern.
    pub(crate) fn at(place: &Place, schema: &'a Value) -> Self {
        let demands = Self::of(schema);
        match hints::pattern(place) {
            Some(pattern) => Self { pattern: Some(Regex::new(pattern).unwrap()), ..demands },
            None => demands,
        }
    }

    pub(crate) fn longest(&self) -> usize {
        self.bound("maxLength").unwrap_or(UNBOUNDED)
    }

    fn bound(&self, keyword: &str) -> Option<usize> {
        self.schema[keyword].as_u64().and_then(|bound| usize::try_from(bound).ok())
    }

    /// Whether the schema takes a text.
    pub(crate) fn are_met_by(&self, text: &str) -> bool {
        let length = text.chars().count();
        length >= self.bound("minLength").unwrap_or(0)
            && length <= self.longest()
            && self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(text))
            && (self.schema["format"] != "date-time" || text.parse::<chrono::DateTime<chrono::Utc>>().is_ok())
            && (self.schema.get("x-kubernetes-validations").is_none()
                || broken_rules(self.schema, &text.into(), None).is_empty())
    }

    /// Some text that fits: plain where it can be.
    pub(crate) fn any(&self) -> String {
        let pattern = self.schema["pattern"].as_str().unwrap_or("^[a-z]{4}$");
        let inner = pattern.trim_start_matches('^').trim_end_matches('$');
        let texts = string_regex(inner).unwrap();
        let mut runner = TestRunner::deterministic();
        let mut tries = (0..1_000).map(|_| texts.new_tree(&mut runner).unwrap().current());
        let found = tries.find(|text| self.are_met_by(text));
        self.plain(&found.unwrap_or_else(|| panic!("no text fits {}; give one among the hints", self.schema)))
    }

    /// The same with letters and digits that nobody stumbles over, where they fit.
    fn plain(&self, text: &str) -> String {
        let mut plain: Vec<char> = text.chars().collect();
        for at in 0..plain.len() {
            let was = plain[at];
            let replaced = ['a', '1', 'A'].into_iter().find(|letter| {
                plain[at] = *letter;
                self.are_met_by(&plain.iter().collect::<String>())
            });
            plain[at] = replaced.unwrap_or(was);
        }
        plain.into_iter().collect()
    }

    /// The shortest text that comes of leaving characters out.
    pub(crate) fn shortest(&self, from: &str) -> String {
        let mut text: Vec<char> = from.chars().collect();
        'shorter: loop {
            for at in 0..text.len() {
                let less: Vec<char> = [&text[..at], &text[at + 1..]].concat();
                if self.are_met_by(&less.iter().collect::<String>()) {
                    text = less;
                    continue 'shorter;
                }
            }
            return text.into_iter().collect();
        }
    }

    /// The longest text that comes of repeating one character.
    pub(crate) fn longest_from(&self, from: &str) -> String {
        let longest = self.longest();
        let stretched = (1..=longest).rev().find_map(|length| self.stretched(from, length));
        stretched.unwrap_or_else(|| from.to_owned())
    }

    fn stretched(&self, from: &str, length: usize) -> Option<String> {
        let text: Vec<char> = from.chars().collect();
        let more = length.checked_sub(text.len())?;
        let mut candidates = (0..text.len()).map(|at| {
            let repeated = vec![text[at]; more];
            [&text[..at], &repeated, &text[at..]].concat().into_iter().collect::<String>()
        });
        candidates.find(|text| self.are_met_by(text))
    }

    /// Another text, different for each number.
    pub(crate) fn another(&self, than: &str, number: usize) -> String {
        let tail: String = than.chars().skip(1).collect();
        let candidates = [
            format!("{than}-{number}"),
            format!("{than}{number}"),
            format!("{number}{than}"),
            format!("{than}{}", "A".repeat(number)),
            format!("{}{tail}", ('a'..='z').nth(number % 26).unwrap_or('a')),
        ];
        let found = candidates.into_iter().find(|text| self.are_met_by(text));
        found.unwrap_or_else(|| panic!("nothing like {than} fits {}", self.schema))
    }

    /// Texts of a good length that break the pattern.
    pub(crate) fn breaking_the_pattern(&self, good: &str) -> Option<String> {
        let pattern = self.pattern.as_ref()?;
        let broken = [format!("{good}!"), format!("!{good}"), format!("{good} "), " ".into(), "!".into()];
        broken.into_iter().find(|text| text.chars().count() <= self.longest() && !pattern.is_match(text))
    }
}

mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_keep_to_pattern_and_length_at_both_ends() {
        let schema =
            json!({"type": "string", "minLength": 1, "maxLength": 12, "pattern": "^[1-9][0-9]*(s|m|h|d)$"});
        let demands = Demands::of(&schema);
        let any = demands.any();
        assert!(demands.are_met_by(&any), "{any}");
        assert_eq!(demands.shortest(&any).len(), 2);
        assert_eq!(demands.longest_from(&any).len(), 12);
        assert!(demands.are_met_by(&demands.longest_from(&any)));
        assert!(!demands.are_met_by(&demands.breaking_the_pattern(&any).unwrap()));
    }

    #[test]
    fn rules_count_as_well_as_patterns() {
        let rule = json!([{"rule": "isCIDR(self)", "message": "cidr must be a network"}]);
        let schema = json!({"type": "string", "maxLength": 43, "x-kubernetes-validations": rule});
        let demands = Demands::of(&schema);
        let shortest = demands.shortest("203.0.113.0/24");
        assert!(shortest.len() < "203.0.113.0/24".len() && demands.are_met_by(&shortest), "{shortest}");
        assert!(!demands.are_met_by("203.0.113"));
    }
}
