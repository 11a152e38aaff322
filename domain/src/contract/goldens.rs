//! The golden files: what was written once is still read, and read as what it meant.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{validator::Validator, *};
use crate::{
    bundle::Bundle,
    decode::{decode, decode_value},
    entity::{Entity, Event},
    intake::Intake,
    order::Order,
    remittance::Remittance,
    store::Store,
};

/// The golden files of one kind of aggregate.
fn fixtures<A: Entity>() -> PathBuf {
    crate_path("src").join(A::TYPE).join("fixtures")
}

/// The golden events, without the golden state.
fn golden_events<A: Entity>() -> BTreeMap<String, String> {
    let mut files = json_files(&fixtures::<A>());
    files.retain(|name, _| !name.starts_with("state."));
    files
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn schema_of(name: &str) -> Validator {
    let (event_type, version) = split_name(name).unwrap();
    let file = format!("schemas/{event_type}.v{version}.json");
    let text = fs::read_to_string(crate_path(&file));
    Validator::new(&text.unwrap_or_else(|e| panic!("{file}: {e}")))
}

/// Every type has its goldens; each is the sample that the code builds, today as on its first day.
fn samples_are_golden<A: Entity>(samples: &[Sample<A::Event>]) {
    let name = |s: &Sample<A::Event>| {
        let variant = s.variant.map_or(String::new(), |v| format!(".{v}"));
        format!("{}.v{}{variant}", s.event.event_type(), s.event.version())
    };
    if is_update() {
        for sample in samples {
            let path = fixtures::<A>().join(format!("{}.json", name(sample)));
            if !path.exists() {
                write(&path, &serde_json::to_value(&sample.event).unwrap());
            }
        }
    }
    let goldens = golden_events::<A>();
    for sample in samples {
        let (name, event) = (name(sample), &sample.event);
        let stored = goldens.get(&name).unwrap_or_else(|| {
            panic!("{name}.json is missing; write it: {UPDATE}=1 cargo test -p domain contract");
        });
        let read = decode::<A::Event>(event.event_type(), event.version(), stored).unwrap();
        assert_eq!(&read, event, "{name}");
        assert_eq!(serde_json::to_value(event).unwrap(), json(stored), "{name}");
    }
    let known: BTreeSet<String> = samples.iter().map(name).collect();
    for event_type in A::Event::TYPES {
        let version = A::Event::current_version(event_type).unwrap();
        let full = format!("{event_type}.v{version}");
        assert!(known.contains(&full), "write a sample of {full}");
    }
    for name in goldens.keys().filter(|name| !known.contains(*name)) {
        let (event_type, version) = split_name(name).unwrap_or_else(|| panic!("{name}.json"));
        let today = A::Event::current_version(event_type);
        assert!(today.is_some(), "{name}.json belongs to no type");
        assert_ne!(today, Some(version), "{name}.json has no sample");
    }
}

/// Every golden of every version is read, and fits the schema of its version.
fn goldens_are_read<A: Entity>() {
    for (name, stored) in golden_events::<A>() {
        let (event_type, version) = split_name(&name).unwrap();
        let event = decode::<A::Event>(event_type, version, &stored)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let same = decode_value::<A::Event>(event_type, version, json(&stored)).unwrap();
        assert_eq!(event, same, "{name}");
        let again = serde_json::to_string(&event).unwrap();
        let again = decode::<A::Event>(event_type, event.version(), &again).unwrap();
        assert_eq!(event, again, "{name}");
        let errors = schema_of(&name).validate(&json(&stored)).errors;
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
}

/// No member of a schema is without a golden that has it.
fn goldens_fill_every_field<A: Entity>() {
    let (mut members, mut seen) = (BTreeSet::new(), BTreeSet::new());
    for (name, stored) in golden_events::<A>() {
        let schema = schema_of(&name);
        members.extend(schema.members());
        seen.extend(schema.validate(&json(&stored)).seen);
    }
    let missing: Vec<_> = members.difference(&seen).collect();
    assert!(
        missing.is_empty(),
        "no golden of {} has {missing:#?}",
        A::TYPE
    );
}

/// The parser knows every variant and names them when it meets none of them.
fn list_of_types_is_complete<A: Entity>() {
    let error = serde_json::from_str::<A::Event>(r#"{"type":"?"}"#).unwrap_err();
    let error = error.to_string();
    let prefix = format!("{}.", A::TYPE);
    let known: Vec<&str> = error
        .split('`')
        .filter(|p| p.starts_with(&prefix))
        .collect();
    assert_eq!(known, A::Event::TYPES);
}

/// The state after all samples has the shape that its version names.
fn state_is_golden<A: Entity>(life: &[Sample<A::Event>]) {
    let mut state = A::default();
    assert!(!state.exists());
    life.iter().for_each(|sample| state.apply(&sample.event));
    assert!(state.exists());
    let path = fixtures::<A>().join(format!("state.v{}.json", A::STATE_VERSION));
    if is_update() && !path.exists() {
        write(&path, &serde_json::to_value(&state).unwrap());
    }
    let changed = "the state's shape changed: raise STATE_VERSION and write its golden file";
    let golden = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    assert_eq!(
        serde_json::to_value(&state).unwrap(),
        json(&golden),
        "{changed}"
    );
    assert_eq!(
        serde_json::from_str::<A>(&golden).unwrap(),
        state,
        "{changed}"
    );
    let files = json_files(&fixtures::<A>());
    let states = files.keys().filter(|name| name.starts_with("state."));
    assert_eq!(
        states.count(),
        1,
        "keep one golden state, that of today's version"
    );
}

macro_rules! contracts {
    ($($test:ident: $aggregate:ty, $samples:expr;)+) => {$(
        mod $test {
            use super::*;

            #[test]
            fn every_sample_is_golden() {
                samples_are_golden::<$aggregate>(&$samples);
            }

            #[test]
            fn every_golden_is_read_and_fits_its_schema() {
                goldens_are_read::<$aggregate>();
            }

            #[test]
            fn every_field_has_a_golden() {
                goldens_fill_every_field::<$aggregate>();
            }

            #[test]
            fn the_list_of_types_is_complete() {
                list_of_types_is_complete::<$aggregate>();
            }

            #[test]
            fn the_state_has_the_shape_its_version_names() {
                state_is_golden::<$aggregate>(&$samples);
            }
        }
    )+};
}

contracts! {
    order: Order, samples::order();
    bundle: Bundle, samples::bundle();
    store: Store, samples::store();
    remittance: Remittance, samples::remittance();
    intake: Intake, samples::intake();
}

#[test]
fn every_schema_has_a_type_and_every_type_a_schema() {
    let types = [
        <Order as Entity>::Event::TYPES,
        <Bundle as Entity>::Event::TYPES,
        <Store as Entity>::Event::TYPES,
        <Remittance as Entity>::Event::TYPES,
        <Intake as Entity>::Event::TYPES,
    ];
    let goldens: BTreeSet<String> = [
        golden_events::<Order>(),
        golden_events::<Bundle>(),
        golden_events::<Store>(),
        golden_events::<Remittance>(),
        golden_events::<Intake>(),
    ]
    .iter()
    .flat_map(BTreeMap::keys)
    .cloned()
    .collect();
    let schemas = json_files(&crate_path("schemas"));
    for name in schemas.keys() {
        let (event_type, _) = split_name(name).unwrap_or_else(|| panic!("schemas/{name}.json"));
        let is_owned = types.iter().any(|types| types.contains(&event_type));
        assert!(is_owned, "schemas/{name}.json belongs to no event type");
        assert!(goldens.contains(name), "{name} has a schema and no golden");
    }
    for event_type in types.into_iter().flatten() {
        assert!(
            schemas
                .keys()
                .any(|name| split_name(name).is_some_and(|(t, _)| t == *event_type)),
            "{event_type} has no schema"
        );
    }
}
