//! What is refused, with what words, and that nothing panics.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::{source::LONGEST_RULE, vocabulary::variables};

fn rule(name: &str, when: &str) -> Rule {
    Rule { name: name.to_owned(), when: when.to_owned(), then: DecisionOutcome::Review, reason: None }
}

fn compile_one(when: &str) -> Result<(), String> {
    compile(&PolicySpec { rules: vec![rule("r", when)], required_checks: vec![] })
        .map(drop)
        .map_err(|error| error.to_string())
}

#[test]
fn rules_as_people_write_them_compile() {
    for when in [
        "true",
        "risk.score >= 85",
        "risk.level == \"high\" || risk.level == 'critical'",
        "business.country in [\"IR\", \"KP\", \"SY\"]",
        "!(business.country in ['DE', 'FR'])",
        "screening.status != 'no_hit' && screening.second_evidence",
        "screening.matches.exists(m, m.list == 'ofac-sdn' && m.score > 0.95)",
        "screening.matches.exists(m, m.programs.exists(p, p.startsWith('IRAN')))",
        "screening.matches.filter(m, m.second_evidence).size() >= 2",
        "size(screening.matches) > 0 && screening.matches[0].score >= 0.9",
        "'HIGH_RISK_COUNTRY' in risk.factors",
        "checks.address != 'success' && checks.tax_id == 'skipped'",
        "checks.exists(c, checks[c] == 'failure')",
        "business.incorporated_on > '2024-06'",
        "industry.code.startsWith('7132') && industry.confidence > 0.5",
        "risk.score - 10 * 2 > 30 ? business.legal_form == '' : false",
        "has(business.country) && business.country != ''",
        "['a', 'b'].map(x, x + 'c').exists(x, x == business.country)",
        "risk.score + 1 > -5",
        "business.name.contains(\"it's \\\"quoted\\\"\")",
        "business.country == 'DE' // a comment",
    ] {
        assert_eq!(compile_one(when), Ok(()), "{when}");
    }
}

#[test]
fn a_refusal_says_what_is_wrong_and_what_to_do() {
    for (when, says) in [
        ("", "line 1, column"),
        ("risk.score >=", "line 1, column 14"),
        ("risk.score > 1 &&\n  )", "line 2, column 3"),
        (
            "rsk.score > 1",
            "there is no variable `rsk`; there are risk, screening, checks, business, industry",
        ),
        ("risk.scor > 1", "`risk` has no field `scor`; it has score, level, factors"),
        ("risk['scor'] > 1", "`risk` has no field `scor`"),
        ("has(business.iban)", "it has country, name, incorporated_on, legal_form"),
        ("risk.score.value > 1", "`risk.score` has no field `value`; it has none; its type is int"),
        ("false && business.iban == ''", "has no field `iban`"),
        (
            "screening.matches.exists(m, m.scores > 0.5)",
            "it has list, entry_id, score, second_evidence, programs",
        ),
        ("screening.matches[0].score > 0.9", "fails for a business of which only the name is known"),
        ("risk.score", "yields int and not true or false"),
        ("business.name", "yields string"),
        ("risk.level == 'hihg'", "`risk.level` is never \"hihg\"; it is one of low, medium, high, critical"),
        ("checks.name in ['ok']", "is never \"ok\""),
        ("risk.score == '85'", "`==` does not take int and string"),
        ("industry.confidence == 1", "`1.0` is a double"),
        ("risk.score && true", "`&&` does not take int and bool"),
        ("business.name + 1 == ''", "`+` does not take string and int"),
        ("risk.score / 0 > 1", "Division by zero"),
        ("business.name.matches('(a+)+$')", "there is no function `matches`"),
        (
            "timestamp('2020-01-01T00:00:00Z') < timestamp('2021-01-01T00:00:00Z')",
            "there is no function `timestamp`",
        ),
        ("!!true", "`!!` is not allowed"),
        ("-risk.score < 0", "negated values are not allowed"),
        ("b'a'.contains(b'')", "bytes are not allowed"),
        ("business.country == null", "nulls are not allowed"),
        ("Foo{a: 1} == Foo{a: 1}", "messages (`Name{…}`) are not allowed"),
        ("screening.matches.exists(risk, true)", "`risk` is a variable already"),
        ("[1].exists(a, [1].exists(b, [1].exists(c, true)))", "nested 2 deep at most"),
        ("risk.score.exists(x, true)", "loop over a list"),
    ] {
        let error = compile_one(when).expect_err(when);
        assert!(
            error.starts_with("rule `r`: ") && error.contains(says),
            "{when}\n  {error}\n  lacks: {says}"
        );
    }
}

#[test]
fn names_are_labels_and_unique_and_rules_are_not_too_many() {
    let spec = |rules| PolicySpec { rules, required_checks: vec![] };
    for name in ["", "A", "a_b", "-a", "a-", "default/x", &"x".repeat(64)] {
        assert!(
            matches!(compile(&spec(vec![rule(name, "true")])), Err(PolicyError::BadName { .. })),
            "{name}"
        );
    }
    assert!(matches!(
        compile(&spec(vec![rule("a", "true"), rule("a", "false")])),
        Err(PolicyError::DuplicateName { .. })
    ));
    let many = |n: usize| spec((0..n).map(|at| rule(&format!("r{at}"), "risk.score > 1")).collect());
    assert!(compile(&many(MOST_RULES)).is_ok());
    assert_eq!(compile(&many(MOST_RULES + 1)).unwrap_err(), PolicyError::TooManyRules { count: 101 });
}

#[test]
fn a_rule_that_could_run_long_is_refused_before_it_runs() {
    let square = "screening.matches.exists(a, screening.matches.exists(b, a.score < b.score))";
    assert_eq!(compile_one(square), Ok(()));
    let often = [square; 10].join(" || ");
    assert!(compile_one(&often).unwrap_err().contains("units"), "{often}");
    let grows = |list: &str| format!("{list}.map(a, {list}.map(b, [a, b, a, b])).size() > 0");
    assert_eq!(compile_one(&grows("[1, 2, 3]")), Ok(()));
    assert!(compile_one(&grows("screening.matches")).unwrap_err().contains("units"));
    let spec = PolicySpec {
        rules: (0..20).map(|at| rule(&format!("r{at}"), square)).collect(),
        required_checks: vec![],
    };
    assert!(matches!(compile(&spec), Err(PolicyError::TooCostly { .. })));
}

/// The dearest rule that is allowed, measured rather than trusted: the cost bound is worth what it bounds.
#[test]
fn the_dearest_allowed_rule_ends_soon() {
    let part = "screening.matches.exists(a, screening.matches.exists(b, a.score + b.score > 9.0))";
    let dearest = rule("dearest", part);
    let (compiled, cost) = compile_rule(&dearest).unwrap();
    assert!(cost > check::RULE_COST / 2, "{cost}");
    let mut view = samples()[2].1.clone();
    view.matches = view.matches.iter().cycle().take(50).cloned().collect();
    let context = context(&view);
    let begun = Instant::now();
    assert_eq!(compiled.holds(&context), Ok(false));
    let took = begun.elapsed();
    println!("cost {cost} units took {took:?}: {} ns a unit", took.as_nanos() / u128::from(cost));
    assert!(took < Duration::from_secs(1), "{took:?}");
}

/// On a stack of 1 MiB, half of what worker threads have.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(1 << 20).spawn(work).unwrap().join().unwrap();
}

#[test]
fn deep_nesting_neither_overflows_the_stack_nor_takes_long() {
    on_a_small_stack(|| {
        let begun = Instant::now();
        for text in [
            "(".repeat(100_000),
            "(".repeat(LONGEST_RULE),
            format!("{}true{}", "(".repeat(60), ")".repeat(60)),
            format!("{}true{}", "!(".repeat(60), ")".repeat(60)),
            format!("{}1{} > 0", "-(".repeat(60), ")".repeat(60)),
            "!".repeat(1_999),
            "-".repeat(1_999),
            format!("{}1 > 0", "- ".repeat(299)),
            format!("{}1 > 0", "1+".repeat(298)),
            format!("{}true", "true||".repeat(140)),
            format!("{}true", "true?true:".repeat(150)),
            format!("{}[]", "1 in ".repeat(299)),
            format!("risk{}", ".score".repeat(298)),
            format!("risk{}", "[0]".repeat(60)),
            "[".repeat(60),
            "{".repeat(60),
            "{1:".repeat(60),
            "a.b(".repeat(60),
            "[1].all(x,".repeat(60),
            "'".repeat(1_999),
            "\"\"\"".repeat(600),
            "\\".repeat(1_999),
            "?.".repeat(150),
            "0x".repeat(900),
            "risk.score > 99999999999999999999999".to_owned(),
            "'\\u{110000}' == '\\ud800'".to_owned(),
        ] {
            let _ = compile_one(&text);
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    });
}

/// Twin: without the bounds on the text, a doubled negation is read as a single one, and a rule means its opposite.
#[test]
fn without_the_bounds_a_doubled_negation_would_mean_the_opposite() {
    let program = parse("!!true").unwrap();
    let evaluated = program.execute(&context(&samples()[0].1)).unwrap();
    assert_eq!(
        evaluated,
        Value::Bool(false),
        "if this is true now, the parser was mended and the bound can go"
    );
    assert!(source::check("!!true").is_err());
}

#[test]
fn every_variable_can_be_used() {
    for variable in variables() {
        let path = &variable.path;
        let when = match variable.kind {
            "bool" => path.clone(),
            "int" => format!("{path} > 1"),
            "double" => format!("{path} > 1.0"),
            "string" => format!("{path}.startsWith('x')"),
            _ => format!("size({path}) > 1"),
        };
        assert_eq!(compile_one(&when), Ok(()), "{when}");
    }
}

/// Text that looks like CEL, so that the fuzzing gets past the parser's first token.
fn cel_like() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "risk",
        ".",
        "score",
        "level",
        "screening",
        "matches",
        "checks",
        "name",
        "business",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "?",
        "||",
        "&&",
        "!",
        "-",
        "+",
        "*",
        "/",
        "%",
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "in",
        "has",
        "size",
        "exists",
        "all",
        "map",
        "filter",
        "exists_one",
        "m",
        "x",
        "1",
        "0",
        "-1",
        "9223372036854775807",
        "1.5",
        "1e308",
        "1u",
        "0x",
        "true",
        "false",
        "null",
        "'a'",
        "\"b\"",
        "b'c'",
        "r'\\'",
        "'\\x'",
        "'",
        "\"",
        "\\",
        "`",
        " ",
        "\n",
        "//",
        "contains",
        "startsWith",
        "int",
        "double",
        "string",
        "é",
        "\u{0}",
        "@result",
        "__result__",
        "dyn",
        "type",
        "optional",
        "?.",
        "[?",
    ]);
    prop::collection::vec(token, 0..60).prop_map(|tokens| tokens.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_compiler_panic(text in ".{0,300}") {
        let _ = compile_one(&text);
    }

    #[test]
    fn no_text_like_cel_makes_the_compiler_panic(text in cel_like()) {
        let _ = compile_one(&text);
    }
}
