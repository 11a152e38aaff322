//! The log by itself: appends that race and fail, what the database enforces, what `verify` finds.

mod append;
mod beside;
mod damage;
mod db;
mod feed;
mod race;
mod rules;
mod seals;
