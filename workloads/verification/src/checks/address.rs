//! Is the address whole and consistent?

use kyb_domain::{business::Address, reason::ReasonCode, verification::CheckStatus};

use super::{Known, Outcome};

pub(super) fn check(known: &Known<'_>) -> Outcome {
    let Some(address) = &known.business.address else {
        return Outcome::nothing_given("address");
    };
    let outcome = look_at(address, known);
    let written = address.one_line().map(|line| line.to_string()).unwrap_or_default();
    let country = address.country.map(|country| format!(", {}", country.name())).unwrap_or_default();
    outcome.claimed(format!("the address is `{written}{country}`"))
}

fn look_at(address: &Address, known: &Known<'_>) -> Outcome {
    let missing = missing(address);
    if !missing.is_empty() {
        let text = format!("The address lacks its {}.", missing.join(" and "));
        return Outcome::new(CheckStatus::Warning, ReasonCode::ADDRESS_INCOMPLETE, text);
    }
    if let (Some(registered), Some(at)) = (known.business.country, address.country)
        && registered != at
    {
        let text =
            format!("The business is registered in {}, its address is in {}.", registered.name(), at.name());
        return Outcome::new(CheckStatus::Warning, ReasonCode::COUNTRY_CONFLICT, text);
    }
    let text = "The address has the parts an address needs. Nobody has confirmed it.";
    Outcome::new(CheckStatus::Success, ReasonCode::ADDRESS_WELL_FORMED, text)
}

fn missing(address: &Address) -> Vec<&'static str> {
    let parts = [
        (address.street.is_none(), "street"),
        (address.city.is_none(), "town"),
        (address.country.is_none(), "country"),
    ];
    parts.into_iter().filter_map(|(lacks, what)| lacks.then_some(what)).collect()
}
