//! `kyb verify`: one business, from what is given on the command line or in a JSON file.

use std::{path::PathBuf, str::FromStr};

use chrono::Utc;
use clap::Args;
use kyb_domain::{
    business::{Address, BusinessProfile},
    country::CountryCode,
    date::PartialDate,
    identifier::{Identifier, IdentifierKind, IdentifierValue},
    ownership::{OwnershipLink, OwnershipRole},
    party::{Party, PartyKind},
    text::{FreeText, Name},
    verification::{Verification, VerificationRequest},
};
use kyb_policy::{Policy, PolicySpec};
use kyb_verification::ScreeningOptions;

use crate::{
    arguments::{Format, ListArguments},
    exit::{Outcome, Unusable},
    lists, output,
    progress::Progress,
    table::Input,
};

const EXAMPLES: &str = "\
Examples:
  kyb verify --name \"Rosoboroneksport OAO\" --country RU --lists ./ofac --output json
  kyb verify --name \"Backhaus Morgenrot GmbH\" --country DE --registry-number \"HRB 12345\" \\
      --description \"bakery and pastry shop\" --owner \"Erika Mustermann:DE\" --lists ./ofac ./un
  kyb verify --input business.json --policy policy.yaml --lists ./ofac --max-list-age 3d

The exit code is the decision: 0 approve, 10 review, 11 reject; 1 error; 2 usage, or lists that could not be
read (then nothing was looked at).";

/// Verifies one business: checks, screening, risk and decision, with a reason for each.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Verify {
    #[command(flatten)]
    business: Business,
    /// The business as JSON, as `POST /v1/verifications` takes it, or only its `business` part; `-` reads standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "Business")]
    input: Option<Input>,
    /// A policy in YAML: `rules` in CEL, tried before the default ones, and `required_checks`.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    lists: ListArguments,
    /// How to print the verification.
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Business")]
struct Business {
    /// Registered name.
    #[arg(long, required_unless_present = "input")]
    name: Option<Name>,
    /// A name it trades under; may be given again.
    #[arg(long, value_name = "NAME")]
    trading_name: Vec<Name>,
    /// Country of registration and of the address, ISO 3166-1 alpha-2.
    #[arg(long, value_name = "CC")]
    country: Option<CountryCode>,
    /// Legal Entity Identifier.
    #[arg(long)]
    lei: Option<IdentifierValue>,
    /// Number in the business registry of the country.
    #[arg(long, value_name = "NUMBER")]
    registry_number: Option<IdentifierValue>,
    /// Tax or VAT number.
    #[arg(long, value_name = "NUMBER")]
    tax_id: Option<IdentifierValue>,
    /// Legal form as written in the register, such as `GmbH`.
    #[arg(long, value_name = "FORM")]
    legal_form: Option<Name>,
    /// Day of incorporation: YYYY, YYYY-MM or YYYY-MM-DD.
    #[arg(long, value_name = "DATE")]
    incorporated_on: Option<PartialDate>,
    /// Street and number.
    #[arg(long)]
    street: Option<Name>,
    /// Town.
    #[arg(long)]
    city: Option<Name>,
    /// Postal code.
    #[arg(long, value_name = "CODE")]
    postal_code: Option<Name>,
    /// Web site.
    #[arg(long)]
    website: Option<Name>,
    /// What it says it does.
    #[arg(long, value_name = "TEXT")]
    description: Option<FreeText>,
    /// A beneficial owner, with the country where known; may be given again.
    #[arg(long, value_name = "NAME[:CC]")]
    owner: Vec<Owner>,
}

impl Verify {
    /// Verifies, prints, and turns the decision into the outcome.
    pub(crate) fn run(self, progress: &Progress) -> anyhow::Result<Outcome> {
        let request = self.request()?;
        let policy = self.policy()?;
        let now = Utc::now();
        let watchlists = lists::load(&self.lists, now, progress)?;
        let findings =
            kyb_verification::verify(&watchlists, &policy, &ScreeningOptions::default(), &request, now);
        let outcome = findings.decision.outcome.into();
        let verification = Verification::accepted(request, None, now).completed(findings, Utc::now());
        match self.output {
            Format::Json => output::print_json(&verification)?,
            Format::Text => output::print(|style| output::verification::text(&verification, style))?,
        }
        Ok(outcome)
    }

    fn request(&self) -> anyhow::Result<VerificationRequest> {
        let request = match (&self.input, &self.business.name) {
            (Some(input), _) => read_request(input)?,
            (None, Some(name)) => VerificationRequest {
                business: self.business.profile(name),
                business_id: None,
                reference: None,
            },
            (None, None) => {
                return Err(Unusable::new("no business was given", "give --name or --input").into());
            }
        };
        let bounds = request.business.check_bounds();
        bounds
            .map_err(|error| Unusable::new("the business is too large", "give less of it").because(error))?;
        Ok(request)
    }

    fn policy(&self) -> anyhow::Result<Policy> {
        let Some(file) = &self.policy else { return Ok(Policy::compile(&PolicySpec::default())?) };
        let shown = file.display();
        let remedy = "see docs/cli.md for an example of a policy";
        let text = std::fs::read_to_string(file).map_err(|error| {
            Unusable::new(format!("the policy `{shown}` can't be read"), remedy).because(error)
        })?;
        let spec: PolicySpec = serde_yaml::from_str(&text)
            .map_err(|error| Unusable::new(format!("`{shown}` is no policy"), remedy).because(error))?;
        let compiled = Policy::compile(&spec);
        Ok(compiled.map_err(|error| {
            Unusable::new(format!("the policy `{shown}` is refused"), remedy).because(error)
        })?)
    }
}

impl Business {
    fn profile(&self, name: &Name) -> BusinessProfile {
        BusinessProfile {
            trading_names: self.trading_name.clone(),
            country: self.country,
            legal_form: self.legal_form.clone(),
            address: self.address(),
            identifiers: self.identifiers(),
            incorporated_on: self.incorporated_on,
            website: self.website.clone(),
            description: self.description.clone(),
            owners: self.owner.iter().map(|owner| owner.0.clone()).collect(),
            ..BusinessProfile::named(name.clone())
        }
    }

    fn address(&self) -> Option<Address> {
        let (street, city, postal_code) = (self.street.clone(), self.city.clone(), self.postal_code.clone());
        let given = street.is_some() || city.is_some() || postal_code.is_some();
        given.then_some(Address { street, city, region: None, postal_code, country: self.country })
    }

    fn identifiers(&self) -> Vec<Identifier> {
        let given = [
            (IdentifierKind::Lei, &self.lei, None),
            (IdentifierKind::RegistryNumber, &self.registry_number, self.country),
            (IdentifierKind::TaxId, &self.tax_id, self.country),
        ];
        given
            .into_iter()
            .filter_map(|(kind, value, country)| Some(Identifier { kind, value: value.clone()?, country }))
            .collect()
    }
}

/// Takes the body of the API's request, or the business alone.
fn read_request(input: &Input) -> anyhow::Result<VerificationRequest> {
    const MOST_BYTES: u64 = 1 << 20; // as the API
    let remedy = r#"write {"business": {"name": "…", "country": "DE"}}; docs/api.md lists every field"#;
    let text = input.read_text(MOST_BYTES, remedy)?;
    let refused = |error| Unusable::new(format!("{input} is no verification request"), remedy).because(error);
    let value: serde_json::Value = serde_json::from_str(&text).map_err(refused)?;
    if value.get("business").is_some() {
        return Ok(serde_json::from_str(&text).map_err(refused)?); // from the text, for line and column in errors
    }
    let business = serde_json::from_str(&text).map_err(refused)?;
    Ok(VerificationRequest { business, business_id: None, reference: None })
}

/// `NAME` or `NAME:CC`.
#[derive(Debug, Clone)]
struct Owner(OwnershipLink);

impl FromStr for Owner {
    type Err = kyb_domain::Invalid;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_code = |tail: &str| tail.len() == 2 && tail.bytes().all(|b| b.is_ascii_alphabetic());
        let (name, country) = match text.rsplit_once(':') {
            Some((name, code)) if is_code(code) => (name, Some(CountryCode::try_from(code)?)),
            _ => (text, None),
        };
        let mut party = Party::named(PartyKind::Unknown, Name::try_from(name)?);
        party.countries.extend(country);
        Ok(Self(OwnershipLink { party, role: OwnershipRole::BeneficialOwner, percent: None }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_a_name_and_perhaps_a_country() {
        let owner = |text: &str| text.parse::<Owner>().map(|owner| owner.0.party);
        let known = owner("Erika Mustermann:de").unwrap();
        assert_eq!((known.name.as_str(), known.countries[0].as_str()), ("Erika Mustermann", "DE"));
        assert_eq!(owner("Holding: Süd").unwrap().name.as_str(), "Holding: Süd");
        assert!(
            owner("Erika:ZZ").is_err(),
            "a code that is no country is a typing error, not part of the name"
        );
        assert!(owner(":DE").is_err());
    }
}
