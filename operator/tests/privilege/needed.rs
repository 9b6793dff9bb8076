//! Every grant of the chart is needed: taken away, it is missed by the scenario that the table names.

use std::{collections::BTreeSet, time::Duration};

use anyhow::ensure;

use crate::{
    grants::{Grant, Roles},
    here::Here,
    installation::here,
    stage::{REGION, Stage},
    table::{Row, table},
};

#[tokio::test(flavor = "multi_thread")]
async fn every_grant_is_missed_by_the_scenario_that_needs_it() -> anyhow::Result<()> {
    let (here, _turn) = here().await?;
    let roles = Roles::installed(&here).await?;
    let rows = table();
    let told: BTreeSet<_> = rows.iter().map(|row| row.grant.clone()).collect();
    assert_eq!(told.len(), rows.len(), "one row each");
    assert_eq!(told, roles.grants(), "the table and the chart's roles name the same grants");

    // In place of the kubelet, for a Job that comes anew.
    let kubelet = Here::of(here.installation).await?;
    let mut stage = Stage::set(here).await?;
    let tried = async {
        nothing_is_missed_where_nothing_is_missing(&rows, &mut stage).await?;
        let mut failed = Vec::new();
        for row in &rows {
            if let Err(why) = is_missed(row, &roles, &mut stage).await {
                failed.push(format!("{:?}: {why:#}", row.grant));
            }
        }
        assert_eq!(failed, [""; 0], "nobody misses these");
        Ok(())
    };
    tokio::select! {
        tried = tried => tried,
        why = kubelet.all_migrations_succeed(REGION) => Err(why),
    }
}

/// Takes the grant away, sees the scenario refused, and gives it back.
async fn is_missed(row: &Row, roles: &Roles, stage: &mut Stage) -> anyhow::Result<()> {
    row.prepare(stage).await?;
    roles.take(&stage.here, &row.grant, row.holder()).await?;
    let refused = row.is_refused(stage).await;
    roles.restore(&stage.here, &row.grant, row.holder()).await?;
    let words = refused?;
    println!("{:<22} {:<6} {:<30} {words:.120}", row.grant.role, row.grant.verb, row.grant.resource);
    Ok(())
}

/// The twin: with the grant in place the same scenario is not refused.
async fn nothing_is_missed_where_nothing_is_missing(rows: &[Row], stage: &mut Stage) -> anyhow::Result<()> {
    let patience = std::mem::replace(&mut stage.patience, Duration::from_secs(2));
    for row in rows.iter().filter(|row| row.grant.resource == "serviceaccounts" && row.is_of_a_child()) {
        row.prepare(stage).await?;
        let refused = row.is_refused(stage).await;
        ensure!(refused.is_err(), "{:?} is in place, and yet: {refused:?}", row.grant);
    }
    stage.patience = patience;
    Ok(())
}

/// docs/operations.md: a line of the table for each grant, in the part of its role.
#[test]
fn the_page_about_operations_tells_every_grant() -> anyhow::Result<()> {
    let page = std::fs::read_to_string("../docs/operations.md")?;
    let lines: Vec<&str> = page.lines().filter(|line| line.starts_with("| ")).collect();
    let untold = |grant: &Grant| {
        let quoted = |word: &str| format!("`{word}`");
        let begin = lines.iter().position(|line| line.starts_with(&format!("| {} |", quoted(&grant.role))));
        let of_role = lines.iter().skip(begin.unwrap_or(lines.len()));
        let of_role =
            of_role.take_while(|line| line.starts_with("| | ") || line.contains(&quoted(&grant.role)));
        let words = [&grant.verb, &grant.resource, &grant.name].map(|word| quoted(word));
        !of_role.into_iter().any(|line| words.iter().all(|word| word == "``" || line.contains(word)))
    };
    let untold: Vec<_> = table().into_iter().map(|row| row.grant).filter(untold).collect();
    assert_eq!(untold, [], "not in docs/operations.md");
    Ok(())
}
