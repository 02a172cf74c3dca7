//! What the benchmarks share: messages made by a fixed recipe, and ratios.
//!
//! A time says as much about the machine and its neighbours as about the code. A ratio of two
//! times taken in turns, A B, B A, A B …, says how far the code is from what nobody can beat: a
//! bare pass of the hash function over the same octets, a bare RSA operation, `memchr`.
//!
//! ```no_run
//! use mailproof_benches::{Kind, Table, body};
//!
//! let text = body(Kind::Text, 10_000);
//! let mut table = Table::new("the bare loop");
//! table.row("text, 10 KB", || { std::hint::black_box(text.iter().max()); })
//!     .side("two loops", || { std::hint::black_box((text.iter().max(), text.iter().min())); })
//!     .measure();
//! ```

pub mod dkim;
mod ratio;
mod sample;
pub mod spf;

pub use ratio::{Row, Table};
pub use sample::{HEADER, Kind, body, message};
