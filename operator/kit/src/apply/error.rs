//! Why an object could not be brought to what we want, and what to do about it.

use kube::core::Status;

use crate::{ChildKey, lease::NotHeld};

/// What helps against a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Trying again.
    Retry,
    /// Something that is not there yet: a kind that is not installed, a namespace. Look again now and then.
    Wait,
    /// A person: what was asked for is not allowed, or a name is taken.
    Person,
}

/// Who refused, as far as the server says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A ResourceQuota of the namespace is used up.
    Quota,
    /// RBAC, or an admission plugin, policy or webhook.
    Forbidden,
    /// The object does not pass the checks of its kind, or those of a policy or webhook.
    Invalid,
}

/// Why one object could not be brought to what we want.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// An object of that name belongs to somebody else. It is not touched.
    #[error("{child} exists and is {}; rename it or delete it", whose(owner.as_deref()))]
    Stranger {
        /// The object.
        child: ChildKey,
        /// The owner uid that it carries, if any.
        owner: Option<String>,
    },
    /// It would be written into a namespace that we could not make ours.
    #[error("{child} waits for its namespace, which could not be applied")]
    Blocked {
        /// The object.
        child: ChildKey,
    },
    /// It is being deleted; its successor is made when it is gone.
    #[error("{child} or its namespace is being deleted; it is made anew when that is done")]
    Terminating {
        /// The object.
        child: ChildKey,
    },
    /// It is gone, and so is the object that it would be made for, or it is about to go.
    #[error("{child} is gone, and so is its owner, or is about to; it is not made again")]
    Ownerless {
        /// The object.
        child: ChildKey,
    },
    /// It changed, or was replaced, since it was seen.
    #[error("{child} has just been changed by somebody else; it is looked at again")]
    Behind {
        /// The object.
        child: ChildKey,
    },
    /// Nothing is known of its kind yet.
    #[error("{child} is not looked at before the first list of its kind is complete")]
    Unsynced {
        /// The object.
        child: ChildKey,
    },
    /// The server will not have it.
    #[error("{child} is refused: {}", status.message)]
    Refused {
        /// The object.
        child: ChildKey,
        /// Who refused.
        why: Refusal,
        /// The server's answer.
        status: Box<Status>,
    },
    /// The server does not know the kind, or the namespace.
    #[error("{child} has no place: {}; install the CRD of its kind, or make its namespace", status.message)]
    Unserved {
        /// The object.
        child: ChildKey,
        /// The server's answer.
        status: Box<Status>,
    },
    /// The lease has passed to another replica, or is about to; nothing was sent.
    #[error("{child} is not written: this replica does not hold the lease")]
    NotHeld {
        /// The object.
        child: ChildKey,
    },
    /// The server could not be reached or is in trouble.
    #[error("{child} could not be applied; it is tried again")]
    Failed {
        /// The object.
        child: ChildKey,
        /// What happened.
        #[source]
        source: Box<kube::Error>,
    },
}

fn whose(owner: Option<&str>) -> String {
    owner.map_or_else(|| "not ours".to_owned(), |uid| format!("owned by the object with uid {uid}"))
}

impl ApplyError {
    /// What the server's answer to a request about `child` means.
    pub(crate) fn of(child: &ChildKey, error: kube::Error) -> Self {
        let child = child.clone();
        match error {
            kube::Error::Api(status) => Self::answered(child, status),
            kube::Error::Service(source) if source.is::<NotHeld>() => Self::NotHeld { child },
            source => Self::Failed { child, source: Box::new(source) },
        }
    }

    fn answered(child: ChildKey, status: Box<Status>) -> Self {
        let causes = status.details.iter().flat_map(|details| &details.causes);
        let mut causes = causes.map(|cause| (cause.reason.as_str(), cause.field.as_str()));
        match status.code {
            // `metadata.uid` is immutable: the object of that name is another one than the one we saw.
            422 if causes.any(|(_, field)| field == "metadata.uid") => Self::Behind { child },
            409 => Self::Behind { child },
            403 if causes.any(|(reason, _)| reason == "NamespaceTerminating") => Self::Terminating { child },
            404 => Self::Unserved { child, status },
            // An apply with a field that the kind does not have is answered as if the server were broken.
            500 if status.message.contains("field not declared in schema") => {
                Self::Refused { child, why: Refusal::Invalid, status }
            }
            400 | 403 | 405 | 413 | 422 => Self::Refused { child, why: refusal(&status), status },
            _ => Self::Failed { child, source: Box::new(kube::Error::Api(status)) },
        }
    }

    /// What helps against it.
    pub fn class(&self) -> Class {
        match self {
            Self::Terminating { .. }
            | Self::Ownerless { .. }
            | Self::Behind { .. }
            | Self::Unsynced { .. }
            | Self::NotHeld { .. }
            | Self::Failed { .. } => Class::Retry,
            Self::Blocked { .. } | Self::Unserved { .. } => Class::Wait,
            Self::Stranger { .. } | Self::Refused { .. } => Class::Person,
        }
    }

    /// The object that it is about.
    pub fn child(&self) -> &ChildKey {
        match self {
            Self::Stranger { child, .. }
            | Self::Blocked { child }
            | Self::Terminating { child }
            | Self::Ownerless { child }
            | Self::Behind { child }
            | Self::Unsynced { child }
            | Self::Refused { child, .. }
            | Self::Unserved { child, .. }
            | Self::NotHeld { child }
            | Self::Failed { child, .. } => child,
        }
    }
}

/// The server gives a quota's refusal no cause of its own, only this text, the same since Kubernetes 1.2.
fn refusal(status: &Status) -> Refusal {
    match status.code {
        403 if status.message.contains("exceeded quota") => Refusal::Quota,
        403 => Refusal::Forbidden,
        _ => Refusal::Invalid,
    }
}

#[cfg(test)]
mod tests {
    use kube::core::response::{StatusCause, StatusDetails};

    use super::*;

    fn key() -> ChildKey {
        ChildKey {
            group: String::new(),
            kind: "Pod".into(),
            namespace: Some("here".into()),
            name: "one".into(),
        }
    }

    fn answer(code: u16, message: &str, reason: &str, field: &str) -> ApplyError {
        let cause = StatusCause { reason: reason.into(), message: String::new(), field: field.into() };
        let details = StatusDetails {
            name: String::new(),
            group: String::new(),
            kind: String::new(),
            uid: String::new(),
            causes: vec![cause],
            retry_after_seconds: 0,
        };
        let status = Status::failure(message, "").with_code(code).with_details(details);
        ApplyError::of(&key(), kube::Error::Api(status.boxed()))
    }

    #[test]
    fn each_answer_has_its_class() {
        for (error, class) in [
            (answer(409, "conflict", "", ""), Class::Retry),
            (answer(422, "uid mismatch", "FieldValueInvalid", "metadata.uid"), Class::Retry),
            (answer(422, "bad port", "FieldValueInvalid", "spec.port"), Class::Person),
            (
                answer(403, "namespace is being terminated", "NamespaceTerminating", "metadata.namespace"),
                Class::Retry,
            ),
            (answer(403, "exceeded quota: small", "", ""), Class::Person),
            (answer(404, "the server could not find the requested resource", "", ""), Class::Wait),
            (answer(429, "too many requests", "", ""), Class::Retry),
            (
                answer(
                    500,
                    "failed to create typed patch object: .dota: field not declared in schema",
                    "",
                    "",
                ),
                Class::Person,
            ),
            (answer(500, "etcd is gone", "", ""), Class::Retry),
            (answer(401, "expired", "", ""), Class::Retry),
            (ApplyError::of(&key(), kube::Error::Service(Box::new(NotHeld))), Class::Retry),
        ] {
            assert_eq!(error.class(), class, "{error}");
            assert_eq!(*error.child(), key());
        }
    }

    #[test]
    fn a_quota_is_told_from_other_refusals() {
        let why = |error| match error {
            ApplyError::Refused { why, .. } => Some(why),
            _ => None,
        };
        assert_eq!(
            why(answer(403, "pods \"one\" is forbidden: exceeded quota: small", "", "")),
            Some(Refusal::Quota)
        );
        assert_eq!(why(answer(403, "User cannot patch pods", "", "")), Some(Refusal::Forbidden));
        assert_eq!(why(answer(422, "bad port", "", "spec.port")), Some(Refusal::Invalid));
    }

    #[test]
    fn a_stranger_is_told_by_the_uid_of_its_owner() {
        let stranger = |owner: Option<&str>| {
            let error = ApplyError::Stranger { child: key(), owner: owner.map(str::to_owned) };
            error.to_string()
        };
        assert!(stranger(Some("uid-1")).contains("owned by the object with uid uid-1"));
        assert!(stranger(None).contains("not ours"));
    }

    #[test]
    fn a_replica_without_the_lease_says_so() {
        let error = ApplyError::of(&key(), kube::Error::Service(Box::new(NotHeld)));
        assert!(matches!(error, ApplyError::NotHeld { .. }));
    }
}
