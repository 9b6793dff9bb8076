//! What a request says, checked: body, ids, pages, preconditions, preferences.

pub(crate) mod body;
pub(crate) mod cursor;
pub(crate) mod page;
pub(crate) mod path;
pub(crate) mod precondition;
pub(crate) mod prefer;
pub(crate) mod query;

pub(crate) use body::JsonBody;
pub(crate) use path::Id;
