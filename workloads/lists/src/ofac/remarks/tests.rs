use kyb_domain::{country::CountryCode, date::DateSpan, identifier::IdentifierKind, list::Entry};

use super::*;

fn entry_of(kind: EntryKind, remarks: &str) -> (Entry, Vec<(String, u64)>) {
    let (mut draft, mut reading) = (Draft::new("1", kind, "NAME"), Reading::default());
    read(remarks, Some("Minister of Interior"), &mut draft, &mut reading);
    (draft.finish(), reading.into_counts().into_iter().collect())
}

fn person(remarks: &str) -> (Entry, Vec<(String, u64)>) {
    entry_of(EntryKind::Person, remarks)
}

fn codes(codes: &[&str]) -> Vec<CountryCode> {
    codes.iter().map(|code| CountryCode::try_from(*code).unwrap()).collect()
}

#[test]
fn a_persons_remarks_become_facts() {
    let text = "DOB 29 Apr 1945; alt. DOB circa 1946; POB Shati; nationality Iraq; citizen Korea, North; Gender Male; \
                Passport M0018061 (Iraq) issued 12 Sep 1993; National ID No.: 1372584, Kenya; a.k.a. 'O'BRIEN'; \
                Minister of Interior; Linked To: THE FIRM, S.A.";
    let (entry, counts) = person(text);
    assert_eq!(counts, []);
    assert_eq!(entry.countries, codes(&["IQ", "KP"]));
    let span = |first: &str, last: &str, circa| DateSpan {
        first: first.parse().unwrap(),
        last: last.parse().unwrap(),
        circa,
    };
    let dates = [span("1945-04-29", "1945-04-29", false), span("1946-01-01", "1946-12-31", true)];
    assert_eq!(entry.birth_dates, dates);
    assert_eq!(entry.names[1].text, "O'BRIEN");
    assert_eq!(entry.names[1].kind, NameKind::Weak);
    let found: Vec<_> = entry.identifiers.iter().map(|i| (i.kind, i.value.as_str(), i.country)).collect();
    let country = |code| CountryCode::try_from(code).ok();
    assert_eq!(
        found,
        [
            (IdentifierKind::Passport, "M0018061", country("IQ")),
            (IdentifierKind::NationalId, "1372584", country("KE")),
        ]
    );
}

#[test]
fn every_identifier_gets_its_kind() {
    use EntryKind::{Organization, Person, Vessel};
    use IdentifierKind::{Bic, Duns, Imo, Lei, NationalId, Other, Passport, RegistryNumber, TaxId, Website};
    for (of, text, kind, value, country) in [
        (Organization, "Registration ID 1027739609391 (Russia)", RegistryNumber, "1027739609391", Some("RU")),
        (Organization, "Registration ID HRB 26136 (Germany)", RegistryNumber, "HRB 26136", Some("DE")),
        (Organization, "Tax ID No. 7702070139 (Russia)", TaxId, "7702070139", Some("RU")),
        (Organization, "NIT # 800146749-7 (Colombia)", TaxId, "800146749-7", Some("CO")),
        (Organization, "R.F.C. # PMA-910805 (Mexico)", TaxId, "PMA-910805", Some("MX")),
        (Organization, "SWIFT/BIC VTBRRUMM", Bic, "VTBRRUMM", None),
        (Organization, "alt. Website http://www.vtb.ru", Website, "http://www.vtb.ru", None),
        (Organization, "http://www.sanabel.org.uk (website)", Website, "http://www.sanabel.org.uk", None),
        (Organization, "info@sanabel.org.uk (email)", Other, "info@sanabel.org.uk", None),
        (Organization, "Legal Entity Number 253400V1H6ART1UQ0N98", Lei, "253400V1H6ART1UQ0N98", None),
        (
            Organization,
            "Legal Entity Number 851683897 (Netherlands)",
            RegistryNumber,
            "851683897",
            Some("NL"),
        ),
        (Organization, "D-U-N-S Number 52-024-2307", Duns, "52-024-2307", None),
        (Organization, "Company Number IMO 5055293", Other, "IMO 5055293", None),
        (
            Organization,
            "Company Number 394678 (Virgin Islands, British)",
            RegistryNumber,
            "394678",
            Some("VG"),
        ),
        (Organization, "Identification Number 159014 (Iraq)", Other, "159014", Some("IQ")),
        (Organization, "Telephone (98)(21)(66153220)", Other, "(98)(21)(66153220)", None),
        (Person, "Identification Number 2.194.975 (Paraguay)", NationalId, "2.194.975", Some("PY")),
        (Person, "Passport RL 1794375 (Lebanon)", Passport, "RL 1794375", Some("LB")),
        (Person, "Passport 654435458 expires 26 Nov 2019", Passport, "654435458", None),
        (Person, "Tarjeta Profesional 186785 (Abogado)", Other, "186785 (Abogado)", None),
        (Vessel, "Vessel Registration Identification IMO 9187629", Imo, "9187629", None),
        (Vessel, "Vessel Registration Identification 8606173", Imo, "8606173", None),
        (Vessel, "Identification Number IMO 9187629", Imo, "9187629", None),
        (Vessel, "MMSI 572469210", Other, "572469210", None),
    ] {
        let (entry, counts) = entry_of(of, &format!("{text}."));
        assert_eq!(counts, [], "{text}");
        let found: Vec<_> = entry.identifiers.iter().map(|i| (i.kind, i.value.as_str(), i.country)).collect();
        assert_eq!(
            found,
            [(kind, value, country.and_then(|code| CountryCode::try_from(code).ok()))],
            "{text}"
        );
    }
}

#[test]
fn what_is_not_understood_is_counted_and_makes_no_fact() {
    for (text, label) in [
        ("Phaser Number 12", "remark:Phaser Number"),
        ("Phaser: 12", "remark:Phaser"),
        ("12 apples", "remark:a number without a label"),
        ("founder of something", "remark:free text"),
        ("DOB unclear", "remark:free text"),
        ("Passport issued 21 Jun 1992", "remark:Passport issued"),
        ("NIT # Provisional (Colombia)", "remark:free text"),
        ("nationality Atlantean", "country:Atlantean"),
        ("a.k.a. 'never closed", "remark:free text"),
    ] {
        let (entry, counts) = person(text);
        assert_eq!(counts, [(label.to_owned(), 1)], "{text}");
        assert_eq!(entry, Draft::new("1", EntryKind::Person, "NAME").finish(), "{text}");
    }
}

#[test]
fn a_firm_is_of_the_country_of_its_register_but_not_of_its_tax_office() {
    let (entry, _) = entry_of(
        EntryKind::Organization,
        "Registration ID 12 (Cyprus); Tax ID No. 34 (Russia); Organization Established Date 17 Oct 1990.",
    );
    assert_eq!(entry.countries, codes(&["CY"]));
    assert_eq!(entry.birth_dates.len(), 1, "the day of formation");
}
