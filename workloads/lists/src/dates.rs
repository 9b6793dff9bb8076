//! Dates as publishers write them in prose: `29 Apr 1945`, `circa 1962`, `Dec 1960 to Jan 1961`.

use kyb_domain::date::{DateSpan, PartialDate};

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// The span that `text` means, or `None` where it is written in no known way.
pub(crate) fn span(text: &str) -> Option<DateSpan> {
    let text = text.trim();
    let exact = ["circa ", "approximately ", "c. "].iter().find_map(|word| strip_word(text, word));
    let (text, circa) = exact.map_or((text, false), |rest| (rest, true));
    if let Some((from, to)) = text.split_once(" to ").or_else(|| years(text)) {
        return Some(DateSpan::between(day(from)?, day(to)?, circa));
    }
    Some(DateSpan::of(day(text)?, circa))
}

/// `1961-1963` as two years.
fn years(text: &str) -> Option<(&str, &str)> {
    text.split_once('-').filter(|(from, to)| from.trim().len() == 4 && to.trim().len() == 4)
}

/// `29 Apr 1945`, `Apr 1945` or `1945`.
fn day(text: &str) -> Option<PartialDate> {
    let mut words = text.split_whitespace().rev();
    let year = words.next().filter(|year| year.len() == 4)?.parse().ok()?;
    let month = match words.next() {
        Some(word) => Some(month(word)?),
        None => None,
    };
    let day = match words.next() {
        Some(word) => Some(word.parse().ok()?),
        None => None,
    };
    if words.next().is_some() {
        return None;
    }
    PartialDate::new(year, month, day).ok()
}

fn month(word: &str) -> Option<u32> {
    let short = word.get(..3)?.to_ascii_lowercase();
    let at = MONTHS.iter().position(|month| *month == short)?;
    u32::try_from(at + 1).ok()
}

fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let start = text.get(..word.len())?;
    if start.eq_ignore_ascii_case(word) { text.get(word.len()..) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_as_exactly_as_it_is_known() {
        let cases = [
            ("29 Apr 1945", "1945-04-29", "1945-04-29", false),
            ("Apr 1945", "1945-04-01", "1945-04-30", false),
            ("1945", "1945-01-01", "1945-12-31", false),
            ("circa 1962", "1962-01-01", "1962-12-31", true),
            ("circa Mar 1962", "1962-03-01", "1962-03-31", true),
            ("1961 to 1963", "1961-01-01", "1963-12-31", false),
            ("circa 1979-1982", "1979-01-01", "1982-12-31", true),
            ("Dec 1960 to Jan 1961", "1960-12-01", "1961-01-31", false),
            ("01 Jan 1980 to 31 Dec 1980", "1980-01-01", "1980-12-31", false),
        ];
        for (text, first, last, circa) in cases {
            let expected = DateSpan { first: first.parse().unwrap(), last: last.parse().unwrap(), circa };
            assert_eq!(span(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_not_made_one() {
        for text in [
            "",
            "45",
            "30 Feb 1945",
            "Foo 1945",
            "in 29 Apr 1945",
            "1960s",
            "to 1963",
            "1945.5",
            "29 é9 1945",
        ] {
            assert_eq!(span(text), None, "{text}");
        }
    }
}
