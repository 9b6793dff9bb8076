use super::*;

fn at(seconds: u64) -> Moment {
    Moment::from_secs(seconds)
}

fn elector() -> Elector {
    Elector::new("me", Timing::default().check().unwrap())
}

fn record(holder: Option<&str>) -> Record {
    Record { holder: holder.map(str::to_owned), duration: Some(at(15)), transitions: Some(3) }
}

fn seen(version: &str, holder: Option<&str>) -> Input {
    Input::Seen { version: version.into(), record: record(holder) }
}

fn written(version: &str, sent: u64) -> Input {
    Input::Written { version: version.into(), sent: at(sent) }
}

fn over(action: Action) -> Option<String> {
    match action {
        Action::Write(write) => write.over,
        other => panic!("no write: {other:?}"),
    }
}

/// One that took a free lease at 100 s.
fn holder() -> Elector {
    let mut elector = elector();
    assert_eq!(elector.step(at(100), Input::Tick), Action::Read);
    assert_eq!(over(elector.step(at(100), seen("5", None))), Some("5".into()));
    assert_eq!(elector.step(at(101), written("6", 100)), Action::Wait(at(104)));
    elector
}

#[test]
fn a_hold_is_counted_from_before_the_request_and_ends_before_the_lease() {
    let holder = holder();
    assert_eq!(holder.held_until(), Some(at(110)));
    assert!(holder.holds(at(109)) && !holder.holds(at(110)));
}

#[test]
fn a_lease_is_taken_only_when_seen_unchanged_for_its_whole_time() {
    let mut elector = elector();
    elector.step(at(0), Input::Tick);
    assert_eq!(elector.step(at(1), seen("5", Some("other"))), Action::Wait(at(3)));
    assert_eq!(elector.step(at(14), seen("6", Some("other"))), Action::Wait(at(16)), "renewed");
    assert_eq!(elector.step(at(28), seen("6", Some("other"))), Action::Wait(at(29)));
    let expected = Write {
        over: Some("6".into()),
        record: Record { holder: Some("me".into()), duration: Some(at(15)), transitions: Some(4) },
    };
    assert_eq!(elector.step(at(29), seen("6", Some("other"))), Action::Write(expected));
}

#[test]
fn the_holders_word_on_how_long_its_lease_lasts_counts() {
    let mut elector = elector();
    let long = Record { duration: Some(at(60)), ..record(Some("other")) };
    elector.step(at(0), Input::Seen { version: "5".into(), record: long.clone() });
    let again = elector.step(at(59), Input::Seen { version: "5".into(), record: long });
    assert_eq!(again, Action::Wait(at(60)));
}

/// Whoever makes a lease does not hold it: if it was deleted, somebody else may. And seeing it missing twice proves
/// nothing, since it may have been made and deleted again in between.
#[test]
fn a_missing_lease_is_made_and_then_waited_out_like_any_other() {
    let mut elector = elector();
    let nobodys = Record { holder: Some(NOBODY_YET.into()), duration: Some(at(15)), transitions: Some(0) };
    let write = Write { over: None, record: nobodys.clone() };
    assert_eq!(elector.step(at(0), Input::Absent), Action::Write(write.clone()));
    assert_eq!(elector.step(at(1), written("6", 0)), Action::Wait(at(3)));
    assert!(!elector.holds(at(1)));
    let seen = Input::Seen { version: "6".into(), record: nobodys };
    assert_eq!(elector.clone().step(at(15), seen.clone()), Action::Wait(at(16)));
    assert_eq!(over(elector.clone().step(at(16), seen)), Some("6".into()));
    assert_eq!(elector.step(at(99), Input::Absent), Action::Write(write), "deleted again: from the start");
}

#[test]
fn a_lease_that_was_never_held_may_have_been_made_again_and_is_waited_out() {
    let fresh = Record { holder: None, duration: None, transitions: None };
    let mut elector = elector();
    let seen = || Input::Seen { version: "5".into(), record: fresh.clone() };
    assert_eq!(elector.step(at(0), seen()), Action::Wait(at(2)));
    assert_eq!(over(elector.step(at(15), seen())), Some("5".into()));
}

#[test]
fn a_released_lease_is_taken_at_once() {
    assert_eq!(over(elector().step(at(0), seen("5", None))), Some("5".into()));
}

#[test]
fn a_pause_beyond_the_deadline_ends_it_even_if_the_answer_was_good() {
    for input in [Input::Tick, written("7", 109), seen("6", Some("me")), Input::Conflict] {
        let mut holder = holder();
        assert_eq!(over(holder.step(at(109), Input::Tick)), Some("6".into()));
        assert_eq!(holder.step(at(110), input), Action::Lost);
        assert_eq!(holder.held_until(), None);
        assert_eq!(holder.step(at(111), Input::Tick), Action::Lost, "for ever");
    }
}

#[test]
fn a_takeover_whose_answer_came_too_late_is_no_hold() {
    let mut elector = elector();
    assert_eq!(over(elector.step(at(0), seen("5", None))), Some("5".into()));
    assert_eq!(elector.step(at(10), written("6", 0)), Action::Lost);
    assert!(!elector.holds(at(10)));
}

#[test]
fn a_refused_renewal_is_looked_into() {
    let mut holder = holder();
    assert_eq!(over(holder.step(at(104), Input::Tick)), Some("6".into()));
    assert_eq!(holder.step(at(104), Input::Conflict), Action::Read);
    assert_eq!(holder.clone().step(at(105), seen("9", Some("other"))), Action::Lost);
    assert_eq!(holder.clone().step(at(105), Input::Absent), Action::Lost);
    // An earlier renewal of ours, given up, had its effect after all: it says so, and nothing is added to the hold.
    assert_eq!(over(holder.step(at(105), seen("7", Some("me")))), Some("7".into()));
    assert_eq!(holder.held_until(), Some(at(110)));
}

#[test]
fn after_a_failed_renewal_the_version_is_read_anew() {
    let mut holder = holder();
    holder.step(at(104), Input::Tick);
    assert_eq!(holder.step(at(105), Input::WriteFailed), Action::Wait(at(107)));
    assert_eq!(holder.step(at(107), Input::Tick), Action::Read);
    assert_eq!(holder.step(at(107), Input::ReadFailed), Action::Wait(at(109)));
    assert_eq!(holder.step(at(109), Input::Tick), Action::Read);
    assert_eq!(holder.step(at(110), Input::ReadFailed), Action::Lost);
}

#[test]
fn a_release_says_that_nobody_holds_it() {
    let mut holder = holder();
    let expected = Write {
        over: Some("6".into()),
        record: Record { holder: None, duration: Some(at(15)), transitions: Some(4) },
    };
    assert_eq!(holder.release(), Some(expected));
    assert!(!holder.holds(at(102)));
    assert_eq!(elector().release(), None, "not ours to release");
}
