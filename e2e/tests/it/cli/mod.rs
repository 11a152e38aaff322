//! The program's other commands, each as a process: what they print and how they end.

mod checks;
mod order;
mod settings;
mod support;
mod token;
