use super::*;

#[test]
fn the_filter_is_info_unless_rust_log_says_otherwise() {
    assert_eq!(filter(None).unwrap().to_string(), "info");
    assert_eq!(filter(Some(" ")).unwrap().to_string(), "info");
    assert_eq!(filter(Some("warn,kyb=debug")).unwrap().max_level_hint(), Some(LevelFilter::DEBUG));
    let refused = filter(Some("kyb=loud")).unwrap_err().to_string();
    assert!(refused.starts_with("RUST_LOG is `kyb=loud`"), "{refused}");
}

#[test]
fn the_share_of_traces_is_a_number_from_0_to_1() {
    let share = |setting| traces::share_wanted(setting).unwrap().to_string();
    assert_eq!([None, Some(""), Some("0.5"), Some("1")].map(share), ["0.05", "0.05", "0.5", "1"]);
    for bad in ["5%", "2", "-1", "NaN"] {
        assert!(traces::share_wanted(Some(bad)).is_err(), "{bad}");
    }
}
