//! Writes what is generated from the types: the definitions and the pages that list their fields.
//!
//! `cargo run -p kyb-crds --example kyb-crds-yaml -- crds/yaml docs/kinds/reference`, or `make crds`. What stands in the two
//! folders and is not generated any more goes.

use std::{fs, path::Path, process::ExitCode};

fn main() -> ExitCode {
    let folders: Vec<String> = std::env::args().skip(1).collect();
    let [definitions, pages] = &folders[..] else {
        eprintln!("usage: kyb-crds-yaml FOLDER-FOR-DEFINITIONS FOLDER-FOR-PAGES");
        return ExitCode::from(2);
    };
    match run(Path::new(definitions), Path::new(pages)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("kyb-crds-yaml: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(definitions: &Path, pages: &Path) -> Result<(), Box<dyn std::error::Error>> {
    replace(definitions, &kyb_crds::yaml()?)?;
    replace(pages, &kyb_crds::field_table::pages())?;
    Ok(())
}

/// Makes a folder hold exactly these files.
fn replace(folder: &Path, files: &[(String, String)]) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !files.iter().any(|(name, _)| entry.file_name() == name.as_str()) {
            fs::remove_file(entry.path())?;
        }
    }
    files.iter().try_for_each(|(name, text)| fs::write(folder.join(name), text))
}
