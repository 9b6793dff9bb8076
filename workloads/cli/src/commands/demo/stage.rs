//! Where the scenes are played: a platform that answers, and a key for it.

use std::{path::PathBuf, time::Instant};

use anyhow::{Context as _, bail};
use kyb_domain::{
    business::BusinessProfile,
    screening::Match,
    verification::{Verification, VerificationRequest},
};
use serde_json::Value;

use super::cast::{Cast, Scene};
use crate::{lists, output, platform};

/// A platform, and who is asked about there.
pub(super) struct Stage {
    client: reqwest::Client,
    url: String,
    key: String,
    cast: Cast,
}

impl Stage {
    /// A platform at `url` (without a slash at its end) that screens against the lists in `folders`. Blocks.
    pub(super) fn new(url: &str, key: &str, folders: &[PathBuf]) -> anyhow::Result<Self> {
        let mut entries = vec![];
        for folder in folders {
            entries
                .extend(lists::read_folder(folder)?.into_iter().flat_map(|parsed| parsed.watchlist.entries));
        }
        Ok(Self {
            client: platform::client()?,
            url: url.to_owned(),
            key: key.to_owned(),
            cast: Cast::choose(&entries)?,
        })
    }

    /// Plays every scene; what did not come out as it should.
    pub(super) async fn play(&self) -> anyhow::Result<Vec<String>> {
        let mut surprises = vec![];
        for (number, scene) in (1..).zip(self.cast.scenes()) {
            let verification = self.ask(number, scene).await?;
            surprises.extend(surprise(scene, &verification));
        }
        self.show_watchlists().await?;
        Ok(surprises)
    }

    async fn ask(&self, number: u32, scene: &Scene) -> anyhow::Result<Verification> {
        let url = format!("{}/v1/verifications", self.url);
        let request = request(scene.business.clone());
        let body = serde_json::to_string_pretty(&request)?;
        output::print(|style| {
            let title = style.paint(output::Tone::Heading, &format!("{number}. {}", scene.title));
            format!("\n{title}\n\nPOST {url}\n{body}\n\n")
        })?;
        let begun = Instant::now();
        let answer = self
            .client
            .post(&url)
            .header("X-API-Key", &self.key)
            .header("Prefer", "wait=20")
            .json(&request)
            .send()
            .await?;
        let (status, took) = (answer.status(), begun.elapsed());
        let text = answer.text().await?;
        if status != reqwest::StatusCode::CREATED {
            bail!("the API answered {status}: {text}");
        }
        let verification: Verification =
            serde_json::from_str(&text).context("the answer is no verification")?;
        let shown = output::verification::text;
        output::print(|style| format!("{status}, {} ms\n{}", took.as_millis(), shown(&verification, style)))?;
        Ok(verification)
    }

    async fn show_watchlists(&self) -> anyhow::Result<()> {
        let url = format!("{}/v1/watchlists", self.url);
        let answer = self.client.get(&url).header("X-API-Key", &self.key).send().await?.error_for_status()?;
        let answer: Value = serde_json::from_str(&answer.text().await?)?;
        output::print(|style| {
            let title = style.paint(output::Tone::Heading, "The lists behind these answers");
            format!("\n{title}\n\nGET {url}\n{answer:#}\n")
        })
    }
}

fn request(business: BusinessProfile) -> VerificationRequest {
    VerificationRequest { business, business_id: None, reference: None }
}

/// What of the answer is not as the scene wants it.
fn surprise(scene: &Scene, verification: &Verification) -> Option<String> {
    let outcome = verification.decision().map(|decision| decision.outcome);
    let screening = verification.findings.as_ref().and_then(|findings| findings.screenings.first());
    let found: Vec<&str> = screening
        .iter()
        .flat_map(|s| s.matches.iter().map(|found: &Match| found.entry_id.as_str()))
        .collect();
    let codes = verification.findings.as_ref().map_or(0, |findings| findings.classification.results.len());
    if !outcome.is_some_and(|outcome| scene.outcomes.contains(&outcome)) {
        return Some(format!("`{}` was to be {:?} and is {outcome:?}", scene.business.name, scene.outcomes));
    }
    match &scene.entry {
        Some(entry) if !found.contains(&entry.as_str()) => {
            Some(format!("entry {entry} is not among the matches of `{}`", scene.business.name))
        }
        None if !found.is_empty() => {
            Some(format!("`{}` is on no list, but entry {} matched", scene.business.name, found[0]))
        }
        None if codes == 0 => Some(format!("`{}` got no industry code", scene.business.name)),
        _ => None,
    }
}
