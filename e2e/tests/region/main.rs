//! A region of real pods from a clone to nothing: what `make demo` makes, what an administrator can get wrong there, a load that
//! makes it grow, a customer who leaves, and what is left at the end. Needs root; elsewhere it says so and passes.
//!
//! It is one test, since making the region takes longer than most of its promises. Each of them prints its name and its time.

mod administrator;
mod customer;
mod load;

use std::time::Instant;

use anyhow::ensure;
use kyb_e2e::{Demo, binaries::ensure_built};

#[tokio::test(flavor = "multi_thread")]
async fn a_region_comes_serves_scales_and_goes_without_a_trace() -> anyhow::Result<()> {
    // Where tests are static, as `make test` builds them, so are the programs under test, and images can be made of those.
    let programs = if cfg!(target_feature = "crt-static") { Some(ensure_built()?.to_owned()) } else { None };
    let Some(demo) = Demo::new("test-demo", programs)? else {
        eprintln!("skipped: a region on this machine needs root");
        return Ok(());
    };
    promise("the demo ends with everything ready and three right answers", || the_demo_works(&demo))?;
    promise("a second demo finds everything there", || the_demo_works(&demo))?;
    let door = customer::Door::open(&demo)?;
    promise("an image that can't be pulled is named, and what runs goes on", || {
        administrator::asks_for_an_image_that_is_not_there(&demo)
    })?;
    promise("a quota that forbids a pod is named, and what runs goes on", || {
        administrator::sets_a_quota_that_is_too_small(&demo)
    })?;
    promise("a database that does not answer is named, in its region only", || {
        administrator::names_a_database_that_is_not_there(&demo)
    })?;
    load::grows_under_load(&demo, &door).await?;
    promise("a protected customer stays", || customer::is_protected(&demo))?;
    customer::leaves(&demo, &door).await?;
    customer::is_erased(&demo)?;
    promise("the end leaves nothing", || leaves_nothing(&demo))
}

/// Runs one part of the story and says how long it took.
fn promise(what: &str, keep: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let begun = Instant::now();
    keep().map_err(|why| why.context(what.to_owned()))?;
    eprintln!("{:6.1} s  {what}", begun.elapsed().as_secs_f64());
    Ok(())
}

fn the_demo_works(demo: &Demo) -> anyhow::Result<()> {
    let said = demo.script("up")?;
    ensure!(said.contains("all three came out as they should"), "{said}");
    for kind in ["kybtenant/acme", "rd/us-east-1", "cachepolicy/default", "regionreport/us-east-1"] {
        let ready = demo.condition(kind, "Ready")?;
        ensure!(ready.status == "True", "{kind}: {ready:?}");
    }
    // Everything runs under Pod Security `restricted`, the operator too.
    demo.kubectl(&[
        "label",
        "namespace",
        "kyb-system",
        "kyb-us-east-1",
        "pod-security.kubernetes.io/enforce=restricted",
        "--overwrite",
    ])?;
    Ok(())
}

fn leaves_nothing(demo: &Demo) -> anyhow::Result<()> {
    ensure!(!demo.traces()?.is_empty(), "the look for traces sees a lab that is there");
    demo.script("down")?;
    let traces = demo.traces()?;
    ensure!(traces.is_empty(), "left behind: {traces:#?}");
    Ok(())
}
