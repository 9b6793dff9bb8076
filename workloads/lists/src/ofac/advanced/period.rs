//! Dates: a `DatePeriod` has a start and an end, and each may itself be a range.

use kyb_domain::date::{DateSpan, PartialDate};

use crate::xml::Element;

/// The span from the earliest start to the latest end, `None` where it names no day that exists. A year of which no more is
/// known is published from 1 January to 31 December.
pub(super) fn span(period: &Element) -> Option<DateSpan> {
    let edge = |name: &str, first: &str, second: &str| {
        let point = period.child(name)?;
        let day = |name: &str| point.child(name).and_then(day);
        day(first).or_else(|| day(second))
    };
    let start = edge("Start", "From", "To");
    let end = edge("End", "To", "From").or_else(|| edge("Start", "To", "From"));
    let circa = period.children.iter().any(|point| point.says("Approximate"));
    Some(DateSpan::between(start.or(end)?, end.or(start)?, circa))
}

/// The date in the elements `Year`, `Month` and `Day`, as exactly as it is given.
pub(super) fn day(date: &Element) -> Option<PartialDate> {
    let number = |name: &str| date.get(name).and_then(|text| text.parse::<u32>().ok());
    PartialDate::new(i32::try_from(number("Year")?).ok()?, number("Month"), number("Day")).ok()
}

/// The span in words: `1999-02-03`, `1999-01-01 to 2001-06-30`.
pub(super) fn words(span: DateSpan) -> String {
    if span.first == span.last { span.first.to_string() } else { format!("{} to {}", span.first, span.last) }
}
