//! Migrating is safe to repeat and to do from several places at once.

use crate::support::{Database, MIGRATOR, run};
use kyb_store::setup;

#[tokio::test]
async fn bootstrap_and_migrate_may_be_repeated() {
    let database = Database::fresh().await;
    database.bootstrap().await;
    setup::migrate(&database.url(MIGRATOR)).await.unwrap();
    database.store().check().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn several_migrators_at_once_leave_one_schema() {
    let database = Database::fresh().await;
    run(&mut database.connect(MIGRATOR).await, "DROP SCHEMA kyb CASCADE").await.unwrap();
    let migrators = (0..6).map(|_| {
        let url = database.url(MIGRATOR);
        tokio::spawn(async move { setup::migrate(&url).await })
    });
    for done in futures::future::join_all(migrators).await {
        done.unwrap().unwrap();
    }
    database.store().check().await.unwrap();
}

#[tokio::test]
async fn the_migrator_owns_everything_in_the_schema() {
    let database = Database::fresh().await;
    let others: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'kyb'::regnamespace AND relowner <> 'kyb_migrator'::regrole
         UNION SELECT proname::text FROM pg_proc WHERE pronamespace = 'kyb'::regnamespace AND proowner <> 'kyb_migrator'::regrole",
    )
    .fetch_all(&mut database.superuser().await)
    .await
    .unwrap();
    assert_eq!(others, [""; 0]);
}

#[tokio::test]
async fn no_function_runs_with_its_owners_rights() {
    let database = Database::fresh().await;
    let definers: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM pg_proc WHERE pronamespace = 'kyb'::regnamespace AND prosecdef",
    )
    .fetch_one(&mut database.superuser().await)
    .await
    .unwrap();
    assert_eq!(definers, 0);
}
