//! Numbers and addresses that identify: `Passport 96020025125 (Mexico) issued 14 Dec 2005`.

use kyb_domain::{identifier::IdentifierKind, list::EntryKind};

use super::phrases::after;
use crate::{draft::Draft, identifiers::settle, reading::Reading};

/// Labels and the kind of what follows; the longest that fits counts. Collected from the published lists.
const LABELS: &[(&str, IdentifierKind)] = &[
    ("Afghan Money Service Provider License Number", IdentifierKind::Other),
    ("Aircraft Construction Number (also called L/N or S/N or F/N)", IdentifierKind::Other),
    ("Aircraft Manufacturer's Serial Number (MSN)", IdentifierKind::Other),
    ("Aircraft Manufacturer’s Serial Number (MSN)", IdentifierKind::Other),
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
    ("Central Registration System Number", IdentifierKind::RegistryNumber),
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
    ("Economic Register Number (CBLS)", IdentifierKind::RegistryNumber),
    ("Electoral Registry No.", IdentifierKind::NationalId),
    ("Email", IdentifierKind::Other),
    ("Email Address", IdentifierKind::Other),
    ("Enterprise Number", IdentifierKind::RegistryNumber),
    ("Equity Ticker", IdentifierKind::Other),
    ("Fax", IdentifierKind::Other),
    ("Fax No.", IdentifierKind::Other),
    ("File Number", IdentifierKind::Other),
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
    ("MICEX Code", IdentifierKind::Other),
    ("MMSI", IdentifierKind::Other),
    ("MSB Registration Number", IdentifierKind::RegistryNumber),
    ("Matricula Mercantil No", IdentifierKind::RegistryNumber),
    ("Military Registration Number", IdentifierKind::Other),
    ("Moroccan Personal ID No.", IdentifierKind::NationalId),
    ("N.I.E.", IdentifierKind::NationalId),
    ("N.I.F.", IdentifierKind::TaxId),
    ("NIT #", IdentifierKind::TaxId),
    ("National Foreign ID Number", IdentifierKind::NationalId),
    ("National ID No.", IdentifierKind::NationalId),
    ("Numero Unico de Identificacao Tributaria (NUIT)", IdentifierKind::TaxId),
    ("Numero de Identidad", IdentifierKind::NationalId),
    ("Organization Code", IdentifierKind::RegistryNumber),
    ("Other Vessel Call Sign", IdentifierKind::Other),
    ("Paraguayan tax identification number", IdentifierKind::TaxId),
    ("Passport", IdentifierKind::Passport),
    ("Passport Booklet", IdentifierKind::Passport),
    ("Passport No.", IdentifierKind::Passport),
    ("Permit Number", IdentifierKind::Other),
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
    ("RSIN", IdentifierKind::RegistryNumber),
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
    ("Seafarer's Identification Document", IdentifierKind::Other),
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
    ("Tourism License No.", IdentifierKind::Other),
    ("Trade License No.", IdentifierKind::RegistryNumber),
    ("Trademark number", IdentifierKind::Other),
    ("Travel Document Number", IdentifierKind::Other),
    ("Turkish Identification Number", IdentifierKind::NationalId),
    ("Turkish Identificiation Number", IdentifierKind::NationalId), // the publisher's spelling
    ("UAE Identification", IdentifierKind::NationalId),
    ("UK Company Number", IdentifierKind::RegistryNumber),
    ("UN/LOCODE", IdentifierKind::Other),
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
    let Some((kind, rest)) = labelled(words).or_else(|| bare_address(words)) else { return false };
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

/// The kind that the publisher calls `label`, which must be the whole of it; the advanced XML has the labels of the remarks
/// as names of features and documents.
pub(in crate::ofac) fn kind_of(label: &str) -> Option<IdentifierKind> {
    let (kind, rest) = labelled(label)?;
    // Of `Digital Currency Address - XBT` the end is the currency.
    (rest.is_empty() || label.starts_with("Digital Currency")).then_some(kind)
}

/// Gives the entry the number that the publisher calls `label`. A firm is of the country whose register it stands in.
/// What is no identifier is counted.
pub(in crate::ofac) fn apply(
    label: &str,
    number: &str,
    country: Option<&str>,
    draft: &mut Draft,
    reading: &mut Reading,
) {
    let Some(kind) = kind_of(label) else { return reading.not_understood("document", label) };
    let issuer = reading.issuer(country);
    draft.identify(label, kind, number, issuer, reading);
    if kind == IdentifierKind::RegistryNumber && draft.kind() == EntryKind::Organization {
        draft.countries(issuer.into_iter().collect());
    }
}

/// The kind of the longest label that `words` begin with, and what follows it.
fn labelled(words: &str) -> Option<(IdentifierKind, &str)> {
    let fits = |(label, kind): &(&str, IdentifierKind)| Some((label.len(), *kind, after(words, label)?));
    let (_, kind, rest) = LABELS.iter().filter_map(fits).max_by_key(|(length, ..)| *length)?;
    Some((kind, rest))
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
