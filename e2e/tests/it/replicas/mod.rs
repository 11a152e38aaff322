//! Read replicas: real streaming replicas that lag, die, are promoted or are somebody else's.

mod choice;
mod loss;
mod promotion;
mod support;
