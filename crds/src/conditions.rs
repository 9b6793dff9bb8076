//! Condition types and reasons of every kind: what stands in `status.conditions`.
//!
//! `Ready` is always there. `Reconciling` and `Stalled` are there only while true, so that `kubectl wait`, Helm, Flux and
//! Argo CD agree about what they see (the kstatus convention). Each further type is one concern, so that a bad one does not
//! hide that the others are well.

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant),+
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// As written in a condition.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($variant)),+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// The type of a condition.
    ConditionType {
        /// It works, not only: it was written.
        Ready,
        /// The operator is on the way to what the spec wants. Only while true.
        Reconciling,
        /// Nothing will get better until somebody does something. Only while true.
        Stalled,
        /// Tenant: its namespaces exist and are ours, with quota, limits, network policies and role bindings.
        NamespacesReady,
        /// Tenant: role bindings and service accounts are in place.
        AccessReady,
        /// Tenant: its API keys are derived or read, and their Secrets written.
        KeysReady,
        /// Tenant: its rules compile.
        PolicyValid,
        /// Tenant, region, cache policy: every running gateway uses the newest settings.
        SettingsDelivered,
        /// Tenant under deletion with `data: Erase`: its data is erased. Never true: then the tenant is gone.
        Erased,
        /// Region: the development database runs; or the worker reaches one's own.
        DatabaseReady,
        /// Region: the tables are those of the wanted version.
        Migrated,
        /// Region: the development Redis runs. One's own is not looked after.
        RedisReady,
        /// Region: enough gateways of the wanted version are ready.
        GatewayReady,
        /// Region: enough workers of the wanted version are ready.
        WorkerReady,
        /// Region: its pods could be made from newer templates. Only while true; a region is ready with older ones, too.
        TemplateUpdateAvailable,
        /// Region: every wanted watchlist is in use and fresh.
        WatchlistsFresh,
        /// The operator may not watch a kind any more, so what is said may be out of date. Only while false.
        Observed,
        /// Cache policy: the observed hit rate is the wanted one or better.
        HitRateReached,
    }
}

words! {
    /// Why a condition is as it is. For machines; the message is for people.
    Reason {
        /// Everything is as wanted.
        Ready,
        /// Written, and waited for until it works.
        Progressing,
        /// `spec.paused` is true.
        Paused,
        /// The object is being deleted, and a finalizer of somebody else's holds it.
        Deleting,
        /// Something went wrong that may go by itself; it is tried again.
        Retrying,
        /// The spec contradicts itself or its surroundings.
        InvalidSpec,
        /// A rule of the verification policy does not compile.
        InvalidPolicy,
        /// An object of that name exists and is not ours; it is left alone.
        NotOwned,
        /// Another RegionDeployment serves the region already.
        DuplicateRegion,
        /// Another KybTenant has the id already.
        DuplicateTenant,
        /// The namespace does not carry the label of the region.
        NamespaceNotLabelled,
        /// Where an administrator makes the tenant's namespaces: one is missing, is not labelled, or is not looked after.
        NamespaceNotPrepared,
        /// No region of this cluster may serve the tenant.
        NoRegion,
        /// The region's residency is not the tenant's.
        ResidencyMismatch,
        /// An object that is referred to does not exist.
        ReferenceNotFound,
        /// A Secret that is referred to does not exist.
        SecretNotFound,
        /// A Secret exists but lacks the key.
        SecretKeyNotFound,
        /// What a Secret holds is not usable.
        SecretInvalid,
        /// The API server does not let the operator do it.
        Forbidden,
        /// A quota leaves no room for it.
        QuotaExceeded,
        /// The API server refuses the object.
        Rejected,
        /// Nobody answers at the database's address, or it refuses the credentials.
        DatabaseUnreachable,
        /// The migration runs.
        Migrating,
        /// The migration failed.
        MigrationFailed,
        /// An image can not be pulled.
        ImagePullFailed,
        /// A container ends again and again.
        CrashLooping,
        /// No node has room for a pod.
        Unschedulable,
        /// Not enough pods are ready.
        ReplicasUnavailable,
        /// A workload refuses a file of its settings: the region's own, or the tenant's.
        SettingsRefused,
        /// Some workload does not use the newest settings yet.
        SettingsPending,
        /// No workload has said anything yet, or no worker runs that could.
        NoReport,
        /// The operator knows newer pod templates than those in use.
        NewerTemplates,
        /// A watchlist is stale or missing.
        WatchlistsStale,
        /// No watchlist is configured.
        NoWatchlists,
        /// The hit rate is below its target.
        HitRateBelowTarget,
        /// Nobody uses the object.
        NotUsed,
        /// A kind of another project is not installed.
        KindNotInstalled,
        /// The object is being deleted, and the worker is erasing the tenant's data.
        Erasing,
        /// Not asked for.
        NotConfigured,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_kubernetes_takes_for_a_reason() {
        let words =
            ConditionType::ALL.iter().map(|t| t.as_str()).chain(Reason::ALL.iter().map(|r| r.as_str()));
        for word in words {
            assert!(word.starts_with(|c: char| c.is_ascii_uppercase()), "{word}");
            assert!(word.chars().all(|c| c.is_ascii_alphanumeric()) && word.len() <= 63, "{word}");
        }
    }

    #[test]
    fn the_page_about_kinds_names_every_word() {
        let page = include_str!("../../docs/kinds/README.md");
        let words =
            ConditionType::ALL.iter().map(|t| t.as_str()).chain(Reason::ALL.iter().map(|r| r.as_str()));
        let missing: Vec<_> = words.filter(|word| !page.contains(&format!("`{word}`"))).collect();
        assert_eq!(missing, Vec::<&str>::new());
    }

    #[test]
    fn the_page_about_operations_explains_every_reason_once_and_no_other() {
        let page = include_str!("../../docs/operations.md");
        let tables =
            page.split("## Reasons").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap_or_default();
        let rows = tables.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
        let mut explained: Vec<_> = rows.collect();
        let mut known: Vec<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
        explained.sort_unstable();
        known.sort_unstable();
        assert_eq!(explained, known);
    }
}
