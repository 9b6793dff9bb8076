//! The settings that hold for every tenant of the region.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use kyb_crds::{CachePolicySpec, Environment, Period, Reason, WatchlistFormat, WatchlistSource, names};
use kyb_domain::list::{ListFormat, ListId};
use kyb_kit::Live;
use kyb_settings::files::{
    CacheClassFile, CacheFile, CacheMemoryFile, CachePriority, ListFile, PLATFORM_FILE, PlatformFile,
    SourceFile,
};

use super::workload::object_meta;
use crate::{
    concern::Problem,
    controllers::region::{dereference::CacheRules, validate::ValidRegion},
};

/// How often a list is read where the spec says nothing.
const REFRESH: &str = "1h";
/// How long a list counts as fresh where the spec says nothing.
const MAX_AGE: &str = "24h";

/// The ConfigMap of `platform.yaml`.
pub(super) fn config_map(region: &ValidRegion, cache: Option<&CacheRules>) -> Result<ConfigMap, Problem> {
    // The schema refuses plain HTTP in production.
    let plain_http = region.environment != Environment::Production;
    let file = PlatformFile {
        lists: region.watchlists.iter().map(|source| list(source, plain_http)).collect::<Result<_, _>>()?,
        cache: match cache {
            Some(CacheRules::Policy(policy)) => Some(cache_file(policy)?),
            Some(CacheRules::Standing(standing)) => standing.clone(),
            None => None,
        },
        region: Some(region.region.clone()),
        residency: Some(region.residency.clone().try_into().map_err(|why| invalid("residency", &why))?),
    };
    // What the workloads would refuse is refused here, where the one who wrote it sees it.
    kyb_settings::Snapshot::of(&file, &[], std::path::Path::new("/")).map_err(|why| {
        Problem::new(Reason::InvalidSpec, format!("the settings would be refused: {}", why.problem))
    })?;
    let text = serde_yaml::to_string(&file).map_err(|why| invalid("watchlists", &why))?;
    let mut metadata = object_meta(region, names::PLATFORM_CONFIG_MAP, "settings");
    metadata
        .labels
        .get_or_insert_default()
        .insert(names::SETTINGS_LABEL.to_owned(), names::SETTINGS_PLATFORM.to_owned());
    Ok(ConfigMap {
        metadata,
        data: Some(BTreeMap::from([(PLATFORM_FILE.to_owned(), text)])),
        ..ConfigMap::default()
    })
}

fn list(source: &WatchlistSource, plain_http: bool) -> Result<ListFile, Problem> {
    let urls = source.file_urls();
    let plain = plain_http && urls.iter().any(|url| url.starts_with("http://"));
    let default = |period: &Option<Period>, default: &str| period.clone().unwrap_or_else(|| default.into());
    Ok(ListFile {
        id: ListId::try_from(source.name.as_str()).map_err(|why| invalid("watchlists", &why))?,
        format: match source.format {
            WatchlistFormat::OfacCsv => ListFormat::OfacCsv,
            WatchlistFormat::OfacXml => ListFormat::OfacXml,
            WatchlistFormat::EuXml => ListFormat::EuXml,
            WatchlistFormat::UkCsv => ListFormat::UkCsv,
            WatchlistFormat::UkXml => ListFormat::UkXml,
            WatchlistFormat::UnXml => ListFormat::UnXml,
            WatchlistFormat::OpenSanctions => ListFormat::OpenSanctions,
            WatchlistFormat::Senzing => ListFormat::Senzing,
            WatchlistFormat::OwnCsv => ListFormat::OwnCsv,
        },
        source: SourceFile { urls, plain_http: plain, directory: None },
        refresh: period(&default(&source.refresh, REFRESH), "watchlists.refresh")?,
        max_age: period(&default(&source.max_age, MAX_AGE), "watchlists.maxAge")?,
        accept_shrink: source.accept_shrink.as_ref().map(ToString::to_string),
    })
}

/// What the workloads of a namespace may keep, as it is written in their settings now.
pub(crate) fn written_cache(live: &Live, namespace: &str) -> Option<CacheFile> {
    let map: ConfigMap = live.typed(Some(namespace), names::PLATFORM_CONFIG_MAP)?;
    let file: PlatformFile = serde_yaml::from_str(&map.data?.remove(PLATFORM_FILE)?).ok()?;
    file.cache
}

/// A policy as the settings have it.
pub(crate) fn cache_file(policy: &CachePolicySpec) -> Result<CacheFile, Problem> {
    let class = |class: &kyb_crds::CacheClassSpec| -> Result<CacheClassFile, Problem> {
        Ok(CacheClassFile {
            name: class_name(class.name)?,
            ttl: period(&class.ttl, "classes.ttl")?,
            priority: match class.priority.unwrap_or(kyb_crds::CachePriority::Normal) {
                kyb_crds::CachePriority::Low => CachePriority::Low,
                kyb_crds::CachePriority::Normal => CachePriority::Normal,
                kyb_crds::CachePriority::High => CachePriority::High,
            },
            enabled: true,
        })
    };
    let memory = policy.memory.clone().unwrap_or_default();
    let default = CacheMemoryFile::default();
    Ok(CacheFile {
        classes: policy.classes.iter().map(class).collect::<Result<_, _>>()?,
        memory: CacheMemoryFile {
            max_entries: memory
                .max_entries
                .map_or(default.max_entries, |most| u64::try_from(most).unwrap_or(0)),
            ttl: memory.ttl.map_or(Ok(default.ttl), |ttl| period(&ttl, "memory.ttl"))?,
        },
        hit_rate_target_percent: policy
            .hit_rate_target_percent
            .and_then(|percent| u8::try_from(percent).ok()),
    })
}

/// A class is written in the settings as in the spec.
fn class_name(class: kyb_crds::CacheClass) -> Result<String, Problem> {
    match serde_json::to_value(class) {
        Ok(serde_json::Value::String(name)) => Ok(name),
        _ => Err(Problem::new(Reason::InvalidSpec, "spec.classes: a class without a name")),
    }
}

fn period(text: &Period, field: &str) -> Result<kyb_settings::period::Period, Problem> {
    let length = text.parse().map_err(|why| invalid(field, &why))?;
    Ok(kyb_settings::period::Period::from_secs(length.as_secs()))
}

fn invalid(field: &str, why: &dyn std::fmt::Display) -> Problem {
    Problem::new(Reason::InvalidSpec, format!("spec.{field}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_called_in_the_settings_as_in_the_spec() {
        assert_eq!(class_name(kyb_crds::CacheClass::Classification), Ok("classification".to_owned()));
        assert_eq!(class_name(kyb_crds::CacheClass::Risk), Ok("risk".to_owned()));
    }
}
