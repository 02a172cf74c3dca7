//! policyd-spf, which is no milter: Postfix starts one for each smtpd(8) and asks it over a pipe.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use crate::daemon::{Home, in_our_dns, installed};
use crate::load::Figures;
use crate::process;

/// One process.
struct Policyd {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    asked: usize,
}

impl Drop for Policyd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// As many processes as there are connections; `None` if it is not there.
pub(crate) struct Policyds(Vec<Policyd>);

impl Policyds {
    pub(crate) fn start(home: &Home, count: usize) -> Result<Policyds, String> {
        let program = installed("/usr/bin/policyd-spf")?;
        let file = home.write("policyd-spf.conf", "debugLevel = 0\n");
        let mut all = Policyds(Vec::new());
        for _ in 0..count {
            let mut command = in_our_dns(home, program);
            command.arg(&file).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
            let mut child = command.spawn().map_err(|error| error.to_string())?;
            let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
                return Err("no pipes".into());
            };
            let mut one = Policyd { child, input, output: BufReader::new(output), asked: 0 };
            // Its start is not counted.
            one.ask()?;
            all.0.push(one);
        }
        Ok(all)
    }

    /// Asks with the first `connections` of them for this time.
    pub(crate) fn run(&mut self, connections: usize, time: Duration) -> Figures {
        let all = &mut self.0[..connections];
        let cpu = |all: &[Policyd]| all.iter().map(|it| process::cpu(it.child.id())).sum::<f64>();
        let (before, begin) = (cpu(all), Instant::now());
        let mut figures = Figures::default();
        std::thread::scope(|scope| {
            let threads: Vec<_> = all
                .iter_mut()
                .map(|one| scope.spawn(move || one.ask_until(begin + time)))
                .collect();
            for thread in threads {
                let (latencies, wrong) = thread.join().unwrap_or_default();
                figures.messages += latencies.len();
                figures.latencies.extend(latencies);
                figures.wrong.extend(wrong);
            }
        });
        figures.seconds = begin.elapsed().as_secs_f64();
        figures.daemon = cpu(all) - before;
        figures.latencies.sort_unstable();
        figures
    }

    /// The memory of the first, in MiB.
    pub(crate) fn memory(&self) -> f64 {
        self.0.first().map_or(0.0, |it| process::memory(it.child.id()))
    }
}

impl Policyd {
    fn ask_until(&mut self, end: Instant) -> (Vec<u32>, Option<String>) {
        let mut latencies = Vec::new();
        while Instant::now() < end {
            let begin = Instant::now();
            if let Err(wrong) = self.ask() {
                return (latencies, Some(wrong));
            }
            latencies.push(begin.elapsed().as_micros().try_into().unwrap_or(u32::MAX));
        }
        (latencies, None)
    }

    fn ask(&mut self) -> Result<(), String> {
        // Another message each time: for the second recipient of one it says less.
        self.asked += 1;
        let (pid, number) = (self.child.id(), self.asked);
        let request = format!(
            "request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\n\
             client_address=192.0.2.17\nclient_name=mail.example.org\n\
             reverse_client_name=mail.example.org\nhelo_name=mail.example.org\n\
             sender=alice@example.org\nrecipient=bob@example.net\nrecipient_count=0\n\
             queue_id=\ninstance={pid:x}.{number:x}\nsize=2500\nsasl_method=\nsasl_username=\n\n"
        );
        self.input.write_all(request.as_bytes()).map_err(|error| format!("lost: {error}"))?;
        let mut answer = String::new();
        while !answer.ends_with("\n\n") {
            match self.output.read_line(&mut answer) {
                Ok(1..) => {}
                Ok(0) => return Err("lost: policyd-spf has ended".into()),
                Err(error) => return Err(format!("lost: {error}")),
            }
        }
        let is_good = answer.to_ascii_lowercase().contains("received-spf: pass (mailfrom)");
        if is_good { Ok(()) } else { Err(format!("policyd-spf: {answer}")) }
    }
}
