//! What a search promises, on small lists.

mod builders;

use builders::{With, business, entry, list, name, organisation, person, subject};
use kyb_domain::{
    identifier::IdentifierKind,
    list::{EntryKind, NameKind},
    party::{Party, PartyKind},
    score::Score,
    screening::{Feature, FeatureName, Match},
};
use kyb_screening::{Screener, SearchOptions};

/// A few entries as publishers write them, among fillers that make common words common.
fn screener() -> Screener {
    let fillers = (0..40)
        .map(|number| organisation(&format!("f{number}"), &format!("FILLER{number} TRADING COMPANY LTD")));
    let mut entries = vec![
        organisation("1", "ROSOBORONEKSPORT OAO")
            .also(NameKind::Alias, "RUSSIAN DEFENSE EXPORT")
            .countries(&["RU"]),
        entry("2", EntryKind::Person, "AL-SHANTI, Iyad Nasr").countries(&["PS"]).born("1974-09-10"),
        organisation("3", "BANCO NACIONAL DE CUBA").also(NameKind::Weak, "BNC").countries(&["CU"]),
        entry("4", EntryKind::Vessel, "SEA CLIFF").identified(IdentifierKind::Imo, "9187629"),
        organisation("5", "AEROCARIBBEAN AIRLINES").living_at("Calle 23 No. 64, Vedado, Havana, Cuba"),
        entry("6", EntryKind::Person, "LAVROV, Sergey Viktorovich").countries(&["RU"]).born("1950-03-21"),
        organisation("7", "TRADING GROUP"),
        organisation("8", "A.B.C. SHIPPING CO., LTD.")
            .identified(IdentifierKind::RegistryNumber, "HRB 123456"),
        organisation("9", "MAHAN GUEST").also(NameKind::Weak, "THE PERSIAN MESSENGERS").countries(&["IR"]),
    ];
    entries.extend(fillers);
    Screener::build(&[list("test", entries)])
}

fn search(subject: &Party) -> Vec<Match> {
    screener().search(subject, &SearchOptions::default()).matches
}

fn first(subject: &Party) -> Option<Match> {
    search(subject).into_iter().next()
}

fn first_id(subject: &Party) -> Option<String> {
    first(subject).map(|found| found.entry_id)
}

fn feature(found: &Match, name: FeatureName) -> Option<&Feature> {
    found.features.iter().find(|feature| feature.name == name)
}

#[test]
fn a_listed_name_is_found_however_it_is_written() {
    for (kind, text, id) in [
        (PartyKind::Business, "Rosoboroneksport", "1"),
        (PartyKind::Business, "Rosoboronexport OAO", "1"),
        (PartyKind::Business, "Rosobornexport", "1"),
        (PartyKind::Business, "Rosoboroneskport JSC", "1"),
        (PartyKind::Business, "ROSOBORON EKSPORT", "1"),
        (PartyKind::Business, "ОАО «Рособоронэкспорт»", "1"),
        (PartyKind::Business, "Export Russian Defense", "1"),
        (PartyKind::Person, "Iyad Nasr al-Shanti", "2"),
        (PartyKind::Person, "Iyad al Shanti", "2"),
        (PartyKind::Person, "Iyad Alshanti", "2"),
        (PartyKind::Person, "Eyad Nasr Shanti", "2"),
        (PartyKind::Person, "Сергей Викторович Лавров", "6"),
        (PartyKind::Person, "Sergei Lavrov", "6"),
        (PartyKind::Person, "Mr. Sergej Lavrov", "6"),
        (PartyKind::Person, "S. V. Lavrov", "6"),
        (PartyKind::Unknown, "Lavrov Sergey", "6"),
        (PartyKind::Unknown, "Banco Nacional de Cuba", "3"),
        (PartyKind::Business, "Banco Nacional Cuba", "3"),
        (PartyKind::Business, "ABC Shipping", "8"),
        (PartyKind::Business, "Aero Caribbean Airlines", "5"),
        (PartyKind::Business, "M/V Sea Cliff", "4"),
        (PartyKind::Business, "Trading Group LLC", "7"),
    ] {
        assert_eq!(first_id(&subject(kind, text)).as_deref(), Some(id), "{text}");
    }
}

#[test]
fn an_ordinary_name_is_no_hit() {
    for (kind, text) in [
        (PartyKind::Business, "Sunshine Bakery GmbH"),
        (PartyKind::Business, "International Trading Company Ltd"),
        (PartyKind::Business, "Caribbean Airlines"),
        (PartyKind::Business, "OAO"),
        (PartyKind::Person, "Sergey Ivanov"),
        (PartyKind::Person, "Iyad Mansour"),
        (PartyKind::Unknown, "ABD Shipping"),
        (PartyKind::Unknown, "Company"),
    ] {
        assert_eq!(first_id(&subject(kind, text)), None, "{text}");
    }
}

#[test]
fn each_of_several_names_in_one_field_is_found_and_the_explanation_says_so() {
    let entries = vec![
        organisation("1", "ZORKAN FRONT/ISLAMIC ARMY").also(NameKind::Weak, "QESHMAR SONS/MIRATH HOUSE"),
        organisation("2", "Velunda Shipping LLC d/b/a Blue Mirath Lines"),
    ];
    let screener = Screener::build(&[list("test", entries)]);
    let found = |text: &str| screener.search(&business(text), &SearchOptions::default()).matches;
    for (text, id) in [("Zorkan Front", "1"), ("Blue Mirath Lines", "2"), ("Velunda Shipping", "2")] {
        let found = found(text);
        assert_eq!(found.first().map(|found| found.entry_id.as_str()), Some(id), "{text}");
        let detail = &found[0].features[0].detail;
        assert!(detail.contains("it is one of several names that were written as one"), "{detail}");
        let sum: f64 = found[0].features.iter().map(|feature| feature.weight).sum();
        assert!((sum - found[0].score.get()).abs() < 1e-9);
    }
    assert_eq!(found("Zorkan Front")[0].matched_name, "ZORKAN FRONT/ISLAMIC ARMY");
    assert_eq!(
        found("Zorkan Front / Brightwater Holding")[0].entry_id,
        "1",
        "also where the subject has several"
    );
    assert_eq!(found("Islamic Army"), [], "what says little is no name of its own");
    assert_eq!(found("Mirath House"), [], "a weak alias counts as it stands");
}

#[test]
fn a_name_is_found_by_its_first_letters_and_short_ones_need_second_evidence() {
    let entries = vec![
        organisation("1", "Zorkan Oil Refining Company of Qeshmar").countries(&["IR"]),
        organisation("2", "Velunda Mirath Oil Group").countries(&["IR"]),
    ];
    let screener = Screener::build(&[list("test", entries)]);
    let first = |party: &Party| screener.search(party, &SearchOptions::default()).matches.into_iter().next();
    let found = first(&business("ZORCQ")).expect("five letters");
    assert_eq!(found.entry_id, "1");
    assert!(found.features[0].detail.contains("(first letters of all words)"), "{:?}", found.features[0]);
    assert_eq!(first(&business("VMOG")).map(|found| found.entry_id), None);
    assert_eq!(first(&business("VMOG").countries(&["IR"])).map(|found| found.entry_id).as_deref(), Some("2"));
    let listed_short = Screener::build(&[list("test", vec![organisation("3", "ZORCQ")])]);
    let long = business("Zorkan Oil Refining Company of Qeshmar");
    assert_eq!(listed_short.search(&long, &SearchOptions::default()).matches.len(), 1, "the other way round");
}

#[test]
fn words_of_organisations_are_read_in_their_short_forms() {
    let entries = vec![
        organisation("1", "Zorkan Communications Group"),
        organisation("2", "Velunda Technology and Services Ltd"),
        organisation("3", "Mirath International Manufacturing"),
    ];
    let screener = Screener::build(&[list("test", entries)]);
    for (text, id) in [
        ("ZORKAN COMM GRP", "1"),
        ("VELUNDA TECH & SRVCES COMP", "2"),
        ("MIRATH INTL MFG", "3"),
        ("MIRATH INTRNTNL MFG CO", "3"),
    ] {
        let found = screener.search(&business(text), &SearchOptions::default()).matches;
        assert_eq!(found.first().map(|found| found.entry_id.as_str()), Some(id), "{text}");
        assert!(found[0].score.get() > 0.9, "{text} {}", found[0].score);
    }
}

#[test]
fn a_foundation_is_no_company_unless_something_else_agrees() {
    let entries = vec![organisation("1", "ANO Zorkan Velunda").countries(&["RU"])];
    let screener = Screener::build(&[list("test", entries)]);
    let hits = |party: Party| screener.search(&party, &SearchOptions::default()).matches.len();
    assert_eq!(hits(business("Zorkan Velunda")), 1);
    assert_eq!(hits(business("Zorkan Velunda OOO")), 0);
    assert_eq!(hits(business("Zorkan Velunda OOO").countries(&["RU"])), 1);
}

#[test]
fn a_subjects_alias_counts_like_its_name() {
    let party = business("Sunshine Bakery").also(NameKind::Alias, "Rosoboronexport");
    assert_eq!(first_id(&party).as_deref(), Some("1"));
}

#[test]
fn the_best_name_of_an_entry_makes_its_one_match() {
    let matches = search(&business("Russian Defense Export"));
    assert_eq!(matches.len(), 1);
    assert_eq!(
        (matches[0].matched_name.as_str(), matches[0].name_kind),
        ("RUSSIAN DEFENSE EXPORT", NameKind::Alias)
    );
    assert_eq!(matches[0].caption, "ROSOBORONEKSPORT OAO");
}

#[test]
fn a_weak_alias_needs_the_very_words_or_second_evidence() {
    let misspelt = business("The Persian Mesengers");
    assert_eq!(first_id(&misspelt), None, "a weak alias that is only alike is no ground for a hit");
    let hit = first(&misspelt.clone().countries(&["IR"])).expect("with the country it is");
    assert_eq!((hit.entry_id.as_str(), hit.name_kind), ("9", NameKind::Weak));
    assert_eq!(first_id(&misspelt.countries(&["DE"])), None, "another country is no evidence for it");
    assert_eq!(first_id(&business("BNC")).as_deref(), Some("3"));
    assert_eq!(first_id(&business("BND").countries(&["CU"])), None);
}

#[test]
fn the_same_words_as_a_strong_alias_would_be_a_hit() {
    // The twin of the test above: what keeps the misspelt name out is that the alias is weak.
    let strong =
        list("test", vec![organisation("9", "MAHAN GUEST").also(NameKind::Alias, "THE PERSIAN MESSENGERS")]);
    let result =
        Screener::build(&[strong]).search(&business("The Persian Mesengers"), &SearchOptions::default());
    assert_eq!(result.matches.len(), 1);
}

#[test]
fn another_legal_form_costs_a_little_and_a_missing_one_nothing() {
    let score = |text: &str| first(&business(text)).unwrap().score.get();
    let same = score("Rosoboroneksport OAO");
    assert!((same - 1.0).abs() < 1e-9);
    assert!((score("Rosoboroneksport") - same).abs() < 1e-9);
    assert!((score("Rosoboroneksport PJSC") - same).abs() < 1e-9, "equivalent forms");
    let other = score("Rosoboroneksport GmbH");
    assert!((0.9..same).contains(&other), "{other}");
    let found = first(&business("Rosoboroneksport GmbH")).unwrap();
    let form = feature(&found, FeatureName::LegalForm).unwrap();
    assert_eq!((form.score, form.detail.as_str()), (Score::ZERO, "legal form GmbH is not OAO"));
}

#[test]
fn what_is_missing_is_no_mismatch() {
    let bare = first(&person("Sergey Viktorovich Lavrov")).unwrap();
    assert_eq!(bare.features.len(), 1, "only the name was compared: {:?}", bare.features);
    assert_eq!(bare.score, bare.features[0].score, "without evidence the score is the name's");
    let unlisted =
        first(&business("Sea Cliff").countries(&["DE"]).born("1990-01-01").living_at("Hafenstr. 1, Hamburg"))
            .unwrap();
    assert!((unlisted.score.get() - 1.0).abs() < 1e-9);
}

#[test]
fn agreement_raises_and_contradiction_lowers_but_never_to_nothing() {
    let score = |party: Party| first(&party).map_or(0.0, |found| found.score.get());
    let name = || person("Sergei Lavrof");
    let bare = score(name());
    let agreeing = [name().countries(&["RU"]), name().born("1950-03-21"), name().born("1950")];
    for party in agreeing {
        assert!(score(party.clone()) > bare, "{party:?}");
    }
    let contradicting =
        [name().countries(&["FR"]), name().born("1980-05-05"), name().countries(&["FR"]).born("1980-05-05")];
    let low = SearchOptions { threshold: Score::constant(0.3), ..SearchOptions::default() };
    for party in contradicting {
        let found = screener().search(&party, &low).matches.remove(0);
        assert!(found.score.get() < bare && found.score.get() > 0.8 * bare, "{party:?} {}", found.score);
        assert!(found.second_evidence().is_none());
    }
    let day_for_month =
        screener().search(&person("Iyad al Shanti").born("1974-10-09"), &low).matches.remove(0);
    assert!(day_for_month.second_evidence().is_some(), "{:?}", day_for_month.features);
}

#[test]
fn a_shared_identifier_wins_over_different_names_and_a_different_one_does_not() {
    for number in ["9187629", "918-7629", "IMO 9187629"] {
        let renamed = business("Ocean Pearl Ltd").identified(IdentifierKind::Imo, number);
        let found = first(&renamed).expect("found by its number alone");
        assert_eq!(found.entry_id, "4");
        assert!(found.score.get() >= 0.95);
    }
    let found = first(&business("Ocean Pearl Ltd").identified(IdentifierKind::Imo, "9187629")).unwrap();
    assert_eq!(found.second_evidence().map(|feature| feature.name), Some(FeatureName::Identifier));

    let low = SearchOptions { threshold: Score::constant(0.3), ..SearchOptions::default() };
    let score = |party: Party| screener().search(&party, &low).matches[0].clone();
    let other_imo = score(business("Sea Cliff").identified(IdentifierKind::Imo, "9999999"));
    assert!(other_imo.score.get() < 1.0 && other_imo.score.get() > 0.9, "a ship has one IMO number");
    let other_registry =
        score(business("ABC Shipping").identified(IdentifierKind::RegistryNumber, "HRB 999999"));
    assert!(
        feature(&other_registry, FeatureName::Identifier).is_none(),
        "a body may have several registry numbers"
    );
}

#[test]
fn an_address_agrees_when_nearly_all_of_it_does() {
    let found = first(&business("Aerocaribbean Airlines").living_at("Calle 23, No 64, Vedado, Havana, CUBA"))
        .unwrap();
    assert!(feature(&found, FeatureName::Address).unwrap().score.get() >= 0.9);
    let found = first(&business("Aerocaribbean Airlines").living_at("Havana")).unwrap();
    assert!(feature(&found, FeatureName::Address).unwrap().score.get() < 0.9, "a town is no address");
    assert!((found.score.get() - 1.0).abs() < 1e-9, "and another address contradicts nothing");
}

#[test]
fn the_weights_of_the_features_add_up_to_the_score() {
    let low = SearchOptions { threshold: Score::constant(0.2), ..SearchOptions::default() };
    let subjects = [
        business("Rosoboronexprt GmbH").countries(&["RU"]),
        business("Rosoboronexport OOO")
            .countries(&["DE"])
            .identified(IdentifierKind::Lei, "HWUPKR0MPOU8FGXBT394"),
        person("Iyad Shanti").born("1974-10-09").countries(&["PS"]),
        business("Lavrov Sergei").born("1950"),
        business("ABC Shippin").identified(IdentifierKind::RegistryNumber, "hrb123456"),
    ];
    for party in subjects {
        let matches = screener().search(&party, &low).matches;
        assert!(!matches.is_empty(), "{party:?}");
        for found in matches {
            let sum: f64 = found.features.iter().map(|feature| feature.weight).sum();
            assert!((sum - found.score.get()).abs() < 1e-9, "{found:#?}");
            assert_eq!(found.features[0].name, FeatureName::Name);
        }
    }
}

#[test]
fn the_explanation_names_both_names_and_what_differs() {
    let found = first(&business("Rosoboronexport OAO")).unwrap();
    let details: Vec<&str> = found.features.iter().map(|feature| feature.detail.as_str()).collect();
    assert_eq!(
        details,
        [
            "subject's name `Rosoboronexport OAO` is 0.95 like listed name `ROSOBORONEKSPORT OAO`: \
             rosoboronexport~rosoboroneksport 0.97",
            "legal form OAO = OAO",
        ]
    );
    let found = first(&person("Sergey Lavrow").countries(&["RU"])).unwrap();
    let details: Vec<&str> = found.features.iter().map(|feature| feature.detail.as_str()).collect();
    assert!(details[0].contains("lavrow~lavrov 0.97; only in the listed name: viktorovich"), "{details:?}");
    assert_eq!(details[1], "both have RU");
}

#[test]
fn the_explanation_says_why_words_agree_and_why_the_score_is_limited() {
    let entries = vec![
        entry("1", EntryKind::Person, "SMITH, William James"),
        entry("2", EntryKind::Person, "XI, Jinping"),
        organisation("3", "Torgovaya Ruslan 44"),
    ];
    let screener = Screener::build(&[list("test", entries)]);
    let low = SearchOptions { threshold: Score::constant(0.41), ..SearchOptions::default() };
    let detail = |party: Party| screener.search(&party, &low).matches[0].features[0].detail.clone();
    let smith = detail(person("Bill J. Smith"));
    assert!(smith.contains("bill~william 0.90 (short form of a given name)"), "{smith}");
    assert!(smith.contains("j~james 0.70 (initial)"), "{smith}");
    assert!(smith.contains("limited, because what agrees is as common as one name in 2^"), "{smith}");
    let chinese = detail(person("Hsi Chinping"));
    assert!(chinese.contains("hsi~xi 0.86 (one Chinese or Korean word in two spellings)"), "{chinese}");
    let company = detail(business("Trade Ruslan Forty-Four"));
    assert!(company.contains("trade~torgovaya 0.95 (same meaning)"), "{company}");
}

#[test]
fn kinds_keep_no_entry_from_being_found() {
    for kind in [PartyKind::Unknown, PartyKind::Business, PartyKind::Person] {
        for (text, id) in
            [("Sergey Viktorovich Lavrov", "6"), ("Sea Cliff", "4"), ("Rosoboroneksport OAO", "1")]
        {
            assert_eq!(first_id(&subject(kind, text)).as_deref(), Some(id), "{kind:?} {text}");
        }
    }
    let as_person = first(&person("Sergei Lavrov")).unwrap();
    let low = SearchOptions { threshold: Score::constant(0.5), ..SearchOptions::default() };
    let as_business = screener().search(&business("Sergei Lavrov"), &low).matches.remove(0);
    assert!(as_business.score < as_person.score);
    assert!(as_business.features[0].detail.contains("the subject is a business and the entry a person"));
}

#[test]
fn lists_are_filtered_before_the_cap_and_the_cap_is_told() {
    let same = |id: &str, count: usize| {
        list(id, (0..count).map(|number| organisation(&number.to_string(), "Blue Falcon Shipping")).collect())
    };
    let screener = Screener::build(&[same("crowd", kyb_screening::MOST_CANDIDATES + 500), same("small", 3)]);
    let of = |lists: Option<Vec<&str>>| {
        let lists = lists.map(|ids| ids.into_iter().map(|id| id.try_into().unwrap()).collect());
        screener.search(
            &business("Blue Falcon Shipping"),
            &SearchOptions { lists, limit: 5_000, ..SearchOptions::default() },
        )
    };
    let all = of(None);
    assert!(all.candidates_truncated);
    assert_eq!(all.candidates_scored as usize, kyb_screening::MOST_CANDIDATES);
    let small = of(Some(vec!["small"]));
    assert!(!small.candidates_truncated);
    assert_eq!((small.matches.len(), small.candidates_scored), (3, 3), "the crowd must not use up the cap");
    assert!(of(Some(vec!["absent"])).matches.is_empty());
}

#[test]
fn the_same_search_gives_the_same_matches_in_the_same_order() {
    let twins =
        |id: &str| list(id, ["20", "10", "30"].map(|id| organisation(id, "Blue Falcon Shipping")).to_vec());
    let search = || {
        let screener = Screener::build(&[twins("b"), twins("a")]);
        screener.search(&business("Blue Falkon Shipping"), &SearchOptions::default()).matches
    };
    let found = search();
    let order: Vec<(&str, &str)> =
        found.iter().map(|found| (found.list.as_str(), found.entry_id.as_str())).collect();
    assert_eq!(order, [("a", "10"), ("a", "20"), ("a", "30"), ("b", "10"), ("b", "20"), ("b", "30")]);
    assert_eq!(found, search());
    let limited = Screener::build(&[twins("b"), twins("a")])
        .search(&business("Blue Falkon Shipping"), &SearchOptions { limit: 2, ..SearchOptions::default() });
    assert_eq!(limited.matches, found[..2]);
}

#[test]
fn an_index_without_lists_finds_nothing() {
    let mut party = business("Anybody");
    party.name = name("Anybody at All");
    let result = Screener::build(&[]).search(&party, &SearchOptions::default());
    assert!(result.matches.is_empty() && !result.candidates_truncated && result.candidates_scored == 0);
}

#[test]
fn a_name_written_without_vowels_finds_its_entry_in_latin_letters_and_the_other_way_round() {
    let listed = |id: &str, name: &str| entry(id, EntryKind::Person, name);
    let screener = Screener::build(&[list(
        "test",
        vec![
            listed("1", "AL-ZAWAHIRI, Ayman"),
            listed("2", "NASRALLAH, Hasan"),
            listed("3", "محمود الحمداني"),
            listed("4", "KOHEN, Binyamin"),
            listed("5", "KAMAL, Walid"),
        ],
    )]);
    let found = |text: &str| {
        let matches = screener.search(&person(text), &SearchOptions::default()).matches;
        matches.into_iter().map(|found| found.entry_id).collect::<Vec<_>>()
    };
    assert_eq!(found("أيمن الظواهري"), ["1"]);
    assert_eq!(found("الظواهري، أيمن"), ["1"]);
    assert_eq!(found("حسن نصر الله"), ["2"]);
    assert_eq!(found("Mahmoud al-Hamdani"), ["3"]);
    assert_eq!(found("בנימין כהן"), ["4"]);
    // Other consonants, another long vowel, and half a name.
    assert!(found("وليد جمال").is_empty());
    assert!(found("محمد الحمدان").is_empty());
    assert!(found("أيمن").is_empty());
    let first = screener.search(&person("أيمن الظواهري"), &SearchOptions::default()).matches.remove(0);
    assert!(first.features[0].detail.contains("written without vowels"), "{}", first.features[0].detail);
}
