//! The command bus against a real log: one effect per command, versions, claims, personal data, snapshots.

mod access;
mod adoption;
mod cash;
mod catalogue;
mod claims;
mod deadline;
mod erasure;
mod intake;
mod kinds;
mod loading;
mod messages;
mod once;
mod personal;
mod phones;
mod rehearsal;
mod snapshots;
mod steps;
mod versions;
