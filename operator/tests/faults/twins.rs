//! That the harness would notice: each test seeds what a check is there for, and sees it found.

use std::time::Duration;

use kyb_faults::{Fault, Plan, Point, Target, Verb};
use serde_json::json;

use crate::{
    oracle::SCOPE,
    run::{Reference, Runner, Verdict},
    scenario::{self, Act, Step, Story},
    stage::Stage,
};

/// How long a scope may take here; none of these comes to rest.
const PATIENCE: Duration = Duration::from_secs(12);
const POLICY: &str = "/apis/networking.k8s.io/v1/namespaces/kyb-t-SCOPE/networkpolicies/kyb-deny-all";

/// A tenant, with how it is made when nothing goes wrong.
struct Made {
    runner: Runner,
    story: Story,
    references: Vec<Reference>,
}

impl Made {
    /// Makes a tenant under a plan, and `also` does something.
    async fn again(&self, plan: Option<Plan>, also: &[Act]) -> anyhow::Result<Vec<String>> {
        let scope = self.runner.scope();
        let first = &self.story.steps[0];
        let step = Step { acts: [&first.acts, also].concat(), ..first.clone() };
        let verdict = self.runner.step(&step, &self.references[0], plan.as_ref(), &scope).await;
        self.runner.leave(&self.story, &scope).await?;
        Ok(match verdict {
            Verdict::Diverged(how) => how,
            _ => Vec::new(),
        })
    }
}

fn apply_of(group: &str, resource: &str, name: &str) -> Target {
    Target {
        verb: Verb::Patch,
        group: group.to_owned(),
        resource: resource.to_owned(),
        namespace: Some(format!("kyb-t-{SCOPE}")),
        name: Some(name.to_owned()),
        subresource: None,
    }
}

fn has(lines: &[String], part: &str) -> bool {
    lines.iter().any(|line| line.contains(part))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_each_check_is_there_for_is_found() -> anyhow::Result<()> {
    let (stage, operator) = Stage::with_operator().await?;
    let runner = Runner::new(&stage).patient_for(PATIENCE);
    let story = scenario::coming_and_going();
    let references = runner.reference(&story).await?;
    let made = Made { runner, story, references };

    let (nothing, vanished, refused, twice, edited) = futures::join!(
        made.again(None, &[]),
        made.again(Some(vanished()), &[]),
        made.again(Some(refused_for_good()), &[]),
        made.again(None, &[Act::Wait(POLICY), Act::Delete(POLICY)]),
        edited_for_ever(&made),
    );
    assert_eq!(nothing?, [""; 0], "nothing is found where nothing is wrong");
    let vanished = vanished?;
    assert!(
        has(&vanished, "NetworkPolicy kyb-t-SCOPE/kyb-deny-all is missing"),
        "a write that vanished: {vanished:#?}"
    );
    let refused = refused?;
    assert!(has(&refused, ".status.conditions"), "a bad condition that stays: {refused:#?}");
    let twice = twice?;
    assert!(
        has(&twice, "made 2 times instead of 1: get networkpolicies"),
        "an object made once more: {twice:#?}"
    );
    let edited = edited?;
    assert!(
        has(&edited, "goes on changing") || has(&edited, "policyTypes"),
        "writes without end: {edited:#?}"
    );
    operator.end().await?;
    Ok(())
}

/// The server says that it has written, and has not.
fn vanished() -> Plan {
    Plan::once(
        Fault::Vanished,
        Point::About(apply_of("networking.k8s.io", "networkpolicies", "kyb-deny-all"), 1),
    )
}

/// A fault that does not pass.
fn refused_for_good() -> Plan {
    Plan::always(Fault::Forbidden, Point::About(apply_of("", "limitranges", "kyb-tenant"), 1))
}

/// Somebody who never leaves an object alone, so that the operator writes and writes.
async fn edited_for_ever(made: &Made) -> anyhow::Result<Vec<String>> {
    let edit = Act::Change(POLICY, json!({"spec": {"policyTypes": ["Ingress"]}}));
    let scope = made.runner.scope();
    let step = &made.story.steps[0];
    let edits = async {
        loop {
            let _ = edit.done(made.runner.client(), &scope).await; // not there yet at first
            tokio::time::sleep(Duration::from_millis(700)).await; // its pace
        }
    };
    let verdict = tokio::select! {
        verdict = made.runner.step(step, &made.references[0], None, &scope) => verdict,
        () = edits => Verdict::Same,
    };
    made.runner.leave(&made.story, &scope).await?;
    Ok(match verdict {
        Verdict::Diverged(how) => how,
        _ => Vec::new(),
    })
}
