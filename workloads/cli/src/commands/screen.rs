//! `kyb screen`: one party, pairs of names, or a whole table of parties.

mod bulk;
mod pairs;
mod party_kind;
mod replay;

use chrono::Utc;
use clap::{Args, Subcommand};
use kyb_domain::{
    country::CountryCode,
    date::PartialDate,
    identifier::{Identifier, IdentifierKind, IdentifierValue},
    party::Party,
    score::Score,
    text::Name,
};
use kyb_verification::ScreeningOptions;

use crate::{
    arguments::{self, Format, ListArguments},
    exit::{Outcome, Unusable},
    lists, output,
    progress::Progress,
};
use party_kind::Kind;

const EXAMPLES: &str = "\
Examples:
  kyb screen --name \"Rosoboroneksport\" --type business --country RU --lists ./ofac
  kyb screen --name \"Ali, M.\" --type person --birth-date 1962-04 --identifier passport=A123456 --lists ./ofac ./un
  kyb screen bulk --lists ./ofac --input customers.csv > hits.csv
  kyb screen bulk --lists ./ofac --input customers.csv --output hits.csv --resume
  kyb screen pairs --input pairs.csv > scored.csv
  kyb screen replay --input screening.json --lists ./ofac-of-that-day

The exit code of a single screening: 0 no_hit, 10 in_review, 1 error (nothing was found, but a list is missing or
too old, or the search was cut); 2 usage, or lists that could not be read.";

/// Searches the watchlists for a party and explains every match.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Screen {
    #[command(subcommand)]
    many: Option<Many>,
    #[command(flatten)]
    one: Option<One>,
    #[command(flatten)]
    lists: Option<ListArguments>,
    /// How to print the screening.
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

#[derive(Debug, Subcommand)]
enum Many {
    Pairs(pairs::Pairs),
    Bulk(bulk::Bulk),
    Replay(replay::ReplayOf),
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Party")]
struct One {
    /// The name to search.
    #[arg(long, required = true)]
    name: Name,
    /// What the party is; `unknown` is compared with entries of every kind.
    #[arg(long = "type", value_enum, default_value_t)]
    kind: Kind,
    /// A further name; may be given again.
    #[arg(long, value_name = "NAME")]
    alias: Vec<Name>,
    /// A country of residence, registration or nationality; may be given again.
    #[arg(long, value_name = "CC")]
    country: Vec<CountryCode>,
    /// Date of birth or formation: YYYY, YYYY-MM or YYYY-MM-DD.
    #[arg(long, value_name = "DATE")]
    birth_date: Option<PartialDate>,
    /// An identifier, such as `lei=…`, `registry-number=…`, `tax-id=…`, `imo=…`, `passport=…`; may be given again.
    #[arg(long, value_name = "KIND=VALUE", value_parser = identifier)]
    identifier: Vec<Identifier>,
    /// The score from which on a candidate is a match, 0 to 1.
    #[arg(long, value_parser = arguments::score)]
    threshold: Option<Score>,
    /// The most matches.
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=100))]
    limit: Option<u8>,
}

impl Screen {
    /// Screens and prints.
    pub(crate) fn run(self, progress: &Progress) -> anyhow::Result<Outcome> {
        match (self.many, self.one, self.lists) {
            (Some(Many::Pairs(pairs)), ..) => pairs.run(progress),
            (Some(Many::Bulk(bulk)), ..) => bulk.run(progress),
            (Some(Many::Replay(replay)), ..) => replay.run(progress),
            (None, Some(one), Some(lists)) => one.run(&lists, self.output, progress),
            (None, ..) => Err(Unusable::new("nobody to screen was given", "give --name and --lists").into()),
        }
    }
}

impl One {
    fn run(self, lists: &ListArguments, output: Format, progress: &Progress) -> anyhow::Result<Outcome> {
        let now = Utc::now();
        let watchlists = lists::load(lists, now, progress)?;
        let options =
            ScreeningOptions { lists: None, threshold: self.threshold, limit: self.limit.map(usize::from) };
        let party = Party {
            aliases: self.alias,
            countries: self.country,
            birth_date: self.birth_date,
            identifiers: self.identifier,
            ..Party::named(self.kind.into(), self.name)
        };
        let bounds = party.check_bounds();
        bounds.map_err(|error| Unusable::new("too much was given", "give less of it").because(error))?;
        let screening = kyb_verification::screen(&watchlists, party, &options, now)?;
        match output {
            Format::Json => output::print_json(&screening)?,
            Format::Text => output::print(|style| output::screening::text(&screening, style))?,
        }
        Ok(screening.status.into())
    }
}

fn identifier(text: &str) -> Result<Identifier, String> {
    let (kind, value) = text.split_once('=').ok_or("write KIND=VALUE, such as `lei=529900SEOICVR2VM6Y05`")?;
    let kind = serde_json::Value::from(kind.trim().to_ascii_lowercase().replace('-', "_"));
    let kind: IdentifierKind = serde_json::from_value(kind).map_err(|error| error.to_string())?;
    let value = IdentifierValue::try_from(value).map_err(|invalid| invalid.to_string())?;
    Ok(Identifier { kind, value, country: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_a_kind_and_a_value() {
        assert_eq!(identifier("tax-id=DE 123").unwrap().kind, IdentifierKind::TaxId);
        assert_eq!(identifier("registry_number=a=b").unwrap().value.as_str(), "a=b");
        assert!(identifier("lei").is_err());
        assert!(identifier("colour=red").unwrap_err().contains("passport"), "the kinds there are are named");
    }
}
