//! Reads the sources and lays them over each other.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use figment::value::{Dict, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::keys::{self, KEYS, Key, Kind, PREFIX};
use super::{Config, DEFAULTS, ROOT_DATA_DIR, usual_file};
use crate::embedded;

/// More than any configuration or secret file holds, in bytes.
const FILE_LIMIT: u64 = 1024 * 1024;

/// Our variables that are no configuration keys: the file itself, and what the Makefile reads.
const OTHER_VARIABLES: [&str; 2] = ["LEDGER_CONFIG", "LEDGER_ADVISORY_DB"];

/// Why there is no configuration. Every message says which source and key is meant.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("{purpose} {path} cannot be read: {source}")]
    Unreadable {
        /// What the file is for.
        purpose: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// The file is no TOML.
    #[error("{path} is not valid TOML: {detail}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line and cause.
        detail: String,
    },
    /// Values that are wrong, one sentence each.
    #[error("the configuration is not usable: {}", .0.join("; "))]
    Invalid(Vec<String>),
}

/// Where settings come from besides the defaults.
#[derive(Debug, Default)]
pub struct Sources {
    /// The file named by flag.
    pub file: Option<PathBuf>,
    /// Flags: key and value, the later one wins.
    pub flags: Vec<(String, String)>,
    /// The environment; [`Sources::environment`] takes the process's.
    pub environment: Vec<(OsString, OsString)>,
    /// Whether `./ledger.toml` is looked for.
    pub look_here: bool,
}

impl Sources {
    /// Flags over this process's environment over the usual file.
    pub fn environment(file: Option<PathBuf>, flags: Vec<(String, String)>) -> Self {
        Self {
            file,
            flags,
            environment: std::env::vars_os().collect(),
            look_here: true,
        }
    }
}

/// The settings and where each came from.
#[derive(Debug)]
pub struct Loaded {
    /// The settings, checked one by one; [`Config::check`] checks them together.
    pub config: Config,
    /// The source of each key that has a value.
    pub origins: BTreeMap<&'static str, String>,
    /// What the user should be told.
    pub notes: Vec<String>,
}

/// One source.
struct Layer {
    name: String,
    values: Dict,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name.clone())
    }

    fn data(&self) -> Result<figment::value::Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

/// Reads every source.
///
/// # Errors
/// When a file cannot be read, a key or variable is unknown, or a value does not fit.
pub fn load(sources: Sources) -> Result<Loaded, ConfigError> {
    let mut problems = Vec::new();
    let mut layers = vec![toml_layer("the defaults", DEFAULTS, &mut problems)?];
    if let Some((path, purpose)) = file_of(&sources) {
        let text = read(&path, purpose)?;
        layers.push(toml_layer(&path.to_string_lossy(), &text, &mut problems)?);
    }
    layers.extend(environment_layers(&sources.environment, &mut problems)?);
    layers.extend(flag_layers(&sources.flags, &mut problems));
    if !problems.is_empty() {
        return Err(ConfigError::Invalid(problems));
    }

    let figment = layers.into_iter().fold(Figment::new(), Figment::merge);
    let config: Config = figment
        .extract()
        .map_err(|error| ConfigError::Invalid(error.into_iter().map(sentence).collect()))?;
    let origins = KEYS
        .iter()
        .filter_map(|key| Some((key.name, figment.find_metadata(key.name)?.name.to_string())))
        .collect();
    let mut loaded = Loaded {
        config,
        origins,
        notes: Vec::new(),
    };
    loaded.place_data_for_root();
    Ok(loaded)
}

impl Loaded {
    /// The default place may lie in root's private home, where the database's account cannot go.
    fn place_data_for_root(&mut self) {
        let is_default = self
            .origins
            .get("data_dir")
            .is_some_and(|origin| origin == "the defaults");
        if !is_default || !self.config.is_embedded() {
            return;
        }
        let Some(blocker) =
            embedded::root_is_blocked(&self.config.data_dir, &self.config.postgres_user)
        else {
            return;
        };
        self.notes.push(format!(
            "the data directory is {ROOT_DATA_DIR}: the account `{}`, which runs PostgreSQL for root, cannot pass through {}",
            self.config.postgres_user,
            blocker.display()
        ));
        self.config.data_dir = PathBuf::from(ROOT_DATA_DIR);
        self.origins
            .insert("data_dir", "chosen for root".to_owned());
    }
}

/// The file to read: the flag's, the variable's, or the usual one where it exists.
fn file_of(sources: &Sources) -> Option<(PathBuf, &'static str)> {
    if let Some(path) = &sources.file {
        return Some((path.clone(), "the configuration file"));
    }
    let named = sources
        .environment
        .iter()
        .find(|(name, value)| name == "LEDGER_CONFIG" && !value.is_empty());
    if let Some((_, path)) = named {
        return Some((
            PathBuf::from(path),
            "the configuration file (LEDGER_CONFIG)",
        ));
    }
    let usual = usual_file();
    (sources.look_here && usual.is_file()).then(|| (usual.to_owned(), "the configuration file"))
}

fn read(path: &Path, purpose: &'static str) -> Result<String, ConfigError> {
    let failed = |source| ConfigError::Unreadable {
        purpose,
        path: path.to_owned(),
        source,
    };
    let mut text = String::new();
    File::open(path)
        .map_err(failed)?
        .take(FILE_LIMIT)
        .read_to_string(&mut text)
        .map_err(failed)?;
    Ok(text)
}

fn toml_layer(name: &str, text: &str, problems: &mut Vec<String>) -> Result<Layer, ConfigError> {
    let syntax = |detail: String| ConfigError::Syntax {
        path: PathBuf::from(name),
        detail: detail.trim().replace('\n', " "),
    };
    let table: toml::Table = text
        .parse()
        .map_err(|error: toml::de::Error| syntax(error.to_string()))?;
    unknown_keys("", &table, name, problems);
    let values = Value::serialize(&table)
        .ok()
        .and_then(Value::into_dict)
        .unwrap_or_default();
    Ok(Layer {
        name: name.to_owned(),
        values,
    })
}

fn unknown_keys(prefix: &str, table: &toml::Table, source: &str, problems: &mut Vec<String>) {
    for (name, value) in table {
        let full = format!("{prefix}{name}");
        match value {
            toml::Value::Table(inner) => {
                unknown_keys(&format!("{full}."), inner, source, problems);
            }
            _ if keys::find(&full).is_some() => {}
            _ => problems.push(unknown(&full, source)),
        }
    }
}

fn unknown(name: &str, source: &str) -> String {
    let names = KEYS.iter().map(|key| key.name);
    match keys::nearest(name, names) {
        Some(near) => format!("{source} has an unknown key `{name}`; did you mean `{near}`?"),
        None => format!("{source} has an unknown key `{name}`"),
    }
}

fn environment_layers(
    environment: &[(OsString, OsString)],
    problems: &mut Vec<String>,
) -> Result<Vec<Layer>, ConfigError> {
    let mut set: BTreeMap<&str, &OsString> = BTreeMap::new();
    for (name, value) in environment {
        // An empty variable is an unset one, as compose files and unit files have it.
        if let Some(name) = name.to_str()
            && name.starts_with(PREFIX)
            && !value.is_empty()
        {
            set.insert(name, value);
        }
    }
    let mut layers = Vec::new();
    for key in KEYS {
        let variable = key.variable();
        let direct = set.remove(variable.as_str());
        let file_variable = key.file_variable().unwrap_or_default();
        let (name, text) = match (direct, set.remove(file_variable.as_str())) {
            (Some(_), Some(_)) => {
                problems.push(format!(
                    "{variable} and {file_variable} are both set; unset one"
                ));
                continue;
            }
            (Some(value), None) => match value.to_str() {
                Some(text) => (variable, text.to_owned()),
                None => {
                    problems.push(format!("{variable} is not valid UTF-8"));
                    continue;
                }
            },
            (None, Some(path)) => {
                let text = read(Path::new(path), "the secret's file")?;
                (
                    file_variable,
                    text.trim_end_matches(['\r', '\n']).to_owned(),
                )
            }
            (None, None) => continue,
        };
        layers.extend(layer(name, key, &text, problems));
    }
    for name in set.keys().filter(|name| !OTHER_VARIABLES.contains(*name)) {
        let known: Vec<String> = KEYS
            .iter()
            .flat_map(|key| [Some(key.variable()), key.file_variable()])
            .flatten()
            .collect();
        let near = keys::nearest(name, known.iter().map(String::as_str)).unwrap_or_default();
        problems.push(format!(
            "the environment has an unknown variable {name}; did you mean {near}?"
        ));
    }
    Ok(layers)
}

fn flag_layers(flags: &[(String, String)], problems: &mut Vec<String>) -> Vec<Layer> {
    let mut layers = Vec::new();
    for (name, text) in flags {
        match keys::find(name) {
            Some(key) => {
                layers.extend(layer("the command line".to_owned(), key, text, problems));
            }
            None => problems.push(unknown(name, "the command line")),
        }
    }
    layers
}

/// A source of one value, typed as its key wants it.
fn layer(source: String, key: &Key, text: &str, problems: &mut Vec<String>) -> Option<Layer> {
    let value = match key.kind {
        Kind::Text | Kind::Secret => Some(Value::from(text)),
        Kind::Number => text.trim().parse::<u64>().ok().map(Value::from),
        Kind::Truth => match text.trim() {
            "true" | "1" => Some(Value::from(true)),
            "false" | "0" => Some(Value::from(false)),
            _ => None,
        },
    };
    let Some(value) = value else {
        let wanted = match key.kind {
            Kind::Number => "a whole number",
            _ => "true or false",
        };
        let name = key.name;
        problems.push(format!(
            "{name} ({source}): {wanted} is expected, not {text:?}"
        ));
        return None;
    };
    let values = figment::util::nest(key.name, value)
        .into_dict()
        .unwrap_or_default();
    Some(Layer {
        name: source,
        values,
    })
}

/// `limits.cost (ledger.toml): invalid type ...`, without the value where it is a secret.
fn sentence(error: figment::Error) -> String {
    let path = error.path.join(".");
    let source = error
        .metadata
        .as_ref()
        .map_or("the configuration".to_owned(), |found| {
            found.name.to_string()
        });
    match keys::find(&path) {
        Some(key) if key.kind == Kind::Secret => {
            format!("{path} ({source}): text is expected")
        }
        _ => format!("{path} ({source}): {}", error.kind),
    }
}
