//! Making RSA keys against `openssl genrsa`, each in turns in the same run: the search for primes
//! is luck, so only medians mean anything.
//!
//! `cargo bench --bench keygen` prints the table. OpenSSL's time includes starting the process,
//! some milliseconds, as whoever types it waits for it.

use mailproof_keygen::{KeyPair, KeySpec};
use std::hint::black_box;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const SIZES: [usize; 2] = [2048, 4096];
/// Keys of each size. With 21 the ratio is 0.36 in one run and 0.55 in the next.
const KEYS: usize = 50;
/// What mailproof must not exceed, as a share of OpenSSL's median.
const GOAL: f64 = 0.5;

fn main() {
    println!("\n| RSA key | keys | mailproof, median | openssl genrsa, median | ratio | goal |");
    println!("|---|--:|--:|--:|--:|--:|");
    for bits in SIZES {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for turn in 0..KEYS {
            let mut sides: [(&mut Vec<Duration>, &dyn Fn(usize)); 2] =
                [(&mut ours, &generate), (&mut theirs, &openssl)];
            if turn % 2 == 1 {
                sides.reverse();
            }
            for (times, make) in sides {
                let begin = Instant::now();
                make(bits);
                times.push(begin.elapsed());
            }
        }
        let (ours, theirs) = (median(ours), median(theirs));
        let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
        let (ours, theirs) = (ours.as_millis(), theirs.as_millis());
        println!("| {bits} bits | {KEYS} | {ours} ms | {theirs} ms | {ratio:.2} | {GOAL:.2} |");
    }
}

fn generate(bits: usize) {
    black_box(KeyPair::generate(KeySpec::Rsa(bits)).expect("the system has randomness"));
}

fn openssl(bits: usize) {
    let status = Command::new("openssl")
        .args(["genrsa", &bits.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("openssl is installed");
    assert!(status.success());
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
