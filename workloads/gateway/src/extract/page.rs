//! Which page of a list: how large, and after which object.

use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::cursor::{self, QueryHash};
use crate::problem::{Kind, Problem};

const LARGEST: u32 = 50;
const USUAL: u32 = 20;

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// The most items of a page; 20 where absent.
    #[param(minimum = 1, maximum = 50)]
    limit: Option<u32>,
}

impl PageQuery {
    /// The most items of the page.
    pub(crate) fn size(&self) -> Result<u32, Problem> {
        size(self.limit)
    }

    /// After which object of this query the page begins; at the first one where `None`.
    pub(crate) fn after(&self, query: QueryHash) -> Result<Option<Uuid>, Problem> {
        self.cursor.as_deref().map(|text| cursor::read(text, query)).transpose()
    }
}

/// The most items of a page, of a query that asks for more than a page.
pub(crate) fn size(limit: Option<u32>) -> Result<u32, Problem> {
    let limit = limit.unwrap_or(USUAL);
    if (1..=LARGEST).contains(&limit) {
        return Ok(limit);
    }
    Err(Problem::new(Kind::InvalidQuery, format!("limit: must be from 1 to {LARGEST}")))
}
