//! A new migration file must rebuild the crate, since the migrations are embedded.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
