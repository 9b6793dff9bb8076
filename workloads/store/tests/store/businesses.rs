//! Businesses are stored, changed under a revision, found and deleted.

use crate::support::{Database, MIGRATOR, RUNTIME, audit, business, now, profile, run, tenant};
use kyb_domain::{
    business::Business,
    identifier::{Identifier, IdentifierKind},
};
use kyb_store::{StoreError, TenantStore, Write, businesses::BusinessQuery};

fn by_text(text: &str) -> BusinessQuery {
    BusinessQuery { text: Some(text.to_owned()), limit: 50, ..BusinessQuery::default() }
}

async fn names(rows: &TenantStore, query: &BusinessQuery) -> Vec<String> {
    let page = rows.find_businesses(query).await.unwrap();
    page.businesses.iter().map(|business| business.profile.name.to_string()).collect()
}

async fn with_businesses(database: &Database<'_>, all: &[Business]) -> TenantStore {
    let rows = database.store().tenant(&tenant("acme"));
    for one in all {
        assert_eq!(rows.create_business(one, &audit(), None).await.unwrap(), Write::Done);
    }
    rows
}

#[tokio::test]
async fn a_business_is_read_as_it_was_written_and_gone_when_deleted() {
    let database = Database::fresh().await;
    let mut stored = business("Bäckerei Müller");
    stored.context = Some("lending".try_into().unwrap());
    let rows = with_businesses(&database, std::slice::from_ref(&stored)).await;
    assert_eq!(rows.business(stored.id).await.unwrap().as_ref(), Some(&stored));
    assert!(rows.delete_business(stored.id, &audit()).await.unwrap());
    assert!(!rows.delete_business(stored.id, &audit()).await.unwrap());
    assert_eq!(rows.business(stored.id).await.unwrap(), None);
    assert!(names(&rows, &by_text("muller")).await.is_empty());
}

#[tokio::test]
async fn an_update_needs_the_current_revision_and_moves_the_words_along() {
    let database = Database::fresh().await;
    let stored = business("Old Name");
    let rows = with_businesses(&database, std::slice::from_ref(&stored)).await;
    let later = now();
    let update = async |name, expected| {
        rows.update_business(stored.id, &profile(name), expected, &audit(), later).await
    };
    let updated = update("New Name", Some(1)).await.unwrap().unwrap();
    assert_eq!(
        updated,
        Business { profile: profile("New Name"), revision: 2, updated_at: later, ..stored.clone() }
    );
    assert!(matches!(update("Lost", Some(1)).await, Err(StoreError::Conflict)));
    assert_eq!(rows.business(stored.id).await.unwrap(), Some(updated));
    assert_eq!(update("Newest Name", None).await.unwrap().unwrap().revision, 3);
    assert!(names(&rows, &by_text("old")).await.is_empty());
    assert_eq!(names(&rows, &by_text("newest")).await, ["Newest Name"]);
    assert_eq!(rows.audit_events(0, 10).await.unwrap().len(), 3, "the refused update left no event");
    let nobody = business("Nobody").id;
    assert_eq!(rows.update_business(nobody, &profile("X"), None, &audit(), later).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_updates_of_one_revision_one_wins() {
    let database = Database::fresh().await;
    let stored = business("Acme");
    let rows = with_businesses(&database, std::slice::from_ref(&stored)).await;
    let updates = (0..20).map(|number| {
        let (rows, id) = (rows.clone(), stored.id);
        tokio::spawn(async move {
            rows.update_business(id, &profile(&format!("Acme {number}")), Some(1), &audit(), now()).await
        })
    });
    let results: Vec<_> = futures::future::join_all(updates).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert!(results.iter().all(|result| matches!(result, Ok(_) | Err(StoreError::Conflict))));
}

#[tokio::test]
async fn text_finds_all_words_in_any_order_nearest_name_first() {
    let database = Database::fresh().await;
    let mut trading = business("Holding 77");
    trading.profile.trading_names = vec!["Blumen Müller".try_into().unwrap()];
    let all = [
        business("Müller Blumen und Gärten GmbH"),
        business("Blumen Müller GmbH"),
        business("Müller Stahl"),
        trading,
    ];
    let rows = with_businesses(&database, &all).await;
    assert_eq!(
        names(&rows, &by_text("MULLER, blumen")).await,
        ["Blumen Müller GmbH", "Holding 77", "Müller Blumen und Gärten GmbH"]
    );
    assert!(names(&rows, &by_text("müller käse")).await.is_empty());
    assert!(
        names(&rows, &by_text(" ?! ")).await.is_empty(),
        "a text without words finds nothing, not everything"
    );
}

#[tokio::test]
async fn a_tax_number_is_found_in_any_spelling_and_only_by_its_tenant() {
    let database = Database::fresh().await;
    let mut stored = business("Acme");
    let identifier = |kind, value: &str| Identifier { kind, value: value.try_into().unwrap(), country: None };
    stored.profile.identifiers = vec![
        identifier(IdentifierKind::TaxId, "DE 123-456"),
        identifier(IdentifierKind::RegistryNumber, "HRB 99"),
    ];
    let rows = with_businesses(&database, &[stored, business("Acme Twin")]).await;
    let by_tax = |number: &str| BusinessQuery {
        tax_id: Some(number.to_owned()),
        limit: 5,
        ..BusinessQuery::default()
    };
    assert_eq!(names(&rows, &by_tax("de123456")).await, ["Acme"]);
    assert!(names(&rows, &by_tax("HRB99")).await.is_empty(), "a registry number is no tax number");
    assert!(names(&rows, &by_tax("--")).await.is_empty());
    let both = |text: &str| BusinessQuery { text: Some(text.to_owned()), ..by_tax("DE123456") };
    assert_eq!(names(&rows, &both("acme")).await, ["Acme"]);
    assert!(names(&rows, &both("twin")).await.is_empty(), "both must hold");
    let other = database.store().tenant(&tenant("other"));
    assert!(names(&other, &by_tax("DE123456")).await.is_empty());
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repetition() {
    let database = Database::fresh().await;
    let all: Vec<Business> = (0..23)
        .map(|number| {
            let mut one = business(&format!("Firm {number}{}", " x".repeat(number % 3)));
            one.context = (number % 2 == 0).then(|| "even".try_into().unwrap());
            one
        })
        .collect();
    let rows = with_businesses(&database, &all).await;
    for (text, context, expected) in
        [(None, None, 23), (Some("firm"), None, 23), (Some("firm"), Some("even"), 12)]
    {
        let mut query = BusinessQuery {
            text: text.map(str::to_owned),
            context: context.map(|name| name.try_into().unwrap()),
            limit: 5,
            ..BusinessQuery::default()
        };
        let mut seen = vec![];
        loop {
            let page = rows.find_businesses(&query).await.unwrap();
            query.after = page.businesses.last().map(|business| business.id);
            seen.extend(page.businesses.into_iter().map(|business| business.id));
            if !page.more {
                break;
            }
        }
        assert_eq!(seen.len(), expected);
        let newest_first = seen.windows(2).all(|pair| pair[0] > pair[1]);
        assert!(newest_first || text.is_some());
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), expected, "no repetition");
    }
}

/// Why the words stand in a table: the planner may use an index under row-level security only with leakproof operators.
#[tokio::test]
async fn words_are_found_by_index_under_row_level_security_and_a_gin_index_would_not_be_used() {
    let database = Database::fresh().await;
    with_businesses(&database, &[business("Acme")]).await;
    let gin = "ALTER TABLE kyb.businesses ADD COLUMN search tsvector;
        CREATE INDEX businesses_search ON kyb.businesses USING gin (search)";
    run(&mut database.connect(MIGRATOR).await, gin).await.unwrap();
    let by_word =
        plan(&database, "SELECT business_id FROM kyb.business_words WHERE word = ANY ('{acme,firm}')").await;
    assert!(by_word.contains("business_words_pkey") && by_word.contains("word = ANY"), "{by_word}");
    let full_text =
        plan(&database, "SELECT id FROM kyb.businesses WHERE search @@ to_tsquery('simple', 'acme')").await;
    assert!(
        !full_text.contains("businesses_search"),
        "PostgreSQL has learnt it; use the GIN index: {full_text}"
    );
}

async fn plan(database: &Database<'_>, query: &str) -> String {
    let mut connection = database.connect(RUNTIME).await;
    run(&mut connection, "SET enable_seqscan = off; SET kyb.tenant = 'acme'").await.unwrap();
    let explain = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("EXPLAIN {query}")));
    let lines: Vec<String> = explain.fetch_all(&mut connection).await.unwrap();
    lines.join("\n")
}
