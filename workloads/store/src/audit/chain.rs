//! The hash of an event, computed without the database. `kyb.audit_hash` (migrations/0004_audit.sql) must agree.

use sha2::{Digest as _, Sha256};

use super::EventRow;

/// The end of the part of a chain that was found sound.
#[derive(Default)]
pub(super) struct End {
    sequence: i64,
    hash: [u8; 32],
}

impl End {
    /// The last sound event, 0 before the first.
    pub(super) fn sequence(&self) -> i64 {
        self.sequence
    }

    /// The chain with one more event, or `None` where the event does not fit: out of sequence, tied to another
    /// predecessor, or not what was hashed.
    pub(super) fn follow(&self, event: &EventRow) -> Option<Self> {
        let hash = hash(event);
        let fits =
            event.sequence == self.sequence + 1 && event.previous_hash == self.hash && event.hash == hash;
        fits.then_some(Self { sequence: event.sequence, hash })
    }
}

/// SHA-256 over the fields as netstrings: length in bytes, `:`, text, `,`; a missing field is `-,`. No two different
/// events have the same text.
fn hash(event: &EventRow) -> [u8; 32] {
    let fields = [
        Some("kyb-audit-1".to_owned()),
        Some(event.tenant_id.clone()),
        Some(event.sequence.to_string()),
        Some(event.at.timestamp_micros().to_string()),
        Some(event.actor_kind.clone()),
        Some(event.actor_id.clone()),
        Some(event.action.clone()),
        Some(event.object.clone()),
        event.request_id.clone(),
        Some(event.detail.clone()),
        Some(hex::encode(&event.previous_hash)),
    ];
    let text: String = fields.iter().map(|field| netstring(field.as_deref())).collect();
    Sha256::digest(text).into()
}

fn netstring(field: Option<&str>) -> String {
    field.map_or_else(|| "-,".to_owned(), |text| format!("{}:{text},", text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_netstring_counts_bytes_and_tells_missing_from_empty() {
        assert_eq!(netstring(Some("ä")), "2:ä,");
        assert_eq!(netstring(Some("")), "0:,");
        assert_eq!(netstring(None), "-,");
    }
}
