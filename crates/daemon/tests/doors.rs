//! The doors of `mailproofd run`: sockets, users, limits, signals, systemd.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, dead_code, reason = "tests")]

mod door;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use door::{Daemon, ask, command, configure, is_closed, patient, request};

const POLICY: &str = "[[listener]]\nsocket = \"local:@/policy.sock\"\nroles = [\"policy\"]\n";
const MILTER: &str = "[[listener]]\nsocket = \"local:@/milter.sock\"\nroles = [\"verify\"]\n";
/// The packets of an MTA up to the sender of a message.
const OPTIONS: &[u8] = b"\0\0\0\x0dO\0\0\0\x06\0\0\x01\xff\0\x1f\xff\xff";
const CONNECT_AND_MAIL: &[u8] = b"\0\0\0\x10Ch\x004\0\x19192.0.2.1\0\0\0\0\x03Hh\0\0\0\0\x05M<a>\0";

fn one() -> String {
    request("192.0.2.1", "h", "a@fail.example", "1")
}

fn is_root() -> bool {
    let is = fs::metadata("/proc/self").unwrap().uid() == 0;
    if !is {
        eprintln!("SKIPPED: only root can become somebody else");
    }
    is
}

#[test]
fn beyond_the_limit_connections_wait_and_it_is_told_once() {
    let daemon = Daemon::start(&format!("{POLICY}[limits]\nconnections = 2\n"));
    let first = daemon.connect("policy.sock");
    let mut second = daemon.connect("policy.sock");
    assert!(ask(&mut second, &one()).starts_with("550 "));
    let mut others: Vec<UnixStream> = (0..5).map(|_| daemon.connect("policy.sock")).collect();
    daemon.told("2 are open, others wait", 1);
    drop(first);
    for other in &mut others {
        assert!(ask(other, &one()).starts_with("550 "));
        other.shutdown(std::net::Shutdown::Both).unwrap();
    }
    assert_eq!(daemon.log().matches("others wait").count(), 1, "{}", daemon.log());
}

#[test]
fn mtas_that_are_silent_slow_or_half_there_are_told_of_once_and_harm_nobody() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let tcp = format!("[[listener]]\nsocket = \"inet:{port}@localhost\"\nroles = [\"verify\"]\n");
    let limits = "[limits]\nidle = 1\nmessage-time = 2\n";
    let daemon = Daemon::start(&format!("{MILTER}{tcp}{POLICY}{limits}"));
    // Nothing at all; half of a packet; the head of a packet that is larger than any.
    let mut silent = daemon.connect("milter.sock");
    let mut half = TcpStream::connect(("127.0.0.1", port)).unwrap();
    half.write_all(b"\0\0\0\x0dO\0\0").unwrap();
    let mut huge = daemon.connect("milter.sock");
    huge.write_all(b"\x7f\xff\xff\xffO").unwrap();
    assert!(is_closed(&mut silent) && is_closed(&mut half) && is_closed(&mut huge));
    daemon.told("silent for too long", 2);
    // A message whose header comes an octet at a time.
    let mut slow = daemon.connect("milter.sock");
    slow.write_all(&[OPTIONS, CONNECT_AND_MAIL, b"\0\0\0\xff\xffL"].concat()).unwrap();
    for _ in 0..40 {
        if slow.write_all(b"x").is_err() {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    daemon.told("a message takes too long", 1);
    daemon.told("connection closed: ", 4);
    assert!(ask(&mut daemon.connect("policy.sock"), &one()).starts_with("550 "));
}

#[test]
fn modes_and_a_socket_that_was_left_behind() {
    let with = |mode: &str| format!("{POLICY}mode = \"{mode}\"\n");
    let mut daemon = Daemon::start(&with("0600"));
    let mode = |daemon: &Daemon| {
        fs::metadata(daemon.path("policy.sock")).unwrap().permissions().mode() & 0o777
    };
    assert_eq!(mode(&daemon), 0o600);
    // It has no time to remove anything.
    daemon.signal("-KILL");
    daemon.child.wait().unwrap();
    assert!(daemon.path("policy.sock").exists());
    let log = fs::File::create(daemon.path("log")).unwrap();
    daemon.child = command(&daemon.home, "run", &with("0666")).stderr(log).spawn().unwrap();
    daemon.told("started", 1);
    assert_eq!(mode(&daemon), 0o666);
    assert!(ask(&mut daemon.connect("policy.sock"), &one()).starts_with("550 "));
}

#[test]
fn it_becomes_the_user_once_everything_is_open() {
    if !is_root() {
        return;
    }
    let config = |more: &str| {
        format!(
            "user = \"nobody:daemon\"\npid-file = \"@/pid\"\n{more}{POLICY}\
             [[listener]]\nsocket = \"local:@/other.sock\"\nroles = [\"idle\"]\n\
             owner = \"bin:daemon\"\n"
        )
    };
    let mut daemon = Daemon::start(&config(""));
    let number = daemon.child.id();
    let text = fs::read_to_string(format!("/proc/{number}/status")).unwrap();
    let ids = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    let nobody = fs::read_to_string("/etc/passwd").unwrap();
    let nobody = nobody.lines().find(|line| line.starts_with("nobody:")).unwrap();
    let nobody = nobody.split(':').nth(2).unwrap();
    assert_eq!(ids("Uid:"), [nobody; 4]);
    assert_eq!(ids("Gid:"), ["1"; 4]);
    assert!(!ids("Groups:").contains(&"0".to_owned()), "{text}");
    // Every thread is that user, those that were there before too.
    for task in fs::read_dir(format!("/proc/{number}/task")).unwrap() {
        let text = fs::read_to_string(task.unwrap().path().join("status")).unwrap();
        assert!(text.contains(&format!("Uid:\t{nobody}\t{nobody}\t{nobody}\t{nobody}")), "{text}");
    }
    let owner = |name: &str| {
        let metadata = fs::metadata(daemon.path(name)).unwrap();
        (metadata.uid().to_string(), metadata.gid(), metadata.permissions().mode() & 0o777)
    };
    assert_eq!(owner("policy.sock"), (nobody.to_owned(), 1, 0o660));
    assert_eq!(owner("other.sock"), ("2".to_owned(), 1, 0o660));
    assert_eq!(fs::read_to_string(daemon.path("pid")).unwrap(), format!("{number}\n"));
    assert!(ask(&mut daemon.connect("policy.sock"), &one()).starts_with("550 "));
    // It cannot read what only root can, and says so.
    fs::set_permissions(daemon.home.path(), fs::Permissions::from_mode(0o700)).unwrap();
    daemon.signal("-HUP");
    daemon.told("the old configuration stays: ", 1);
    fs::set_permissions(daemon.home.path(), fs::Permissions::from_mode(0o755)).unwrap();
    configure(&daemon.home, &config("dry-run = true\n"));
    daemon.signal("-USR1");
    daemon.told("configuration reloaded", 1);
    assert_eq!(ask(&mut daemon.connect("policy.sock"), &one()), "DUNNO");
    daemon.signal("-TERM");
    assert!(daemon.child.wait().unwrap().success(), "{}", daemon.log());
}

#[test]
fn who_cannot_be_is_refused() {
    let home = tempfile::tempdir().unwrap();
    for (config, reason) in [
        (format!("user = \"no-such-user\"\n{POLICY}"), "there is no user no-such-user"),
        (format!("{POLICY}owner = \"root:no-such-group\"\n"), "there is no group no-such-group"),
        (POLICY.replace('@', "@/nowhere"), "there is no directory"),
        (
            "[[listener]]\nsocket = \"systemd\"\nroles = [\"verify\"]\n".into(),
            "systemd: systemd hands over no such socket",
        ),
    ] {
        let output = command(&home, "run", &config).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let text = String::from_utf8(output.stderr).unwrap();
        if is_root() || !reason.contains("user") {
            assert!(text.contains(reason), "{text}");
        }
        let _ = fs::remove_file(home.path().join("policy.sock"));
    }
}

#[test]
fn sockets_of_systemd() {
    let home = tempfile::tempdir().unwrap();
    let (milter, policy) = (home.path().join("milter"), home.path().join("policy"));
    let listeners = [UnixListener::bind(&milter).unwrap(), UnixListener::bind(&policy).unwrap()];
    let config = "[[listener]]\nsocket = \"systemd\"\nroles = [\"verify\"]\n\
         [[listener]]\nsocket = \"systemd:policy\"\nroles = [\"policy\"]\n";
    let inner = command(&home, "run", config);
    fs::write(home.path().join("log"), "").unwrap();
    // As systemd does it: from descriptor 3 on, and the number of the very process.
    let script = "exec 3<&0 4<&2 0</dev/null 2>\"$LOG\"; export LISTEN_PID=$$; exec \"$0\" \"$@\"";
    let [first, second] = listeners.map(|listener| Stdio::from(OwnedFd::from(listener)));
    let child = Command::new("sh")
        .args(["-c", script])
        .arg(inner.get_program())
        .args(inner.get_args())
        .envs([("LISTEN_FDS", "2"), ("LISTEN_FDNAMES", "any:policy")])
        .env("LOG", home.path().join("log"))
        .stdin(first)
        .stderr(second)
        .spawn()
        .unwrap();
    let mut daemon = Daemon { child, home };
    daemon.told("started", 1);
    let mut stream = patient(UnixStream::connect(&policy).unwrap());
    assert!(ask(&mut stream, &one()).starts_with("550 "));
    let mut stream = patient(UnixStream::connect(&milter).unwrap());
    stream.write_all(b"\0\0\0\x01Q").unwrap();
    assert!(is_closed(&mut stream));
    daemon.signal("-TERM");
    assert!(daemon.child.wait().unwrap().success());
    assert!(milter.exists(), "the sockets are those of systemd");
}

#[test]
fn systemd_is_told() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("notify");
    let systemd = UnixDatagram::bind(&path).unwrap();
    systemd.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let heard = || {
        let mut octets = [0; 256];
        let length = systemd.recv(&mut octets).unwrap();
        String::from_utf8(octets[..length].to_vec()).unwrap()
    };
    let mut daemon = Daemon::start_as(POLICY, |command| {
        command.env("NOTIFY_SOCKET", &path);
    });
    assert_eq!(heard(), "READY=1\n");
    daemon.signal("-HUP");
    let reloading = heard();
    assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
    assert_eq!(heard(), "READY=1\n");
    daemon.signal("-TERM");
    assert_eq!(heard(), "STOPPING=1\n");
    assert!(daemon.child.wait().unwrap().success());
}

#[test]
fn what_needs_a_restart_is_said_and_no_request_is_lost() {
    let daemon = Daemon::start(POLICY);
    let mut stream = daemon.connect("policy.sock");
    // Half of a request before the reload, the other half after it.
    let text = one();
    let (before, after) = text.split_at(100);
    stream.write_all(before.as_bytes()).unwrap();
    let more = "[[listener]]\nsocket = \"local:@/more.sock\"\nroles = [\"policy\"]\n";
    configure(&daemon.home, &format!("dry-run = true\n{POLICY}{more}"));
    daemon.signal("-HUP");
    daemon.told("the old ones stay: listener\n", 1);
    daemon.told("configuration reloaded", 1);
    assert!(!daemon.path("more.sock").exists());
    assert_eq!(ask(&mut stream, after), "DUNNO");
}

#[test]
fn metrics_and_health() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let metrics = format!("[metrics]\nlisten = \"127.0.0.1:{port}\"\n");
    let mut daemon = Daemon::start(&format!("{POLICY}{MILTER}{metrics}"));
    let http = |request: &str| {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        door::lines(stream).join("\n")
    };
    let fetch = |path: &str| http(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    let mut stream = daemon.connect("policy.sock");
    assert!(ask(&mut stream, &one()).starts_with("550 "));
    assert!(ask(&mut stream, &request("192.0.2.1", "h", "a@pass.example", "2")).contains("pass"));
    configure(&daemon.home, "nonsense = 1\n");
    daemon.signal("-HUP");
    daemon.told("the old configuration stays: ", 1);
    let text = fetch("/metrics");
    let (head, body) = text.split_once("\n\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    assert!(head.contains("content-type: text/plain; version=0.0.4"), "{head}");
    for line in [
        &format!("mailproofd_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION")),
        "mailproofd_connections_total{listener=\"policy\"} 1",
        "mailproofd_open_connections 1",
        "mailproofd_policy_requests_total{action=\"reject\"} 1",
        "mailproofd_policy_requests_total{action=\"prepend\"} 1",
        "mailproofd_results_total{method=\"spf\",result=\"fail\"} 1",
        "mailproofd_results_total{method=\"spf\",result=\"pass\"} 1",
        "mailproofd_dns_questions_total{answer=\"records\"} 2",
        "mailproofd_reloads_total{result=\"failure\"} 1",
        "mailproofd_reloads_total{result=\"success\"} 0",
    ] {
        assert!(body.lines().any(|it| it == line), "{line}\n{body}");
    }
    assert!(fetch("/health").ends_with("\n\nok") && fetch("/ready").ends_with("\n\nok"));
    assert!(fetch("/").starts_with("HTTP/1.1 404 "));
    assert!(http("POST /metrics HTTP/1.1\r\nHost: h\r\n\r\n").starts_with("HTTP/1.1 405 "));
    assert!(http("nonsense\r\n\r\n").starts_with("HTTP/1.1 400 "));
    let long = format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "x".repeat(20_000));
    assert!(!http(&long).starts_with("HTTP/1.1 200 "));
    // A milter amid a message keeps it: while it stops it is there, and not ready.
    let mut amid = daemon.connect("milter.sock");
    let every_reply = b"\0\0\0\x0dO\0\0\0\x06\0\0\x01\xff\0\0\0\0";
    amid.write_all(&[every_reply, CONNECT_AND_MAIL].concat()).unwrap();
    let mut replies = [0; 17 + 3 * 5];
    amid.read_exact(&mut replies).unwrap();
    assert!(replies.ends_with(b"\0\0\0\x01c"), "{replies:?}");
    daemon.signal("-TERM");
    daemon.wait_for("/ready is 503", |_| {
        fetch("/ready").starts_with("HTTP/1.1 503 ") && fetch("/ready").ends_with("\n\nstopping")
    });
    assert!(fetch("/health").starts_with("HTTP/1.1 200 "));
    drop(amid);
    assert!(daemon.child.wait().unwrap().success());
}
