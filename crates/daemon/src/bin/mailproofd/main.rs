//! `mailproofd`.

fn main() {}
