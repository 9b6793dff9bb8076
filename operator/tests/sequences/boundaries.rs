//! Every value of every field, asked of a real API server: it takes what the schema takes, and refuses what it refuses.

use std::time::{Duration, Instant};

use anyhow::ensure;
use futures::{StreamExt as _, stream};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
};
use serde_json::{Value, json};

use crate::{
    change::{Change, changes, full_spec, laid_over},
    ground::{AT_A_TIME, Ground},
    schema::Kind,
    subject::{Answer, Subject},
};

/// How soon a changed definition is in force.
const IN_FORCE_WITHIN: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn the_api_server_takes_and_refuses_every_value_as_its_schema_says() -> anyhow::Result<()> {
    let ground = Ground::without_operator().await?;
    let mut tried = 0;
    for kind in Kind::ALL {
        let subject = subject(kind, "boundaries");
        subject.make_its_place(&ground.client).await?;
        let (asked, complaints) = ask(&ground.client, &subject).await?;
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
        tried += asked;
    }
    println!("{tried} values were asked for");
    twin(&ground.client, &subject(Kind::CachePolicy, "boundaries")).await
}

/// The twin: an API server whose definition lets everything in takes what it should refuse, and that is seen.
async fn twin(client: &Client, subject: &Subject) -> anyhow::Result<()> {
    let anything = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let mut definition = serde_json::to_value(kyb_crds::schema::definition::<kyb_crds::CachePolicy>())?;
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = anything;
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    let loose = Patch::Merge(json!({"spec": {"versions": definition["spec"]["versions"]}}));
    definitions.patch("cachepolicies.kyb.dev", &PatchParams::default(), &loose).await?;
    let began = Instant::now();
    let invalid = json!({"hitRateTargetPercent": 101});
    while subject.could_be_made(client, &invalid).await? != Answer::Taken {
        ensure!(began.elapsed() < IN_FORCE_WITHIN, "the loose definition is not in force");
        tokio::time::sleep(Duration::from_millis(100)).await; // between two looks
    }
    let (_, complaints) = ask(client, subject).await?;
    let invalid = changes(subject.kind).iter().filter(|change| !change.class.is_taken()).count();
    assert_eq!(complaints.len(), invalid, "{complaints:#?}");
    Ok(())
}

fn subject(kind: Kind, name: &str) -> Subject {
    Subject { kind, name: name.to_owned() }
}

/// Asks for every change of a kind; how many, and what the API server answered wrongly.
async fn ask(client: &Client, subject: &Subject) -> anyhow::Result<(usize, Vec<String>)> {
    let changes = changes(subject.kind);
    let asked = changes.iter().enumerate().map(|(number, change)| async move {
        let answer = answer(client, subject, number, change).await?;
        anyhow::Ok(complaint(change, &answer))
    });
    let answers: Vec<_> = stream::iter(asked).buffer_unordered(AT_A_TIME).collect().await;
    let complaints = answers.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    Ok((changes.len(), complaints.into_iter().flatten().collect()))
}

async fn answer(
    client: &Client,
    subject: &Subject,
    number: usize,
    change: &Change,
) -> anyhow::Result<Answer> {
    let full = full_spec(subject.kind);
    match change.breaks() {
        // A rule about a change needs an object that is changed.
        Some((rule, before)) if is_about_changes(subject.kind.spec(), rule) => {
            let changing = self::subject(subject.kind, &format!("changing-{number}"));
            let before = laid_over(&full, &before);
            changing.make_bare(client, &before).await?;
            changing.change(client, &change.of_spec(&before)).await
        }
        _ => subject.could_be_made(client, &change.of_spec(&full)).await,
    }
}

fn is_about_changes(schema: &Value, message: &str) -> bool {
    match schema {
        Value::Object(fields) if fields.get("message").is_some_and(|it| it == message) => {
            fields.get("rule").and_then(Value::as_str).is_some_and(|rule| rule.contains("oldSelf"))
        }
        Value::Object(fields) => fields.values().any(|field| is_about_changes(field, message)),
        Value::Array(items) => items.iter().any(|item| is_about_changes(item, message)),
        _ => false,
    }
}

fn complaint(change: &Change, answer: &Answer) -> Option<String> {
    match (answer, change.breaks()) {
        (Answer::Taken, _) if change.class.is_taken() => None,
        (Answer::Taken, _) => Some(format!("{change}: taken")),
        (Answer::Refused(why), _) if change.class.is_taken() => Some(format!("{change}: refused: {why}")),
        (Answer::Refused(why), Some((rule, _))) if !why.contains(rule) => {
            Some(format!("{change}: refused for another reason: {why}"))
        }
        (Answer::Refused(_), _) => None,
    }
}
