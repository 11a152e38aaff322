//! The command line: what can be asked for, and how it is explained.

mod audit;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use projections::{Model, as_of::AsOf};

use crate::config::Sources;
use crate::exit::EXIT_CODES;
use crate::import::line::FORMAT_HELP;
use crate::output::Color;

pub use audit::{At, Export, ExportAction, Replay, Seals, Verify};

/// The system of record for delivery orders: commands in, one immutable log, everything else from it.
#[derive(Debug, Parser)]
#[command(
    name = "ledger",
    version,
    propagate_version = true,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = EXIT_CODES,
    after_long_help = long_help()
)]
pub struct Cli {
    /// Settings and output.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags that every command takes.
#[derive(Debug, Args)]
pub struct Global {
    /// Results (and errors) as JSON, for programs
    #[arg(long, global = true, help_heading = "Global options")]
    pub json: bool,
    /// Configuration file [default: LEDGER_CONFIG, or ./ledger.toml where it exists]
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        help_heading = "Global options"
    )]
    pub config: Option<PathBuf>,
    /// Directory of the embedded database and its keys [default: ./data]
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        help_heading = "Global options"
    )]
    pub data_dir: Option<PathBuf>,
    /// Set any configuration key, such as limits.cost=5000 (see `ledger config dump`)
    #[arg(long = "set", global = true, value_name = "KEY=VALUE", value_parser = key_value, help_heading = "Global options")]
    pub settings: Vec<(String, String)>,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, help_heading = "Global options")]
    pub color: Color,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the ledger until Ctrl-C or SIGTERM
    #[command(after_help = "Examples:
  ledger serve --demo                    with demo stores, bundles and orders, database under ./data
  ledger serve --listen 127.0.0.1:9000
  LEDGER_DATABASE_URL=postgres://... ledger serve")]
    Serve(Serve),

    /// Bring the database's schema up to date, or say what is missing
    #[command(after_help = "Examples:
  ledger migrate                         the same as `ledger migrate up`
  ledger migrate status                  exit code 5 when something is missing")]
    Migrate {
        /// What to do [default: up]
        #[command(subcommand)]
        action: Option<Migrate>,
    },

    /// Make a token signed by the ledger's own key; the last line is the bare token
    #[command(after_help = "Examples:
  ledger token --role ops
  ledger token --role store-staff --store CFR001 --ttl 8h
  curl -H \"Authorization: Bearer $(ledger token --role auditor | tail -1)\" ...")]
    Token(Token),

    /// Run order commands from a file, one JSON object per line; one result per line comes back
    #[command(after_help = format!("{IMPORT_EXAMPLES}\n\n{FORMAT_HELP}"))]
    Import(Import),

    /// Look at one order
    #[command(subcommand_required = true, arg_required_else_help = true)]
    Order {
        /// What to do.
        #[command(subcommand)]
        action: Order,
    },

    /// Erase a person: destroy the key of their personal data, for good
    #[command(after_help = "Examples:
  ledger forget CUST-000042              asks first
  ledger forget --order QC-2026-01-31-000042 --yes
The events stay, with their hashes: `ledger verify` still finds the log sound, totals and replays
are the same, and the person's data reads as erased. Running ledgers follow within a minute. A
later order of the same customer gets a key of its own.")]
    Forget(Forget),

    /// Products that orders are checked against and enriched from
    #[command(subcommand_required = true, arg_required_else_help = true)]
    Catalogue {
        /// What to do.
        #[command(subcommand)]
        action: Catalogue,
    },

    /// Check the whole log (no gaps, unbroken hash chain, heads and receipts that agree) and that every
    /// read model is what a replay of the log gives
    #[command(after_help = audit::VERIFY)]
    Verify(Verify),

    /// Write the log's events to files, with a manifest of hashes; or check such files
    #[command(after_help = audit::EXPORT)]
    Export(Export),

    /// Compute every state and all cash balances from the events alone and write them to a file
    #[command(after_help = audit::REPLAY)]
    Replay(Replay),

    /// Show the signed heads of the log's chain, for auditors to keep elsewhere
    #[command(after_help = audit::SEALS)]
    Seals(Seals),

    /// Make read models anew from the log, while the ledger runs
    #[command(after_help = "Examples:
  ledger rebuild order_view
  ledger rebuild all --compare           only say what differs: exit code 3 when something
                                         does, 1 when a model is too far behind to say
  ledger rebuild cash_ledger --rollback  back to the tables from before the last rebuild
  ledger rebuild all --discard           give the disk space of those tables back
Tables are filled beside those in use, compared with them at one position, and exchanged in one
transaction: no query fails or waits for longer than a moment. Takes about the tables' own disk
space until --discard or the next rebuild. Connects as the tables' owner, as `ledger migrate` does.")]
    Rebuild(Rebuild),

    /// Sign or check the list of operations that alone may run (operations.mode = "allow-list")
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        after_help = "Examples:
  ledger operations sign operations.json
  ledger operations sign operations.json --key release.pk8
  ledger operations check operations.json
The file is what client tools write: Apollo's persisted query manifest, or Relay's map of hash to text,
with SHA-256 ids. The signature goes to FILE.sig; a ledger that is to allow nothing else checks it when
it starts."
    )]
    Operations {
        /// What to do.
        #[command(subcommand)]
        action: Operations,
    },

    /// Check that this machine and this configuration are fit to run the ledger
    #[command(after_help = "Examples:
  ledger doctor
  ledger doctor --json | jq '.checks[] | select(.status != \"ok\")'
Exit code 0 when all is well, 9 when the worst is a warning, 10 when something would fail.")]
    Doctor,

    /// Check or show the configuration
    #[command(subcommand_required = true, arg_required_else_help = true)]
    Config {
        /// What to do.
        #[command(subcommand)]
        action: Config,
    },

    /// Print a completion script for a shell
    #[command(after_help = "Examples:
  ledger completions bash > /etc/bash_completion.d/ledger
  ledger completions zsh > \"${fpath[1]}/_ledger\"")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Flags of `serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Address of the API [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<String>,
    /// Load demo stores, products, bundles and orders into an empty log
    #[arg(long)]
    pub demo: bool,
}

/// What `migrate` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum Migrate {
    /// Apply what is missing
    Up,
    /// Say what is missing
    Status,
}

/// Flags of `import`.
#[derive(Debug, Args)]
pub struct Import {
    /// The file, or `-` for standard input
    #[arg(value_name = "FILE|-")]
    pub file: PathBuf,
    /// Where the results go [default: standard output]. A file that holds results already is
    /// continued after its last whole line
    #[arg(long, value_name = "FILE")]
    pub results: Option<PathBuf>,
}

/// Flags of `rebuild`.
#[derive(Debug, Args)]
pub struct Rebuild {
    /// The read model, or `all`
    #[arg(value_name = "MODEL|all", value_parser = models)]
    pub models: Models,
    /// Only compare the tables in use with new ones
    #[arg(long, conflicts_with_all = ["rollback", "discard"])]
    pub compare: bool,
    /// Put the tables in use that were before the last rebuild
    #[arg(long, conflicts_with = "discard")]
    pub rollback: bool,
    /// Throw the tables away that were in use before the last rebuild
    #[arg(long)]
    pub discard: bool,
}

/// Read models, as the command line names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Models(pub Vec<Model>);

fn models(text: &str) -> Result<Models, String> {
    if text == "all" {
        return Ok(Models(Model::ALL.to_vec()));
    }
    let named = Model::named(text).map(|model| Models(vec![model]));
    named.ok_or_else(|| {
        let names: Vec<&str> = Model::ALL.iter().map(|model| model.name()).collect();
        format!(
            "there is no such model; there are {} and all",
            names.join(", ")
        )
    })
}

/// Flags of `token`.
#[derive(Debug, Args)]
pub struct Token {
    /// What its holder may do
    #[arg(long, value_enum)]
    pub role: RoleName,
    /// A store it is limited to; may be given again
    #[arg(long = "store", value_name = "STORE")]
    pub stores: Vec<String>,
    /// The region whose stores a regional coordinator reads
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// For load tests: the larger quotas of limits.requests.load and limits.points.load count
    #[arg(long)]
    pub load_test: bool,
    /// How long it is valid, such as 30m, 8h
    #[arg(long, default_value = "8h", value_name = "DURATION")]
    pub ttl: crate::config::HumanDuration,
    /// Whom it is for; appears in the history of every order it changes
    #[arg(long, default_value = "local", value_name = "NAME")]
    pub subject: String,
}

/// The roles, as the command line spells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum RoleName {
    /// Sees, places and prepares the orders of its stores
    StoreStaff,
    /// Store staff, and may release and cancel
    StoreManager,
    /// Reads the stores of a region
    RegionalCoordinator,
    /// Places and cancels for customers of any store
    CustomerService,
    /// Everything short of administration
    Ops,
    /// Everything
    Admin,
    /// Reads everything, changes nothing
    Auditor,
    /// A sales channel's system: places orders
    Channel,
    /// Slick's system: picking and shipment
    Slick,
    /// The partner platform's system: delivery and cash news
    Pmp,
    /// Grab's system: delivery and cash news
    Grab,
}

/// Flags of `forget`.
#[derive(Debug, Args)]
pub struct Forget {
    /// The customer, as the channels know them
    #[arg(
        value_name = "CUSTOMER",
        required_unless_present = "order",
        conflicts_with = "order"
    )]
    pub customer: Option<String>,
    /// The recipient of one order that names no customer: the order's id or number
    #[arg(long, value_name = "ID")]
    pub order: Option<String>,
    /// Do not ask
    #[arg(long, short = 'y')]
    pub yes: bool,
}

/// What `catalogue` does.
#[derive(Debug, Subcommand)]
pub enum Catalogue {
    /// Add products, or replace what is known of them, from a file with one JSON object a line
    #[command(after_help = "Examples:
  ledger catalogue import products.ndjson
One product a line:
  {\"sku\": \"8859990000018\", \"nameTh\": \"...\", \"nameEn\": \"Drinking water\", \"shortDescription\": \"...\",
   \"imageUrl\": \"https://...\", \"listPrice\": \"10.00\"}
Only sku is required. Once there is any product, orders of unknown ones are refused. Nothing is
imported when a line is wrong: the line is named, exit code 7.")]
    Import {
        /// The file, or `-` for standard input
        #[arg(value_name = "FILE|-")]
        file: PathBuf,
    },
}

/// What `order` does.
#[derive(Debug, Subcommand)]
pub enum Order {
    /// Show an order with its history
    #[command(after_help = "Examples:
  ledger order show QC-2026-01-31-000042
  ledger order show 01985f3e-7b1c-7c3e-9a53-5f2d8c1b0a77 --json
  ledger order show QC-2026-01-31-000042 --as-of 3                    after its third event
  ledger order show QC-2026-01-31-000042 --as-of position:1200
  ledger order show QC-2026-01-31-000042 --as-of '2026-01-31 18:00'   what was known then")]
    Show {
        /// Order id or order number
        #[arg(value_name = "ID")]
        id: String,
        /// As it was: a version, a position of the log (`position:N`), or a time
        #[arg(long, value_name = "VERSION|TIME|POSITION", value_parser = audit::as_of)]
        as_of: Option<AsOf>,
    },
}

/// What `operations` does.
#[derive(Debug, Subcommand)]
pub enum Operations {
    /// Sign a manifest as it is now
    Sign {
        /// The manifest
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The private key (Ed25519, PKCS#8), made when missing [default: the key that seals the log]
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
    /// Say whether a manifest can be used and is signed by the key that counts
    Check {
        /// The manifest
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The public key, base64 [default: operations.public_key, else the key that seals the log]
        #[arg(long, value_name = "KEY")]
        public_key: Option<String>,
    },
}

/// What `config` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum Config {
    /// Say whether the configuration can be used
    Check,
    /// Show every setting in force and where it came from; secrets are not shown
    Dump,
}

impl Cli {
    /// Where the configuration comes from.
    pub fn sources(&self) -> Sources {
        let mut flags = self.global.settings.clone();
        if let Some(dir) = &self.global.data_dir {
            flags.push(("data_dir".into(), dir.to_string_lossy().into_owned()));
        }
        if let Command::Serve(serve) = &self.command {
            if let Some(listen) = &serve.listen {
                flags.push(("listen".into(), listen.clone()));
            }
            if serve.demo {
                flags.push(("demo".into(), "true".into()));
            }
        }
        Sources::environment(self.global.config.clone(), flags)
    }
}

const IMPORT_EXAMPLES: &str = "Examples:
  ledger import orders.ndjson > results.ndjson
  ledger import orders.ndjson --results results.ndjson
  zcat orders.ndjson.gz | ledger import -
Every command carries its own commandId, so running a file again repeats nothing: an interrupted
import is resumed by running it once more. Exit code 7 when at least one line was refused.";

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("KEY=VALUE is expected, such as limits.cost=5000".to_owned()),
    }
}

fn long_help() -> String {
    format!(
        "First steps:
  ledger doctor                          is this machine ready?
  ledger serve --demo                    run, with demo data
  ledger token --role ops                a token for the API

Configuration: flag, then LEDGER_* variable, then file, then default; `ledger config dump` shows it.

{EXIT_CODES}"
    )
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_become_settings() {
        let line = "ledger serve --demo --listen 127.0.0.1:1 --data-dir /d --set hot_orders=5";
        let cli = Cli::try_parse_from(line.split(' ')).unwrap();
        let flags = cli.sources().flags;
        for (key, value) in [
            ("demo", "true"),
            ("listen", "127.0.0.1:1"),
            ("data_dir", "/d"),
            ("hot_orders", "5"),
        ] {
            assert!(flags.contains(&(key.into(), value.into())), "{key}");
        }
    }

    #[test]
    fn one_person_is_forgotten_at_a_time() {
        for (line, good) in [
            ("ledger forget C-1", true),
            ("ledger forget C-1 --yes", true),
            ("ledger forget --order QC-1 -y", true),
            ("ledger forget", false),
            ("ledger forget --yes", false),
            ("ledger forget C-1 --order QC-1", false),
        ] {
            let parsed = Cli::try_parse_from(line.split(' '));
            assert_eq!(parsed.is_ok(), good, "{line}");
        }
    }

    #[test]
    fn every_command_says_how_it_is_used() {
        for command in Cli::command().get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
        }
        assert!(Cli::try_parse_from(["ledger", "token"]).is_err());
        assert!(Cli::try_parse_from(["ledger", "serve", "--set", "x"]).is_err());
        assert!(Cli::try_parse_from(["ledger", "token", "--role", "king"]).is_err());
    }
}
