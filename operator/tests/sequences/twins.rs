//! Twins of the oracles: what each is there to see is brought about, and it sees it.

use k8s_openapi::api::core::v1::ResourceQuota;
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use serde_json::{Value, json};

use crate::{
    change::{Change, changes, full_spec, laid_over, least_spec},
    ground::{Ground, needless_writes},
    hints,
    oracles::{Attempt, not_as_new, not_mended},
    schema::Kind,
    stand_in,
    state::{Children, State},
    subject::{Answer, Subject},
    values::Class,
};

#[tokio::test(flavor = "multi_thread")]
async fn each_oracle_sees_what_it_is_there_to_see() -> anyhow::Result<()> {
    let ground = Ground::start().await?;
    let client = ground.client.clone();
    tokio::select! {
        seen = see(ground) => seen,
        why = stand_in::work(&client) => Err(why),
    }
}

async fn see(mut ground: Ground) -> anyhow::Result<()> {
    let client = ground.client.clone();
    let mark = ground.mark().await?;
    let home = Subject { kind: Kind::RegionDeployment, name: hints::HOME.to_owned() };
    home.make(&client, &full_spec(Kind::RegionDeployment)).await?;
    let [one, other] =
        ["one", "two"].map(|name| Subject { kind: Kind::KybTenant, name: format!("s00000{name}") });
    let spec = least_spec(Kind::KybTenant);
    one.make(&client, &spec).await?;
    other.make(&client, &spec).await?;
    ground.rest().await?;
    assert_ne!(needless_writes(&ground.since(mark).await?), [""; 0], "making all this took writes");
    assert_eq!(ground.look_again(&[&home, &one, &other]).await?, [""; 0], "and looking at it takes none");

    let good = state(&one, &ground).await?;
    assert!(good.is_well(), "{:?}", good.complaints());
    assert_eq!(not_as_new(&good, &state(&other, &ground).await?), [""; 0]);
    judge_doctored_states(&good);

    let bad = laid_over(&spec, &hints::unusable(Kind::KybTenant)[0].2);
    one.change(&client, &bad).await?;
    ground.rest().await?;
    ground.stop_operator().await?;
    let mended = one.change(&client, &spec).await?;
    let stale = state(&one, &ground).await?;
    let complaints = not_mended(&mended, &good, &stale);
    assert!(
        complaints.iter().any(|it| it.contains("InvalidPolicy")),
        "nobody was there to mend it: {complaints:?}"
    );

    let quotas: Api<ResourceQuota> = Api::namespaced(client, "kyb-t-s00000two");
    let meddled = Patch::Merge(json!({"spec": {"hard": {"pods": "7"}}}));
    quotas.patch("kyb-tenant", &PatchParams::default(), &meddled).await?;
    let complaints = not_as_new(&good, &state(&other, &ground).await?);
    assert!(complaints[0].contains("ResourceQuota kyb-t-NAME kyb-tenant.spec.hard.pods"), "{complaints:?}");
    Ok(())
}

async fn state(subject: &Subject, ground: &Ground) -> anyhow::Result<State> {
    State::of(subject, &Children::read(&ground.client).await?, &ground.client).await
}

/// The first oracle, told that things happened which did not.
fn judge_doctored_states(good: &State) {
    let of_class = |class: Class| {
        let is =
            |change: &Change| change.class == class && change.place.to_string() == "KybTenant.displayName";
        changes(Kind::KybTenant).into_iter().find(is).unwrap()
    };
    let (valid, invalid) = (of_class(Class::Longest), of_class(Class::TooLong));
    let refused = Answer::Refused("no".to_owned());
    let complaints = |change: &Change, answer: &Answer, after: &State, is_paused: bool| {
        let rules = Vec::new();
        Attempt { change, broken_rules: rules, answer, before: good, after, is_paused }
            .complaints()
            .join("; ")
    };
    assert_eq!(complaints(&valid, &Answer::Taken, good, false), "");
    assert_eq!(complaints(&invalid, &refused, good, false), "");
    assert!(complaints(&invalid, &Answer::Taken, good, false).contains("taken, though invalid"));
    assert!(complaints(&valid, &refused, good, false).contains("refused, though valid"));

    let changed = doctored(good, |state| drop(state.children.pop_first()));
    assert!(complaints(&invalid, &refused, &changed, false).contains("is not there"), "it was refused");
    assert!(complaints(&valid, &Answer::Taken, &changed, true).contains("is not there"), "it was paused");
    assert_eq!(complaints(&valid, &Answer::Taken, &changed, false), "", "it was taken");

    let report = |state: &mut State, message: &str| {
        let bad = json!({"type": "Ready", "status": "False", "reason": "InvalidSpec", "message": message});
        state.status["conditions"] = Value::Array(vec![bad]);
    };
    let named = doctored(good, |state| report(state, "spec.displayName: too long"));
    assert_eq!(complaints(&valid, &Answer::Taken, &named, false), "");
    let unnamed = doctored(good, |state| report(state, "something is wrong"));
    assert!(
        complaints(&valid, &Answer::Taken, &unnamed, false)
            .contains("reported without a word of displayname")
    );
    let changing = doctored(&named, |state| drop(state.children.pop_first()));
    assert!(complaints(&valid, &Answer::Taken, &changing, false).contains("is not there"), "it was reported");
}

fn doctored(state: &State, change: impl FnOnce(&mut State)) -> State {
    let mut state = state.clone();
    change(&mut state);
    state
}
