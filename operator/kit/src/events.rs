//! Kubernetes events: what goes wrong, and that it is well again.
//!
//! What goes as it should stands in the status and makes no event: a thousand objects that are made would else make many
//! thousands, each a write as dear as any. Events follow from conditions that changed, so a restart, which changes none,
//! announces nothing.

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
/// So many objects' troubles are remembered; when there are more, all are forgotten, at the price of an event that says
/// something twice, or of none that says it is over.
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
    /// Whom it concerns.
    pub news: News,
}

/// Whom a change concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// Everybody: it is not as it should be.
    Trouble,
    /// Nobody: it is on its way.
    Expected,
    /// Whoever was told of trouble: it is over.
    Well,
}

/// What changed from one list of conditions to the next: an announcement for each condition whose status or reason is
/// another one. A message alone makes none, and neither does `Reconciling`, which comes and goes with every change.
/// `as_it_should` says whether a condition that was so, or was not there, should now be so.
pub fn changes_of_mind(
    before: &[Condition],
    after: &[Condition],
    as_it_should: impl Fn(Option<&Condition>, &Condition) -> bool,
) -> Vec<Announcement> {
    let changed = |now: &Condition| {
        let was = conditions::find(before, &now.type_);
        let same = was.is_some_and(|was| was.status == now.status && was.reason == now.reason);
        (now.type_ != RECONCILING && !same).then(|| announced(now, as_it_should(was, now)))
    };
    after.iter().filter_map(changed).collect()
}

fn announced(condition: &Condition, as_it_should: bool) -> Announcement {
    let bad = match condition.type_.as_str() {
        READY => condition.status == "False",
        STALLED => condition.status == "True",
        _ => false,
    };
    let news = match (as_it_should, condition.status == "True") {
        (false, _) => News::Trouble,
        (true, true) => News::Well,
        (true, false) => News::Expected,
    };
    Announcement {
        news,
        warning: bad && !as_it_should,
        reason: condition.reason.clone(),
        action: condition.type_.clone(),
        note: condition.message.clone(),
    }
}

/// Publishes announcements of trouble and of its end; what was said last about an object is not said again.
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
        match announcement.news {
            News::Trouble => last.insert(about, announcement.clone()).as_ref() != Some(announcement),
            News::Expected => false,
            News::Well => last.remove(&about).is_some(),
        }
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

    /// Works is as it should be, and so is whatever was not there before.
    fn fine(was: Option<&Condition>, now: &Condition) -> bool {
        now.reason == "Works" || was.is_none()
    }

    fn news(before: &[Condition], after: &[Condition]) -> Vec<(News, bool)> {
        changes_of_mind(before, after, fine).into_iter().map(|said| (said.news, said.warning)).collect()
    }

    #[test]
    fn trouble_is_a_warning_and_its_end_is_told() {
        let (works, broken) = (conditions(Is::True, "Works", ""), conditions(Is::False, "Broken", "needs 4"));
        assert_eq!(news(&works, &broken), [(News::Trouble, true)]);
        assert_eq!(news(&broken, &works), [(News::Well, false)]);
        assert_eq!(news(&[], &broken), [(News::Expected, false)]);
    }

    #[test]
    fn unchanged_conditions_and_another_message_announce_nothing() {
        let four = conditions(Is::False, "Broken", "needs 4");
        assert_eq!(news(&four, &four), []);
        assert_eq!(news(&four, &conditions(Is::False, "Broken", "needs 5")), []);
    }

    #[test]
    fn work_under_way_is_no_news() {
        let ready = Fact::new(READY, Is::True, "Works", "");
        let busy =
            ConditionSet::new(Some(1), ready).reconciling("Busy", "at it").onto(&[], Timestamp::UNIX_EPOCH);
        assert_eq!(news(&conditions(Is::True, "Works", ""), &busy), []);
    }

    #[test]
    fn a_note_is_cut_between_characters() {
        assert_eq!(cut("aü", 2), "a");
        assert_eq!(cut("aü", 3), "aü");
    }
}
