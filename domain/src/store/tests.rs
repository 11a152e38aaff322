//! given / when / then.

use super::*;
use crate::{
    actor::{Role, StoreScope},
    refusal::Code,
};

fn profile() -> Profile {
    Profile {
        name: "สีลม (Si Lom)".into(),
        region: RegionId::new("BKK-CENTRAL").unwrap(),
        zone: "BKK".into(),
        opening: None,
        hours: Some(DailyHours {
            from: 420,
            to: 1_320,
        }),
        cod_limit: None,
        auto_release: true,
    }
}

fn open(profile: Profile) -> StoreCommand {
    StoreCommand::Open { profile }
}

fn change(profile: Profile) -> StoreCommand {
    StoreCommand::Change { profile }
}

fn deactivate(reason: &str) -> StoreCommand {
    let reason = reason.into();
    StoreCommand::Deactivate { reason }
}

fn decided(store: &Store, command: &StoreCommand) -> Result<Vec<StoreEvent>, Refusal> {
    let actor = Actor {
        id: "someone".into(),
        role: Role::Ops,
        stores: StoreScope::All,
    };
    store.decide(command, &actor, &())
}

fn given(commands: &[StoreCommand]) -> Store {
    let mut store = Store::default();
    for command in commands {
        for event in decided(&store, command).unwrap() {
            store.apply(&event);
        }
    }
    store
}

#[track_caller]
fn refused(store: &Store, command: &StoreCommand, expected: &[(Code, &str)]) {
    let refusal = decided(store, command).unwrap_err();
    let found: Vec<(Code, &str)> = refusal
        .problems
        .iter()
        .map(|p| (p.code, p.path.as_str()))
        .collect();
    assert_eq!(found, expected, "{refusal}");
}

fn noon(day: &str) -> DateTime<Utc> {
    format!("{day}T12:00:00+07:00").parse().unwrap()
}

#[test]
fn a_store_is_opened_once() {
    let events = decided(&Store::default(), &open(profile())).unwrap();
    let expected = StoreEvent::Opened { profile: profile() };
    assert_eq!(events, [expected]);
    let store = given(&[open(profile())]);
    assert!(store.exists() && store.active);
    assert_eq!(store.region().unwrap().as_str(), "BKK-CENTRAL");
    assert_eq!(store.store_id(), None);
    assert_eq!(decided(&store, &open(profile())), Ok(Vec::new()));
    let other = Profile {
        zone: "METRO".into(),
        ..profile()
    };
    refused(&store, &open(other), &[(Code::StoreExists, "")]);
}

#[test]
fn its_profile_is_changed() {
    let store = given(&[open(profile())]);
    let other = Profile {
        auto_release: false,
        ..profile()
    };
    let profile = other.clone();
    let expected = StoreEvent::Changed { profile };
    assert_eq!(decided(&store, &change(other.clone())), Ok(vec![expected]));
    let changed = given(&[open(self::profile()), change(other.clone())]);
    assert_eq!(decided(&changed, &change(other)), Ok(Vec::new()));
}

#[test]
fn texts_are_stored_clean() {
    let untidy = Profile {
        name: " สีลม (Si Lom)".into(),
        zone: "BKK ".into(),
        ..profile()
    };
    let store = given(&[open(untidy)]);
    assert_eq!(store.profile, Some(profile()));
}

#[test]
fn it_stops_and_starts_taking_orders() {
    let store = given(&[open(profile())]);
    assert_eq!(decided(&store, &StoreCommand::Activate), Ok(Vec::new()));
    for reason in ["", "-", &"x".repeat(501)] {
        refused(&store, &deactivate(reason), &[(Code::Validation, "reason")]);
    }
    let closed = given(&[open(profile()), deactivate("flooded")]);
    assert_eq!(closed.inactive_reason.as_deref(), Some("flooded"));
    assert!(!closed.facts(noon("2026-03-14")).unwrap().active);
    assert_eq!(decided(&closed, &deactivate("again")), Ok(Vec::new()));
    let dry = given(&[
        open(profile()),
        deactivate("flooded"),
        StoreCommand::Activate,
    ]);
    assert_eq!(dry.inactive_reason, None);
    assert!(dry.facts(noon("2026-03-14")).unwrap().active);
}

#[test]
fn it_must_be_opened_first() {
    for command in [change(profile()), StoreCommand::Activate, deactivate("why")] {
        assert!(!command.creates());
        let expected = [(Code::ErrInvalidTransition, "")];
        refused(&Store::default(), &command, &expected);
    }
    assert!(open(profile()).creates());
    assert_eq!(Store::default().region(), None);
}

#[test]
fn the_fields_of_a_profile() {
    let invalid = |field: &str, change_field: fn(&mut Profile)| {
        let mut wrong = profile();
        change_field(&mut wrong);
        let path = format!("profile.{field}");
        let expected = [(Code::Validation, path.as_str())];
        refused(&Store::default(), &open(wrong.clone()), &expected);
        refused(&given(&[open(profile())]), &change(wrong), &expected);
    };
    invalid("name", |p| p.name = " ".into());
    invalid("name", |p| p.name = "ก".repeat(201));
    invalid("zone", |p| p.zone = "undefined".into());
    invalid("zone", |p| p.zone = "x".repeat(21));
    invalid("opening", |p| p.opening = Some(NaiveDate::MIN));
    invalid("opening", |p| {
        p.opening = NaiveDate::from_ymd_opt(2200, 1, 2)
    });
    invalid("hours", |p| {
        p.hours = Some(DailyHours { from: 0, to: 1440 })
    });
    invalid("hours", |p| p.hours = Some(DailyHours { from: 60, to: 60 }));
    invalid("codLimit", |p| p.cod_limit = Some(Money::ZERO));
    invalid("codLimit", |p| p.cod_limit = Some(Money::from_units(-1)));
    let unknown = Profile {
        opening: NaiveDate::from_ymd_opt(2026, 4, 1),
        hours: None,
        cod_limit: Some(Money::from_units(1)),
        ..profile()
    };
    assert_eq!(decided(&Store::default(), &open(unknown)).unwrap().len(), 1);
    let nothing = Profile {
        name: String::new(),
        zone: String::new(),
        cod_limit: Some(Money::ZERO),
        ..profile()
    };
    let expected = [
        (Code::Validation, "profile.name"),
        (Code::Validation, "profile.zone"),
        (Code::Validation, "profile.codLimit"),
    ];
    refused(&Store::default(), &open(nothing), &expected);
}

#[test]
fn what_an_order_sees_of_it() {
    assert_eq!(Store::default().facts(noon("2026-03-14")), None);
    let at = |profile: Profile, day: &str| given(&[open(profile)]).facts(noon(day)).unwrap();
    let april = Profile {
        opening: NaiveDate::from_ymd_opt(2026, 4, 1),
        ..profile()
    };
    assert!(!at(april.clone(), "2026-03-31").active);
    assert!(at(april, "2026-04-01").active);
    for (zone, own, expected) in [
        ("BKK", None, Some("5000")),
        ("METRO", None, Some("5000")),
        ("PHUKET", None, None),
        ("PHUKET", Some("800"), Some("800")),
        ("BKK", Some("800"), Some("800")),
    ] {
        let limit = |text: Option<&str>| text.map(|t| t.parse::<Money>().unwrap());
        let zoned = Profile {
            zone: zone.into(),
            cod_limit: limit(own),
            auto_release: own.is_none(),
            ..profile()
        };
        let facts = at(zoned, "2026-03-14");
        assert_eq!(facts.cod_limit, limit(expected), "{zone} {own:?}");
        assert_eq!(facts.auto_release, own.is_none());
    }
}

#[test]
fn commands_have_names_and_want_permission() {
    let commands = [
        open(profile()),
        change(profile()),
        StoreCommand::Activate,
        deactivate("why"),
    ];
    let names = commands.each_ref().map(StoreCommand::name);
    let expected = [
        "open_store",
        "change_store",
        "activate_store",
        "deactivate_store",
    ];
    assert_eq!(names, expected);
    for command in commands {
        assert_eq!(command.action(), Action::ManageStores);
        let json = serde_json::to_string(&command).unwrap();
        assert_eq!(
            serde_json::from_str::<StoreCommand>(&json).unwrap(),
            command
        );
    }
}
