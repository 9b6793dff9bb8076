//! Scenarios by faults, with how many plans struck.

use std::{collections::BTreeMap, fmt};

use kyb_faults::Fault;

use crate::plans::FAULTS;

/// Counts by scenario and fault.
#[derive(Debug, Default)]
pub(crate) struct Matrix {
    rows: Vec<String>,
    cells: BTreeMap<(String, Fault), Cell>,
}

/// One scenario under one fault.
#[derive(Debug, Default, Clone, Copy)]
struct Cell {
    /// Plans that had their turn.
    tried: usize,
    struck: usize,
    unreached: usize,
    diverged: usize,
}

/// What became of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    Tried,
    Struck,
    Unreached,
    Diverged,
}

impl Matrix {
    pub(crate) fn count(&mut self, row: &str, fault: Fault, what: Count) {
        if !self.rows.iter().any(|known| known == row) {
            self.rows.push(row.to_owned());
        }
        let cell = self.cells.entry((row.to_owned(), fault)).or_default();
        match what {
            Count::Tried => cell.tried += 1,
            Count::Struck => cell.struck += 1,
            Count::Unreached => cell.unreached += 1,
            Count::Diverged => cell.diverged += 1,
        }
    }

    pub(crate) fn total(&self, what: Count) -> usize {
        let of = |cell: &Cell| match what {
            Count::Tried => cell.tried,
            Count::Struck => cell.struck,
            Count::Unreached => cell.unreached,
            Count::Diverged => cell.diverged,
        };
        self.cells.values().map(of).sum()
    }

    /// Scenarios and faults for which plans were tried, none of which struck.
    pub(crate) fn holes(&self) -> Vec<(String, Fault)> {
        let hole = |(_, cell): &(_, &Cell)| cell.tried > 0 && cell.struck + cell.diverged == 0;
        self.cells.iter().filter(hole).map(|(place, _)| place.clone()).collect()
    }
}

/// A line a scenario: how many plans struck under each fault; `-` where none can.
impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<28}", "")?;
        for fault in FAULTS {
            write!(f, "{:>8}", fault.as_str())?;
        }
        for row in &self.rows {
            write!(f, "\n{row:<28}")?;
            for fault in FAULTS {
                match self.cells.get(&(row.clone(), fault)) {
                    Some(cell) if cell.diverged > 0 => {
                        write!(f, "{:>8}", format!("{}!{}", cell.struck, cell.diverged))?;
                    }
                    Some(cell) => write!(f, "{:>8}", cell.struck)?,
                    None => write!(f, "{:>8}", "-")?,
                }
            }
        }
        Ok(())
    }
}
