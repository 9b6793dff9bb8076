//! The lists as they stand, and whether they can be trusted.

use std::sync::Arc;

use kyb_domain::{
    list::ListState,
    reason::{Reason, ReasonCode},
};
use kyb_screening::Screener;

/// The lists as they stand at one moment: the index, and how fresh each wanted list is. Swapped as one.
pub struct Watchlists {
    /// The index over the lists that are loaded; shared, since freshness changes oftener than the lists.
    pub screener: Arc<Screener>,
    /// Every wanted list, loaded or not.
    pub states: Vec<ListState>,
}

/// The reasons for which a screening's lists can't be trusted to be whole and current; empty when all is well. No list at all is
/// not well: nothing was searched.
pub fn list_problems(states: &[ListState]) -> Vec<Reason> {
    if states.is_empty() {
        let text = "No watchlist is configured or was asked for, so nothing was searched.";
        return vec![Reason::new(ReasonCode::LIST_MISSING, text)];
    }
    states.iter().filter_map(list_problem).collect()
}

fn list_problem(state: &ListState) -> Option<Reason> {
    let why = state
        .stale
        .as_ref()
        .map(|stale| format!(" {}.", stale.why.trim_end_matches('.')))
        .unwrap_or_default();
    let Some(version) = &state.version else {
        let text =
            format!("List `{}` was never read, so its entries could not be searched.{why}", state.list);
        return Some(Reason::new(ReasonCode::LIST_MISSING, text));
    };
    state.stale.as_ref()?;
    let text =
        format!("List `{}` is not current; version {} was searched.{why}", state.list, version.label());
    Some(Reason::new(ReasonCode::LIST_STALE, text))
}
