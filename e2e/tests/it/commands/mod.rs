//! The command bus against a real log: one effect per command, versions, claims, personal data, snapshots.

mod access;
mod claims;
mod deadline;
mod loading;
mod once;
mod personal;
mod snapshots;
mod versions;
