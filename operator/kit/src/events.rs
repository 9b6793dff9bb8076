//! Kubernetes events: one for each change of mind.
//!
//! Events follow from conditions that changed, so a restart, which changes none, announces nothing.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use k8s_openapi::{api::core::v1::ObjectReference, apimachinery::pkg::apis::meta::v1::Condition};
use kube::{
    Client,
    runtime::events::{Event, EventType, Recorder, Reporter},
};

use crate::conditions::{self, READY, RECONCILING, STALLED};

/// The longest reason and action that the API takes, in bytes (`events.k8s.io/v1`).
const LONGEST_REASON: usize = 128;
/// The longest note that the API takes, in bytes.
const LONGEST_NOTE: usize = 1024;
/// So many objects' last events are remembered; when there are more, all are forgotten, at the price of an event that
/// says something twice.
const MOST_REMEMBERED: usize = 50_000;

/// Something worth telling whoever looks at the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// Whether somebody should look at it.
    pub warning: bool,
    /// CamelCase, from the operator's own enum; at most 128 bytes.
    pub reason: String,
    /// What was being done, CamelCase; at most 128 bytes.
    pub action: String,
    /// For people; cut after 1024 bytes.
    pub note: String,
}

/// What changed from one list of conditions to the next: an announcement for each condition whose status or reason is
/// another one. A message alone makes none, and neither does `Reconciling`, which comes and goes with every change.
pub fn changes_of_mind(before: &[Condition], after: &[Condition]) -> Vec<Announcement> {
    let changed = |now: &&Condition| {
        let was = conditions::find(before, &now.type_);
        now.type_ != RECONCILING && was.is_none_or(|was| was.status != now.status || was.reason != now.reason)
    };
    after.iter().filter(changed).map(announced).collect()
}

fn announced(condition: &Condition) -> Announcement {
    let bad = match condition.type_.as_str() {
        READY => condition.status == "False",
        STALLED => condition.status == "True",
        _ => false,
    };
    Announcement {
        warning: bad,
        reason: condition.reason.clone(),
        action: condition.type_.clone(),
        note: condition.message.clone(),
    }
}

/// Publishes announcements; what was said last about an object is not said again.
#[derive(Clone)]
pub struct Announcer {
    recorder: Recorder,
    last: Arc<Mutex<HashMap<(String, String), Announcement>>>,
}

impl Announcer {
    /// `controller` is the reporting controller's name, for example `kyb.dev/operator`; `instance` the pod's name.
    pub fn new(client: Client, controller: &str, instance: Option<String>) -> Self {
        let reporter = Reporter { controller: controller.to_owned(), instance };
        Self { recorder: Recorder::new(client, reporter), last: Arc::default() }
    }

    /// Publishes those announcements that are news about `object`. An event that can't be written is logged and lost:
    /// the conditions say the same.
    pub async fn announce(&self, object: &ObjectReference, announcements: &[Announcement]) {
        for announcement in announcements {
            if !self.is_news(object, announcement) {
                continue;
            }
            if let Err(error) = self.recorder.publish(&event(announcement), object).await {
                let name = object.name.as_deref().unwrap_or_default();
                tracing::warn!(%error, reason = announcement.reason, object = name, "an event could not be written");
            }
        }
    }

    fn is_news(&self, object: &ObjectReference, announcement: &Announcement) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.len() >= MOST_REMEMBERED {
            last.clear();
        }
        let about = (object.uid.clone().unwrap_or_default(), announcement.action.clone());
        last.insert(about, announcement.clone()).as_ref() != Some(announcement)
    }
}

fn event(announcement: &Announcement) -> Event {
    Event {
        type_: if announcement.warning { EventType::Warning } else { EventType::Normal },
        reason: cut(&announcement.reason, LONGEST_REASON),
        action: cut(&announcement.action, LONGEST_REASON),
        note: Some(cut(&announcement.note, LONGEST_NOTE)),
        secondary: None,
    }
}

/// The start of `text`, at most `bytes` long.
fn cut(text: &str, bytes: usize) -> String {
    text[..text.floor_char_boundary(bytes)].to_owned()
}

#[cfg(test)]
mod tests {
    use k8s_openapi::jiff::Timestamp;

    use super::*;
    use crate::conditions::{ConditionSet, Fact, Is};

    fn conditions(is: Is, reason: &str, message: &str) -> Vec<Condition> {
        ConditionSet::new(Some(1), Fact::new(READY, is, reason, message)).onto(&[], Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_changed_status_or_reason_is_announced_and_a_message_is_not() {
        let before = conditions(Is::False, "QuotaExceeded", "needs 4");
        assert_eq!(changes_of_mind(&before, &conditions(Is::False, "QuotaExceeded", "needs 5")), []);
        let after = conditions(Is::True, "Works", "all is well");
        let expected = Announcement {
            warning: false,
            reason: "Works".into(),
            action: READY.into(),
            note: "all is well".into(),
        };
        assert_eq!(changes_of_mind(&before, &after), [expected]);
        assert!(changes_of_mind(&[], &before)[0].warning);
    }

    #[test]
    fn unchanged_conditions_announce_nothing() {
        let same = conditions(Is::True, "Works", "all is well");
        assert_eq!(changes_of_mind(&same, &same), []);
    }

    #[test]
    fn work_under_way_is_no_news() {
        let ready = Fact::new(READY, Is::True, "Works", "");
        let busy =
            ConditionSet::new(Some(1), ready).reconciling("Busy", "at it").onto(&[], Timestamp::UNIX_EPOCH);
        assert_eq!(changes_of_mind(&conditions(Is::True, "Works", ""), &busy), []);
    }

    #[test]
    fn a_note_is_cut_between_characters() {
        assert_eq!(cut("aü", 2), "a");
        assert_eq!(cut("aü", 3), "aü");
    }
}
