//! The queries, from the command line or from the lines of a file.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::net::IpAddr;
use std::path::Path;

use mailproof_cli::exit::Trouble;
use mailproof_cli::input::{STDIN, reason};
use mailproof_spf::{Identity, Request};
use serde::Deserialize;

use crate::cli::{Cli, Scope};

/// The longest line that is read; an SMTP path and a name have 256 octets each.
const LINE: u64 = 8192;

/// What is asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) ip: IpAddr,
    pub(crate) helo: Option<String>,
    pub(crate) mail_from: Option<String>,
    pub(crate) identity: Identity,
}

impl Query {
    /// The query of the command line.
    pub(crate) fn of(cli: &Cli) -> Result<Query, Trouble> {
        let usage = |text: &str| Trouble::Usage(text.into());
        let ip = cli.ip.ok_or_else(|| usage("--ip is missing"))?;
        let (mut helo, mut mail_from) = (cli.helo.clone(), cli.mail_from.clone());
        if let Some(identity) = &cli.identity {
            match cli.scope {
                Some(Scope::Helo) => helo = Some(identity.clone()),
                Some(Scope::Mfrom) | None => mail_from = Some(identity.clone()),
            }
        }
        Query::new(ip, helo, mail_from, cli.scope).map_err(usage)
    }

    fn new(
        ip: IpAddr,
        helo: Option<String>,
        mail_from: Option<String>,
        scope: Option<Scope>,
    ) -> Result<Query, &'static str> {
        let identity = match (scope, &mail_from) {
            (Some(Scope::Helo), _) | (None, None) => Identity::Helo,
            (Some(Scope::Mfrom), _) | (None, Some(_)) => Identity::MailFrom,
        };
        match (identity, &helo, mail_from.as_deref()) {
            (Identity::Helo, None, None) => Err("--helo or --mail-from is missing: who is it?"),
            (Identity::Helo, None, _) => Err("the HELO name is missing, which is to be checked"),
            (Identity::MailFrom, _, None) => {
                Err("the MAIL FROM address is missing, which is to be checked")
            }
            // RFC 7208 2.4: the null sender is postmaster at the HELO name.
            (Identity::MailFrom, None, Some("" | "<>")) => {
                Err("the null sender is checked by the HELO name, which is missing")
            }
            _ => Ok(Query { ip, helo, mail_from, identity }),
        }
    }

    /// The arguments of check_host.
    pub(crate) fn request<'a>(&'a self, receiver: Option<&'a str>, now: u64) -> Request<'a> {
        let helo = self.helo.as_deref().unwrap_or("unknown");
        let request = match (self.identity, self.mail_from.as_deref()) {
            (Identity::MailFrom, Some(mail_from)) => Request::mail_from(self.ip, helo, mail_from),
            _ => Request::helo(self.ip, helo),
        };
        match receiver {
            Some(receiver) => request.receiver(receiver).now(now),
            None => request.now(now),
        }
    }
}

/// The queries of a file, one a line; empty lines and those that begin with # are passed over.
pub(crate) struct Lines {
    name: String,
    number: u64,
    reader: BufReader<Box<dyn Read>>,
    scope: Option<Scope>,
}

/// A line of JSON.
#[derive(Deserialize)]
struct Object {
    ip: IpAddr,
    helo: Option<String>,
    mail_from: Option<String>,
}

impl Lines {
    pub(crate) fn open(path: &Path, scope: Option<Scope>) -> Result<Lines, Trouble> {
        let name = path.to_string_lossy().into_owned();
        let reader: Box<dyn Read> = if name == STDIN {
            Box::new(io::stdin())
        } else if path.is_dir() {
            return Err(Trouble::input(name, "a directory, not a file of queries"));
        } else {
            let file = File::open(path).map_err(|error| Trouble::input(&*name, reason(&error)))?;
            Box::new(file)
        };
        Ok(Lines { name, number: 0, reader: BufReader::new(reader), scope })
    }

    /// The queries that have come, up to `most`; waits for one only. Empty at the end.
    pub(crate) fn batch(&mut self, most: usize) -> Result<Vec<Line>, Trouble> {
        let mut batch = Vec::new();
        while batch.is_empty() || batch.len() < most && self.reader.buffer().contains(&b'\n') {
            match self.next() {
                Some(line) => batch.push(line?),
                None => break,
            }
        }
        Ok(batch)
    }

    /// The next line without its end, or that it is too long to be one; `None` at the end.
    fn line(&mut self) -> io::Result<Option<Result<Vec<u8>, String>>> {
        let mut line = Vec::new();
        if (&mut self.reader).take(LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        if line.ends_with(b"\n") || line.len() < usize::try_from(LINE).unwrap_or(usize::MAX) {
            return Ok(Some(Ok(line.trim_ascii().to_vec())));
        }
        while !line.is_empty() && !line.ends_with(b"\n") {
            line.clear();
            (&mut self.reader).take(LINE).read_until(b'\n', &mut line)?;
        }
        Ok(Some(Err(format!("a line of more than {LINE} octets is no query"))))
    }
}

/// A query with its place in the file, or the place and why there is none.
pub(crate) type Line = (String, Result<Query, String>);

impl Iterator for Lines {
    type Item = Result<Line, Trouble>;

    fn next(&mut self) -> Option<Result<Line, Trouble>> {
        loop {
            let line = match self.line() {
                Ok(line) => line?,
                Err(error) => return Some(Err(Trouble::input(&*self.name, reason(&error)))),
            };
            let query = match line {
                Ok(line) if line.is_empty() || line.starts_with(b"#") => continue,
                Ok(line) => read(&line, self.scope),
                Err(reason) => Err(reason),
            };
            return Some(Ok((format!("{}:{}", self.name, self.number), query)));
        }
    }
}

fn read(line: &[u8], scope: Option<Scope>) -> Result<Query, String> {
    let line = std::str::from_utf8(line).map_err(|_| "the line is not UTF-8")?;
    if line.starts_with('{') {
        let Object { ip, helo, mail_from } =
            serde_json::from_str(line).map_err(|error| error.to_string())?;
        return Query::new(ip, helo, mail_from, scope).map_err(Into::into);
    }
    let mut columns = line.split_ascii_whitespace();
    let ip = columns.next().unwrap_or_default();
    let ip = ip.parse().map_err(|_| format!("{ip} is no IP address"))?;
    let (identity, helo) = (columns.next().map(Into::into), columns.next().map(Into::into));
    if identity.is_none() || columns.next().is_some() {
        return Err(
            "a line has the columns ADDRESS MAIL-FROM HELO, the last may be left out".into()
        );
    }
    match (scope, helo) {
        (Some(Scope::Helo), None) => Query::new(ip, identity, None, scope),
        (_, helo) => Query::new(ip, helo, identity, scope),
    }
    .map_err(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str, scope: Option<Scope>) -> Result<(Identity, String), String> {
        let query = read(line.as_bytes(), scope)?;
        let helo = query.helo.unwrap_or_default();
        Ok((query.identity, format!("{} {helo}", query.mail_from.unwrap_or_default())))
    }

    #[test]
    fn columns_and_objects() {
        let mfrom = Ok((Identity::MailFrom, "a@b.example c.example".to_owned()));
        assert_eq!(of("192.0.2.1 a@b.example c.example", None), mfrom);
        let object = r#"{"ip":"192.0.2.1","mail_from":"a@b.example","helo":"c.example"}"#;
        assert_eq!(of(object, None), mfrom);
        assert_eq!(of("::1 a@b.example", None), Ok((Identity::MailFrom, "a@b.example ".into())));
        let helo = Ok((Identity::Helo, " c.example".to_owned()));
        assert_eq!(of("::1 c.example", Some(Scope::Helo)), helo);
        assert_eq!(of(r#"{"ip":"::1","helo":"c.example"}"#, None), helo);
    }

    #[test]
    fn what_is_no_query() {
        for line in
            ["x a@b.example", "192.0.2.1", "::1 a b c d", "{", "{}", "::1 <>", r#"{"ip":1}"#]
        {
            assert!(of(line, None).is_err(), "{line}");
        }
    }

    #[test]
    fn long_lines_and_comments() {
        let text = format!("# x\n\n::1 a@b.example\n{}\n::1 c@d.example", "x".repeat(20_000));
        let lines = Lines {
            name: "f".into(),
            number: 0,
            reader: BufReader::new(Box::new(io::Cursor::new(text))),
            scope: None,
        };
        let lines: Vec<_> = lines.map(Result::unwrap).collect();
        let read: Vec<_> = lines.iter().map(|(at, query)| (at.as_str(), query.is_ok())).collect();
        assert_eq!(read, [("f:3", true), ("f:4", false), ("f:5", true)]);
    }
}
