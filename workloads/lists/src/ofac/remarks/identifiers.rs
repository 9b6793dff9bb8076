//! Numbers and addresses that identify: `Passport 96020025125 (Mexico) issued 14 Dec 2005`.

use kyb_domain::{
    identifier::{IdentifierKind, Lei},
    list::EntryKind,
};

use super::phrases::after;
use crate::{draft::Draft, reading::Reading};

/// Labels and the kind of what follows; the longest that fits counts. Collected from the published lists.
const LABELS: &[(&str, IdentifierKind)] = &[
    ("Afghan Money Service Provider License Number", IdentifierKind::Other),
    ("Aircraft Construction Number (also called L/N or S/N or F/N)", IdentifierKind::Other),
    ("Aircraft Manufacturer's Serial Number (MSN)", IdentifierKind::Other),
    ("Aircraft Mode S Transponder Code", IdentifierKind::Other),
    ("Aircraft Serial Identification", IdentifierKind::Other),
    ("Aircraft Tail Number", IdentifierKind::Other),
    ("BIK (RU)", IdentifierKind::Other),
    ("Birth Certificate Number", IdentifierKind::Other),
    ("Bosnian Personal ID No.", IdentifierKind::NationalId),
    ("Branch Unit Number", IdentifierKind::RegistryNumber),
    ("British National Overseas Passport", IdentifierKind::Passport),
    ("Business Number", IdentifierKind::RegistryNumber),
    ("Business Registration Document #", IdentifierKind::RegistryNumber),
    ("Business Registration Number", IdentifierKind::RegistryNumber),
    ("C.I.F.", IdentifierKind::TaxId),
    ("C.R. No.", IdentifierKind::RegistryNumber),
    ("C.U.I.P.", IdentifierKind::NationalId),
    ("C.U.I.T.", IdentifierKind::TaxId),
    ("C.U.R.P.", IdentifierKind::NationalId),
    ("CNP (Personal Numerical Code)", IdentifierKind::NationalId),
    ("Cartilla de Servicio Militar Nacional", IdentifierKind::NationalId),
    ("Cedula No.", IdentifierKind::NationalId),
    ("Certificate of Incorporation Number", IdentifierKind::RegistryNumber),
    ("Chamber of Commerce Number", IdentifierKind::RegistryNumber),
    ("Chinese Commercial Code", IdentifierKind::Other),
    ("Citizen's Card Number", IdentifierKind::NationalId),
    ("Commercial Registry Number", IdentifierKind::RegistryNumber),
    ("Company ID", IdentifierKind::RegistryNumber),
    ("Company Number", IdentifierKind::RegistryNumber),
    ("Credencial electoral", IdentifierKind::NationalId),
    ("D-U-N-S Number", IdentifierKind::Duns),
    ("D.N.I.", IdentifierKind::NationalId),
    ("Digital Currency Address -", IdentifierKind::Other),
    ("Diplomatic Passport", IdentifierKind::Passport),
    ("Driver's License No.", IdentifierKind::Other),
    ("Dubai Chamber of Commerce Membership No.", IdentifierKind::RegistryNumber),
    ("Electoral Registry No.", IdentifierKind::NationalId),
    ("Email", IdentifierKind::Other),
    ("Email Address", IdentifierKind::Other),
    ("Enterprise Number", IdentifierKind::RegistryNumber),
    ("Equity Ticker", IdentifierKind::Other),
    ("Fax", IdentifierKind::Other),
    ("Fax No.", IdentifierKind::Other),
    ("Fiscal Code", IdentifierKind::TaxId),
    ("Folio Mercantil No.", IdentifierKind::RegistryNumber),
    ("Government Gazette Number", IdentifierKind::Other),
    ("I.F.E.", IdentifierKind::NationalId),
    ("ISIN", IdentifierKind::Other),
    ("Identification Number", IdentifierKind::NationalId),
    ("Identification Number ISIN", IdentifierKind::Other),
    ("Immigration No.", IdentifierKind::Other),
    ("International Maritime Organization No.", IdentifierKind::Imo),
    ("Istanbul Chamber of Comm. No.", IdentifierKind::RegistryNumber),
    ("Italian Fiscal Code", IdentifierKind::TaxId),
    ("Kenyan ID No.", IdentifierKind::NationalId),
    ("LE Number", IdentifierKind::NationalId),
    ("Legal Entity Number", IdentifierKind::RegistryNumber), // an LEI where its check digits are right
    ("License", IdentifierKind::Other),
    ("MMSI", IdentifierKind::Other),
    ("Matricula Mercantil No", IdentifierKind::RegistryNumber),
    ("Moroccan Personal ID No.", IdentifierKind::NationalId),
    ("N.I.E.", IdentifierKind::NationalId),
    ("NIT #", IdentifierKind::TaxId),
    ("National Foreign ID Number", IdentifierKind::NationalId),
    ("National ID No.", IdentifierKind::NationalId),
    ("Numero Unico de Identificacao Tributaria (NUIT)", IdentifierKind::TaxId),
    ("Numero de Identidad", IdentifierKind::NationalId),
    ("Other Vessel Call Sign", IdentifierKind::Other),
    ("Paraguayan tax identification number", IdentifierKind::TaxId),
    ("Passport", IdentifierKind::Passport),
    ("Passport Booklet", IdentifierKind::Passport),
    ("Passport No.", IdentifierKind::Passport),
    ("Personal ID Card", IdentifierKind::NationalId),
    ("Phone", IdentifierKind::Other),
    ("Phone No.", IdentifierKind::Other),
    ("Phone Number", IdentifierKind::Other),
    ("Pilot License Number", IdentifierKind::Other),
    ("Previous Aircraft Tail Number", IdentifierKind::Other),
    ("Public Registration Number", IdentifierKind::RegistryNumber),
    ("Public Security and Immigration No.", IdentifierKind::Other),
    ("R.F.C.", IdentifierKind::TaxId),
    ("RFC", IdentifierKind::TaxId),
    ("RIF #", IdentifierKind::TaxId),
    ("RTN", IdentifierKind::TaxId),
    ("RUC #", IdentifierKind::TaxId),
    ("Refugee ID Card", IdentifierKind::Other),
    ("Registered Charity No.", IdentifierKind::RegistryNumber),
    ("Registration ID", IdentifierKind::RegistryNumber),
    ("Registration Number", IdentifierKind::RegistryNumber),
    ("Residency Number", IdentifierKind::Other),
    ("Romanian C.R.", IdentifierKind::RegistryNumber),
    ("Romanian Permanent Resident CAN", IdentifierKind::Other),
    ("Romanian Tax Registration", IdentifierKind::TaxId),
    ("SRE Permit No.", IdentifierKind::Other),
    ("SSN", IdentifierKind::NationalId),
    ("SWIFT/BIC", IdentifierKind::Bic),
    ("Serial No.", IdentifierKind::Other),
    ("Stateless Person ID Card", IdentifierKind::Other),
    ("Stateless Person Passport", IdentifierKind::Passport),
    ("TELEX", IdentifierKind::Other),
    ("Tarjeta Profesional", IdentifierKind::Other),
    ("Tax ID No.", IdentifierKind::TaxId),
    ("Tazkira National ID Card", IdentifierKind::NationalId),
    ("Telephone", IdentifierKind::Other),
    ("Telephone No.", IdentifierKind::Other),
    ("Telephone Number", IdentifierKind::Other),
    ("Temporary suspension of deportation No.", IdentifierKind::Other),
    ("Trade License No.", IdentifierKind::RegistryNumber),
    ("Travel Document Number", IdentifierKind::Other),
    ("Turkish Identificiation Number", IdentifierKind::NationalId), // the publisher's spelling
    ("UAE Identification", IdentifierKind::NationalId),
    ("UK Company Number", IdentifierKind::RegistryNumber),
    ("US FEIN", IdentifierKind::TaxId),
    ("Unified Social Credit Code (USCC)", IdentifierKind::RegistryNumber),
    ("United Social Credit Code Certificate (USCCC)", IdentifierKind::RegistryNumber),
    ("V.A.T. Number", IdentifierKind::TaxId),
    ("Vessel Call Sign", IdentifierKind::Other),
    ("Vessel Registration Identification", IdentifierKind::Imo),
    ("Vessel Registration Identification IMO", IdentifierKind::Imo),
    ("VisaNumberID", IdentifierKind::Other),
    ("Website", IdentifierKind::Website),
];

/// What ends the value of an identifier.
const ENDS: [&str; 6] = ["issued ", "expires ", "expired ", "Issue Date ", "Expire Date ", "Date of Issue "];

/// Reads an identifier; `false` where the phrase is none.
pub(super) fn read(words: &str, draft: &mut Draft, reading: &mut Reading) -> bool {
    let fits = |(label, kind): &(&str, IdentifierKind)| Some((label.len(), *kind, after(words, label)?));
    let labelled = LABELS.iter().filter_map(fits).max_by_key(|(length, ..)| *length);
    let Some((kind, rest)) = labelled.map(|(_, kind, rest)| (kind, rest)).or_else(|| bare_address(words))
    else {
        return false;
    };
    let (value, country) = value_and_country(rest, reading);
    let Some((kind, value)) = settle(kind, value, draft.kind()) else { return false };
    let issuers = country.map(|country| reading.countries(country)).unwrap_or_default();
    let issuer = if let [only] = issuers[..] { Some(only) } else { None };
    if !draft.identifier(kind, value, issuer) {
        return false;
    }
    if kind == IdentifierKind::RegistryNumber && draft.kind() == EntryKind::Organization {
        draft.countries(issuers); // a firm is of the country whose register it stands in
    }
    true
}

/// A web or mail address that no label introduces: `http://www.sanabel.org.uk (website)`.
fn bare_address(words: &str) -> Option<(IdentifierKind, &str)> {
    let first = words.split_whitespace().next()?;
    let website = ["http://", "https://", "www."].into_iter().any(|start| first.starts_with(start));
    match first.contains('@') {
        _ if website => Some((IdentifierKind::Website, first)),
        true => Some((IdentifierKind::Other, first)),
        false => None,
    }
}

/// `96020025125 (Mexico) issued 14 Dec 2005` as the number and the country in words.
fn value_and_country<'a>(rest: &'a str, reading: &mut Reading) -> (&'a str, Option<&'a str>) {
    let end = ENDS.iter().filter_map(|word| rest.find(word)).min().unwrap_or(rest.len());
    let value = rest[..end].trim_end_matches([',', ' ']);
    let in_brackets = value.strip_suffix(')').and_then(|open| open.rsplit_once('('));
    match in_brackets.or_else(|| value.split_once(", ")) {
        // `(98)(21)(66153220)` is a telephone number, `186785 (Abogado)` a licence.
        Some((before, inside)) if reading.is_country(inside) => (before.trim_end(), Some(inside)),
        _ => (value, None),
    }
}

/// The kind that the value really is of, or `None` where it is no identifier at all.
fn settle(kind: IdentifierKind, value: &str, of: EntryKind) -> Option<(IdentifierKind, &str)> {
    let value = value.trim_start_matches(['#', ' ']);
    let without_digits = matches!(kind, IdentifierKind::Website | IdentifierKind::Bic) || value.contains('@');
    if !without_digits && !value.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(match kind {
        IdentifierKind::Imo => {
            ship_number(value).map_or((IdentifierKind::Other, value), |n| (IdentifierKind::Imo, n))
        }
        // The IMO numbers companies too, so only a ship's `Identification Number IMO 9187629` is a ship number.
        IdentifierKind::NationalId | IdentifierKind::RegistryNumber if value.starts_with("IMO ") => {
            match ship_number(value.trim_start_matches("IMO ")) {
                Some(number) if of == EntryKind::Vessel => (IdentifierKind::Imo, number),
                _ => (IdentifierKind::Other, value),
            }
        }
        IdentifierKind::NationalId if of != EntryKind::Person => (IdentifierKind::Other, value),
        IdentifierKind::RegistryNumber if Lei::try_from(value).is_ok() => (IdentifierKind::Lei, value),
        kind => (kind, value),
    })
}

/// The seven digits of a ship identification number.
fn ship_number(text: &str) -> Option<&str> {
    let bare = text.trim_matches(['(', ')', ' ']);
    (bare.len() == 7 && bare.bytes().all(|b| b.is_ascii_digit())).then_some(bare)
}
