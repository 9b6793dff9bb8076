//! Dates of which only a part may be known.

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::Invalid;

/// A date known to the year, the month or the day: `1962`, `1962-04` or `1962-04-29` (ISO 8601). Years 1000 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PartialDate {
    year: i32,
    month: Option<u32>,
    day: Option<u32>,
}

crate::openapi::text_schema!(PartialDate, "1962-04");

impl PartialDate {
    /// A date from its parts; a day needs a month, and the parts must name a day that exists.
    pub fn new(year: i32, month: Option<u32>, day: Option<u32>) -> Result<Self, Invalid> {
        let exists = NaiveDate::from_ymd_opt(year, month.unwrap_or(1), day.unwrap_or(1)).is_some();
        if !exists || !(1000..=9999).contains(&year) || (day.is_some() && month.is_none()) {
            return Err(Invalid::new("date", "must be YYYY, YYYY-MM or YYYY-MM-DD and exist"));
        }
        Ok(Self { year, month, day })
    }

    /// The year.
    pub fn year(self) -> i32 {
        self.year
    }

    /// The month, 1 to 12, where known.
    pub fn month(self) -> Option<u32> {
        self.month
    }

    /// The day of the month, where known.
    pub fn day(self) -> Option<u32> {
        self.day
    }

    /// The first and the last day that this date can mean.
    pub fn span(self) -> (NaiveDate, NaiveDate) {
        let first = NaiveDate::from_ymd_opt(self.year, self.month.unwrap_or(1), self.day.unwrap_or(1));
        let first = first.unwrap_or(NaiveDate::MIN); // the constructor made sure that it exists
        let next = match (self.month, self.day) {
            (_, Some(_)) => return (first, first),
            (Some(12) | None, None) => NaiveDate::from_ymd_opt(self.year + 1, 1, 1),
            (Some(month), None) => NaiveDate::from_ymd_opt(self.year, month + 1, 1),
        };
        (first, next.and_then(|day| day.pred_opt()).unwrap_or(NaiveDate::MAX))
    }
}

impl From<NaiveDate> for PartialDate {
    fn from(date: NaiveDate) -> Self {
        Self { year: date.year(), month: Some(date.month()), day: Some(date.day()) }
    }
}

impl TryFrom<String> for PartialDate {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl std::str::FromStr for PartialDate {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let refused = || Invalid::new("date", "must be YYYY, YYYY-MM or YYYY-MM-DD and exist");
        let well_formed =
            matches!(text.len(), 4 | 7 | 10) && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        if !well_formed {
            return Err(refused());
        }
        let mut parts = text.split('-').map(|part| part.parse::<u32>().map_err(|_| refused()));
        let year = parts.next().ok_or_else(refused)??;
        let (month, day) = (parts.next().transpose()?, parts.next().transpose()?);
        Self::new(i32::try_from(year).map_err(|_| refused())?, month, day)
    }
}

impl From<PartialDate> for String {
    fn from(date: PartialDate) -> String {
        date.to_string()
    }
}

impl std::fmt::Display for PartialDate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}", self.year)?;
        self.month.map_or(Ok(()), |month| write!(f, "-{month:02}"))?;
        self.day.map_or(Ok(()), |day| write!(f, "-{day:02}"))
    }
}

/// A date as a list publishes it: a span of days, both ends included, and whether the publisher calls it approximate
/// (`circa 1962`, `1961 to 1963`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DateSpan {
    /// The earliest day meant.
    pub first: NaiveDate,
    /// The latest day meant; not before `first`.
    pub last: NaiveDate,
    /// The publisher says `circa` or the like.
    pub circa: bool,
}

impl DateSpan {
    /// Every day from the start of `first` to the end of `last`; the two are put in order.
    pub fn between(first: PartialDate, last: PartialDate, circa: bool) -> Self {
        let (a, b) = (first.span(), last.span());
        Self { first: a.0.min(b.0), last: a.1.max(b.1), circa }
    }

    /// The span of one date.
    pub fn of(date: PartialDate, circa: bool) -> Self {
        Self::between(date, date, circa)
    }

    /// Whether some day lies in both.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partial_date_survives_text() {
        for text in ["1962", "1962-04", "1962-04-29"] {
            assert_eq!(text.parse::<PartialDate>().unwrap().to_string(), text);
        }
        for bad in ["62", "1962-13", "1962-02-30", "1962-4", "19620429", "1962-", "----", "0000"] {
            assert!(bad.parse::<PartialDate>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_year_spans_all_its_days() {
        let year: PartialDate = "1964".parse().unwrap();
        let day: PartialDate = "1964-12-31".parse().unwrap();
        assert!(DateSpan::of(year, false).overlaps(&DateSpan::of(day, false)));
        let next: PartialDate = "1965".parse().unwrap();
        assert!(!DateSpan::of(next, false).overlaps(&DateSpan::of(day, false)));
        let february: PartialDate = "1964-02".parse().unwrap();
        assert_eq!(february.span().1, NaiveDate::from_ymd_opt(1964, 2, 29).unwrap());
    }
}
