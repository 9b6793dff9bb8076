//! A plan on standard output.

use std::{fmt::Write as _, process::ExitCode};

use clap::builder::styling::{AnsiColor, Style};
use serde_json::Value;

use super::{Action, Format, ObjectChange, Plan, PlanError};

/// There is something to do.
const CHANGES: u8 = 2;

/// Prints a plan; the exit code says what it is.
pub(super) fn print(plan: &Plan, format: Format) -> Result<ExitCode, PlanError> {
    let text = match format {
        Format::Text => text(plan),
        Format::Json => serde_json::to_string_pretty(plan).map_err(|why| PlanError::Show(Box::new(why)))?,
        Format::Yaml => serde_yaml::to_string(plan).map_err(|why| PlanError::Show(Box::new(why)))?,
    };
    anstream::println!("{}", text.trim_end());
    Ok(match (plan.count(Action::Refuse), plan.changes.len()) {
        (0, 0) => ExitCode::SUCCESS,
        (0, _) => ExitCode::from(CHANGES),
        _ => ExitCode::FAILURE,
    })
}

fn text(plan: &Plan) -> String {
    let mut text = String::new();
    let mut owner = None;
    for change in &plan.changes {
        if owner.as_ref() != Some(&change.owner) {
            owner = Some(change.owner.clone());
            let heading =
                change.owner.as_ref().map_or("In the files".to_owned(), |owner| format!("For {owner}"));
            let _ = writeln!(text, "{heading}"); // a String takes everything
        }
        object(&mut text, change);
    }
    for problem in &plan.problems {
        let style = AnsiColor::Red.on_default();
        let _ = writeln!(
            text,
            "{style}! {} would be Stalled{style:#}: {}: {}",
            problem.object, problem.reason, problem.message
        );
    }
    for note in &plan.notes {
        let _ = writeln!(text, "Note: {note}.");
    }
    if plan.changes.is_empty() {
        text.push_str("Nothing to do.");
    } else {
        let count = |action| plan.count(action);
        let _ = write!(
            text,
            "{} to create, {} to change, {} to delete, {} refused.",
            count(Action::Create),
            count(Action::Change),
            count(Action::Delete),
            count(Action::Refuse)
        );
    }
    text
}

fn object(text: &mut String, change: &ObjectChange) {
    let (style, mark) = match change.action {
        Action::Create => (AnsiColor::Green.on_default(), "+ create"),
        Action::Change => (AnsiColor::Yellow.on_default(), "~ change"),
        Action::Delete => (AnsiColor::Red.on_default(), "- delete"),
        Action::Refuse => (AnsiColor::Red.on_default().bold(), "! refused"),
    };
    let within = change.namespace.as_ref().map_or(String::new(), |namespace| format!("{namespace}/"));
    let with = match (change.action, change.kind.as_str()) {
        (Action::Delete, "Namespace") => ", with everything in it",
        _ => "",
    };
    let _ = writeln!(text, "  {style}{mark} {} {within}{}{style:#}{with}", change.kind, change.name);
    if let Some(refusal) = &change.refusal {
        let _ = writeln!(text, "      {refusal}");
    }
    for field in &change.fields {
        let owners: Vec<_> = field.owners.iter().map(String::as_str).collect();
        let dim = Style::new().dimmed();
        let owners = if owners.is_empty() {
            String::new()
        } else {
            format!("  {dim}owned by {}{dim:#}", owners.join(", "))
        };
        let _ = writeln!(
            text,
            "      {}: {} -> {}{owners}",
            field.field,
            value(field.from.as_ref()),
            value(field.to.as_ref())
        );
    }
}

/// One line, not too long.
fn value(value: Option<&Value>) -> String {
    const LONGEST: usize = 100;
    let Some(value) = value else { return "(none)".to_owned() };
    let text = value.to_string();
    if text.chars().count() <= LONGEST {
        return text;
    }
    text.chars().take(LONGEST).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_one_line_of_a_hundred_characters_at_most() {
        assert_eq!(value(None), "(none)");
        assert_eq!(value(Some(&json!({"a": [1, "two"]}))), r#"{"a":[1,"two"]}"#);
        let of = |letters: usize| value(Some(&json!("ä".repeat(letters))));
        assert_eq!(of(98), format!("\"{}\"", "ä".repeat(98)), "a hundred with its quotes");
        assert_eq!(of(99), format!("\"{}…", "ä".repeat(99)));
    }

    #[test]
    fn a_change_says_what_where_and_whose_it_is() {
        let of = |action, kind: &str| ObjectChange {
            action,
            api_version: "v1".to_owned(),
            kind: kind.to_owned(),
            namespace: Some("place".to_owned()),
            name: "one".to_owned(),
            owner: None,
            fields: vec![],
            object: None,
            refusal: None,
        };
        let told = |change: &ObjectChange| {
            let mut text = String::new();
            object(&mut text, change);
            anstream::adapter::strip_str(&text).to_string()
        };
        assert_eq!(told(&of(Action::Create, "Secret")), "  + create Secret place/one\n");
        assert_eq!(told(&of(Action::Delete, "Secret")), "  - delete Secret place/one\n");
        let gone = ObjectChange { namespace: None, ..of(Action::Delete, "Namespace") };
        assert_eq!(told(&gone), "  - delete Namespace one, with everything in it\n");
        let made = ObjectChange { namespace: None, ..of(Action::Create, "Namespace") };
        assert_eq!(told(&made), "  + create Namespace one\n");
        let refused = ObjectChange { refusal: Some("no".to_owned()), ..of(Action::Refuse, "Secret") };
        assert_eq!(told(&refused), "  ! refused Secret place/one\n      no\n");
    }
}
