//! The program's other commands, each as a process: what they print and how they end.

mod catalogue;
mod checks;
mod export;
mod forget;
mod order;
mod quiet;
mod rebuild;
mod replay;
mod seals;
mod settings;
mod support;
mod token;
