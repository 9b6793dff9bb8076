//! Each format by a sample that was written after its publisher's specification: read to exact entries, cut at every byte,
//! damaged at random. `../samples/README.md` says where the specifications are.

#![expect(
    clippy::expect_used,
    reason = "a sample that is missing must fail the test, in the functions it calls too"
)]

mod eu_xml;
mod found;
mod harness;
mod ofac_xml;
mod open_sanctions;
mod own_csv;
mod senzing;
mod uk_csv;
mod uk_xml;
