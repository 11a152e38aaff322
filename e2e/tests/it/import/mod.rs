//! `ledger import` as a process: the shipped sample, repeats, kills, resumption, lines that are no command.

mod kills;
mod lines;
mod sample;
mod support;
