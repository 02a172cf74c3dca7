//! What a user of `genkey` meets, beyond the transcripts: the bytes of opendkim-genkey, and files
//! that are safe whatever stands in their way.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod schema;

use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use mailproof_testkit::{Answer, Case, run, testdata};
use serde::Deserialize;
use tempfile::TempDir;

const GENKEY: &str = env!("CARGO_BIN_EXE_genkey");
const OLD_NAME: &str = "opendkim-genkey";
/// nobody, who may not write where root may.
const NOBODY: u32 = 65534;

#[derive(Deserialize)]
struct Own {
    input: Input,
    expect: Expect,
}

#[derive(Deserialize)]
struct Input {
    key: String,
    options: Vec<String>,
}

#[derive(Deserialize)]
struct Expect {
    file: String,
    text: String,
}

fn command(name: &str, directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(GENKEY);
    command.arg0(name).args(arguments).current_dir(directory).stdin(Stdio::null());
    command
}

fn output(name: &str, directory: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    told(command(name, directory, arguments).output().unwrap())
}

fn told(output: Output) -> (Option<i32>, String, String) {
    let text = |octets| String::from_utf8(octets).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn genkey(directory: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    output("genkey", directory, arguments)
}

/// After these commands of the shell.
fn after(shell: &str, directory: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{shell}; exec \"$0\" \"$@\""), GENKEY]).args(arguments);
    told(command.current_dir(directory).stdin(Stdio::null()).output().unwrap())
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

/// Every case of opendkim-genkey, under its name: the same file, and not a word.
#[test]
fn the_bytes_of_opendkim_genkey() {
    run("keygen/opendkim", |case: &Case<Own>| {
        let directory = TempDir::new().unwrap();
        let key = testdata("keys").join(&case.own.input.key);
        let mut arguments = vec!["--from", key.to_str().unwrap()];
        arguments.extend(case.own.input.options.iter().map(String::as_str));
        let (code, out, err) = output(OLD_NAME, directory.path(), &arguments);
        // What is new is a warning of weak keys.
        let err: String = err.lines().filter(|line| !line.contains(": WARNING: ")).collect();
        let names = names(directory.path());
        let text = names.iter().find(|name| name.ends_with(".txt"));
        let text = text.map(|name| fs::read_to_string(directory.path().join(name)).unwrap());
        let private = case.own.expect.file.replace(".txt", ".private");
        let files = vec![private, case.own.expect.file.clone()];
        Answer {
            expected: format!("{:?}\n{:?}", (Some(0), "", "", files), Some(&case.own.expect.text)),
            got: format!("{:?}\n{:?}", (code, out, err, names), text.as_ref()),
        }
    });
}

/// And under its own name, printed.
#[test]
fn the_same_bytes_from_genkey() {
    run("keygen/opendkim", |case: &Case<Own>| {
        let key = testdata("keys").join(&case.own.input.key);
        let options = &case.own.input.options;
        if ["append-localhost", "strays"].iter().any(|name| case.name.ends_with(name)) {
            // Here it wants the domain to be named, and knows what every argument is for.
            return Answer { expected: String::new(), got: String::new() };
        }
        let mut arguments = vec!["--from", key.to_str().unwrap(), "--record", "bind"];
        arguments.extend(options.iter().map(String::as_str));
        let (code, out, _) = genkey(Path::new("."), &arguments);
        Answer {
            expected: format!("{:?}", (Some(0), &case.own.expect.text)),
            got: format!("{:?}", (code, &out)),
        }
    });
}

#[test]
fn two_files_as_the_guides_expect_them() {
    let directory = TempDir::new().unwrap();
    let keys = directory.path().join("keys");
    fs::create_dir(&keys).unwrap();
    let arguments = ["-b", "2048", "-d", "example.com", "-s", "default", "-D", "keys"];
    let (code, out, err) = genkey(directory.path(), &arguments);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.starts_with("New RSA key of 2048 bits, selector default, for example.com\n"));
    assert_eq!(names(&keys), ["default.private", "default.txt"]);
    let private = fs::read_to_string(keys.join("default.private")).unwrap();
    assert!(private.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    let text = fs::read_to_string(keys.join("default.txt")).unwrap();
    assert!(text.starts_with("default._domainkey\tIN\tTXT\t( \"v=DKIM1; h=sha256; k=rsa; \"\n"));
    // Nothing of the key is in what is printed.
    let secret: Vec<&str> = private.lines().filter(|line| !line.starts_with('-')).collect();
    assert!(!secret.iter().any(|line| out.contains(line) || text.contains(line)));
}

#[test]
fn what_is_made_signs_and_verifies() {
    let directory = TempDir::new().unwrap();
    let directory = directory.path();
    let message = "From: a@example.com\r\nSubject: x\r\n\r\nHello\r\n";
    fs::write(directory.join("message.eml"), message).unwrap();
    for form in ["pkcs8", "pkcs1", "der"] {
        let arguments =
            ["--type", "rsa", "-s", form, "-d", "example.com", "-a", "--key-format", form];
        assert_eq!(genkey(directory, &arguments).0, Some(0));
    }
    let arguments = ["--type", "both", "-s", "both", "-d", "example.com", "-a"];
    assert_eq!(genkey(directory, &arguments).0, Some(0));
    let arguments =
        ["--type", "ed25519", "-s", "seed", "-d", "example.com", "-a", "--key-format", "seed"];
    assert_eq!(genkey(directory, &arguments).0, Some(0));
    for selector in ["pkcs8", "pkcs1", "der", "both", "both-ed25519", "seed"] {
        let run = |program: &str, arguments: &[&str]| {
            told(Command::new(program).args(arguments).current_dir(directory).output().unwrap())
        };
        let private = format!("{selector}.private");
        let sign = ["--key", &private, "--selector", selector, "message.eml"];
        let (code, signed, err) = run(env!("CARGO_BIN_EXE_sign-message"), &sign);
        assert_eq!((code, err.as_str()), (Some(0), ""), "{selector}");
        fs::write(directory.join("signed.eml"), signed).unwrap();
        let check = ["--only", "dkim", "--zone", &format!("{selector}.txt"), "signed.eml"];
        let (code, out, _) = run(env!("CARGO_BIN_EXE_check-headers"), &check);
        assert_eq!(code, Some(0), "{out}");
    }
}

/// OpenDKIM itself, where it is installed.
#[test]
fn opendkim_accepts_what_is_signed() {
    let directory = TempDir::new().unwrap();
    let directory = directory.path();
    fs::write(directory.join("message.eml"), "From: a@example.com\r\nSubject: x\r\n\r\nHello\r\n")
        .unwrap();
    let arguments = ["--type", "both", "-d", "example.com", "--record", "single-line"];
    let (code, records, _) = genkey(directory, &arguments);
    assert_eq!(code, Some(0));
    let selectors = ["default", "default-ed25519"];
    let keys = selectors.iter().zip(records.lines());
    let keys: String =
        keys.map(|(name, record)| format!("{name}._domainkey.example.com {record}\n")).collect();
    fs::write(directory.join("keys"), keys).unwrap();
    let configuration =
        format!("Mode v\nTestPublicKeys {}\n", directory.join("keys").to_str().unwrap());
    fs::write(directory.join("opendkim.conf"), configuration).unwrap();
    for selector in selectors {
        let private = format!("{selector}.private");
        let mut sign = Command::new(env!("CARGO_BIN_EXE_sign-message"));
        sign.args(["--key", &private, "--selector", selector, "message.eml"]);
        let signed = sign.current_dir(directory).output().unwrap().stdout;
        fs::write(directory.join("signed.eml"), signed).unwrap();
        let mut opendkim = Command::new("opendkim");
        opendkim.args(["-x", "opendkim.conf", "-t", "signed.eml", "-v"]).current_dir(directory);
        match opendkim.output() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                eprintln!("SKIPPED: opendkim is not installed, so it verifies nothing");
                return;
            }
            output => {
                let (_, out, err) = told(output.unwrap());
                assert!((out + &err).contains(") succeeded"), "{selector}");
            }
        }
    }
}

#[test]
fn the_umask_changes_nothing() {
    for umask in ["000", "022", "077", "277", "777"] {
        let directory = TempDir::new().unwrap();
        let arguments = ["--type", "ed25519", "-d", "example.com"];
        let (code, _, err) = after(&format!("umask {umask}"), directory.path(), &arguments);
        assert_eq!(code, Some(0), "{err}");
        for file in ["default.private", "default.txt"] {
            assert_eq!(mode(&directory.path().join(file)), 0o600, "umask {umask}: {file}");
        }
    }
}

#[test]
fn what_exists_is_not_touched() {
    for name in [OLD_NAME, "genkey"] {
        for file in ["default.private", "default.txt"] {
            let directory = TempDir::new().unwrap();
            let path = directory.path().join(file);
            fs::write(&path, "precious").unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
            let (code, out, err) = output(name, directory.path(), &["--type", "ed25519"]);
            assert_eq!((code == Some(0), out.as_str()), (false, ""));
            let said = format!("{file}: it exists and is not overwritten (--force keeps a copy");
            assert!(err.contains(&said), "{err}");
            assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
            assert_eq!(names(directory.path()), [file]);
            assert_eq!(mode(&path), 0o644);
        }
    }
}

#[test]
fn force_keeps_a_copy() {
    let directory = TempDir::new().unwrap();
    let private = directory.path().join("default.private");
    fs::write(&private, "precious").unwrap();
    fs::set_permissions(&private, Permissions::from_mode(0o644)).unwrap();
    let arguments = ["--type", "ed25519", "-d", "example.com", "--force"];
    for number in 1..=3 {
        let (code, _, err) = genkey(directory.path(), &arguments);
        assert_eq!(code, Some(0));
        assert!(err.contains(&format!("default.private is kept as default.private.old-{number}")));
        assert_eq!(mode(&private), 0o600);
    }
    let old = |file: &str| fs::read_to_string(directory.path().join(file)).unwrap();
    assert_eq!(old("default.private.old-1"), "precious");
    assert!(old("default.private.old-2").starts_with("-----BEGIN PRIVATE KEY-----"));
    assert_ne!(old("default.private"), old("default.private.old-3"));
    assert_eq!(names(directory.path()).len(), 2 + 3 + 2);
}

#[test]
fn links_are_not_followed() {
    for force in [&[][..], &["--force"]] {
        for target in ["elsewhere", "nowhere"] {
            for file in ["default.private", "default.txt"] {
                let directory = TempDir::new().unwrap();
                fs::write(directory.path().join("elsewhere"), "precious").unwrap();
                symlink(target, directory.path().join(file)).unwrap();
                let arguments = [&["--type", "ed25519"], force].concat();
                let (code, _, err) = genkey(directory.path(), &arguments);
                assert_eq!(code, Some(2));
                assert!(err.contains(&format!("{file}: it is a symbolic link")), "{err}");
                assert_eq!(names(directory.path()).len(), 2);
                let kept = fs::read_to_string(directory.path().join("elsewhere")).unwrap();
                assert_eq!(kept, "precious");
            }
        }
    }
}

#[test]
fn a_directory_in_the_way() {
    let directory = TempDir::new().unwrap();
    fs::create_dir(directory.path().join("default.txt")).unwrap();
    let (code, _, err) = genkey(directory.path(), &["--type", "ed25519", "--force"]);
    assert_eq!(code, Some(2));
    assert!(err.contains("default.txt: it exists and is no file"), "{err}");
    assert_eq!(names(directory.path()), ["default.txt"]);
}

#[test]
fn a_full_disk_loses_nothing() {
    // No file may grow beyond no octets; the signal that comes with it is ignored.
    let full = "trap '' XFSZ; ulimit -f 0";
    for force in [&[][..], &["--force"]] {
        let directory = TempDir::new().unwrap();
        let before: &[&str] = if force.is_empty() {
            &[]
        } else {
            fs::write(directory.path().join("default.private"), "precious").unwrap();
            &["default.private"]
        };
        let arguments = [&["--type", "ed25519"], force].concat();
        let (code, out, err) = after(full, directory.path(), &arguments);
        assert_eq!((code, out.as_str()), (Some(2), ""));
        assert!(err.contains("error: default.private: "), "{err}");
        assert_eq!(names(directory.path()), before);
        if let [file] = before {
            assert_eq!(fs::read_to_string(directory.path().join(file)).unwrap(), "precious");
        }
    }
}

/// Root may write anywhere, so the tool is run as nobody then.
#[test]
fn a_directory_that_cannot_be_written() {
    let directory = TempDir::new().unwrap();
    let (tool, keys) = (directory.path().join("genkey"), directory.path().join("keys"));
    fs::copy(GENKEY, &tool).unwrap();
    fs::create_dir(&keys).unwrap();
    for path in [directory.path(), &keys, &tool] {
        fs::set_permissions(path, Permissions::from_mode(0o555)).unwrap();
    }
    let mut command = Command::new(&tool);
    command.args(["--type", "ed25519", "-D"]).arg(&keys).current_dir("/");
    // Who may write here all the same is root.
    if fs::write(keys.join("root"), "").is_ok() {
        fs::remove_file(keys.join("root")).unwrap();
        command.uid(NOBODY).gid(NOBODY);
    }
    let (code, _, err) = told(command.output().unwrap());
    let said = format!("{}: permission denied\n", keys.join("default.private").display());
    assert_eq!(code, Some(2), "{err}");
    assert!(err.ends_with(&said), "{err}");
    assert!(names(&keys).is_empty());
    for path in [directory.path(), &keys] {
        fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    }
}

#[test]
fn no_directory() {
    let directory = TempDir::new().unwrap();
    let (code, _, err) = output(OLD_NAME, directory.path(), &["-D", "nowhere"]);
    assert_eq!((code, err.as_str()), (Some(2), "opendkim-genkey: nowhere: no such directory\n"));
    fs::write(directory.path().join("file"), "").unwrap();
    let (code, _, err) = genkey(directory.path(), &["-D", "file"]);
    assert_eq!(code, Some(2));
    assert!(err.ends_with("file: not a directory\n"), "{err}");
}

#[test]
fn nothing_reaches_a_shell() {
    let directory = TempDir::new().unwrap();
    for selector in
        ["x;touch pwned;y", "$(touch pwned)", "`touch pwned`", "x|touch pwned", "../x", "a/b"]
    {
        let (code, out, err) = output(OLD_NAME, directory.path(), &["-s", selector]);
        assert_eq!((code, out.as_str()), (Some(1), ""));
        assert!(err.starts_with("opendkim-genkey: invalid value "), "{err}");
        assert!(names(directory.path()).is_empty(), "{selector}");
    }
}

#[test]
fn sizes() {
    let directory = TempDir::new().unwrap();
    for (name, code) in [(OLD_NAME, 1), ("genkey", 2)] {
        let (got, _, err) = output(name, directory.path(), &["-b", "512"]);
        assert_eq!(got, Some(code));
        assert!(err.contains("an RSA key of 512 bits is refused by verifiers"), "{err}");
        assert!(names(directory.path()).is_empty());
    }
    let (code, _, err) = output(OLD_NAME, directory.path(), &["-b", "1024"]);
    assert_eq!(code, Some(0));
    assert!(err.starts_with("opendkim-genkey: WARNING: an RSA key of 1024 bits is weak"), "{err}");
    let from = testdata("keys/rsa-2048.pem");
    let (code, _, err) =
        genkey(directory.path(), &["-b", "1024", "--from", from.to_str().unwrap()]);
    assert_eq!(code, Some(2));
    assert!(err.ends_with("rsa-2048.pem: the key has 2048 bits, not 1024\n"), "{err}");
}

#[test]
fn nothing_reaches_the_terminal_unescaped() {
    let directory = TempDir::new().unwrap();
    for arguments in
        [["--\x1b[31m", "-t"], ["-b", "\x1b[31m"], ["-s", "\x1b[31m"], ["-D", "\x1b[31m"]]
    {
        let (code, out, err) = output(OLD_NAME, directory.path(), &arguments);
        assert_ne!(code, Some(0));
        assert!(!out.contains('\x1b') && !err.contains('\x1b'), "{err:?}");
    }
    let name = std::os::unix::ffi::OsStrExt::from_bytes(b"-D\xff");
    let output = command(OLD_NAME, directory.path(), &[]).arg::<&std::ffi::OsStr>(name).output();
    assert_eq!(output.unwrap().status.code(), Some(1));
    assert!(names(directory.path()).is_empty());
}

/// Its own words, and the exit codes that scripts know.
#[test]
fn the_manners_of_opendkim_genkey() {
    let directory = TempDir::new().unwrap();
    let old = |arguments: &[&str]| output(OLD_NAME, directory.path(), arguments);
    let (code, out, err) = old(&["--help"]);
    assert_eq!((code, out.as_str()), (Some(0), ""));
    assert!(err.starts_with("opendkim-genkey: usage: opendkim-genkey [options]\n\t--append"));
    let (code, out, err) = old(&["-d", "example.com", "--bogus", "-b", "abc"]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    let said = "Unknown option: bogus\nValue \"abc\" invalid for option b (number expected)\n\
                opendkim-genkey: usage: ";
    assert!(err.starts_with(said), "{err}");
    assert!(err.contains("[example.com]"));
    let (code, out, err) = old(&["-V"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.starts_with("opendkim-genkey v2.11.0"), "{out}");
    assert!(names(directory.path()).is_empty());
    let (code, out, err) = old(&["-v", "-s", "x"]);
    assert_eq!((code, out.as_str()), (Some(0), ""));
    let said = "opendkim-genkey: generating private key\n\
                opendkim-genkey: private key written to x.private\n\
                opendkim-genkey: extracting public key\n\
                opendkim-genkey: DNS TXT record written to x.txt\n";
    assert_eq!(err, said);
    assert_eq!(names(directory.path()), ["x.private", "x.txt"]);
}

#[test]
fn a_note_stays_in_its_tag() {
    let directory = TempDir::new().unwrap();
    let arguments = ["--type", "ed25519", "-n", "hello \"q\" ; p=; \\", "-d", "example.com"];
    assert_eq!(genkey(directory.path(), &arguments).0, Some(0));
    let text = fs::read_to_string(directory.path().join("default.txt")).unwrap();
    assert!(
        text.contains(r#"n=\"hello =22q=22 =3B p=3D=3B =5C\"; h=sha256; k=ed25519; ""#),
        "{text}"
    );
}

#[test]
fn a_key_is_converted() {
    let directory = TempDir::new().unwrap();
    let from = testdata("keys/rsa-2048.pem");
    let from = from.to_str().unwrap();
    let convert = |from: &str, selector: &str, form: &str| {
        let arguments = ["--from", from, "-s", selector, "-D", ".", "--key-format", form];
        genkey(directory.path(), &arguments)
    };
    assert_eq!(convert(from, "a", "der").0, Some(0));
    assert_eq!(convert("a.private", "b", "pkcs8").0, Some(0));
    assert_eq!(convert("b.private", "c", "pkcs1").0, Some(0));
    let read = |path: &Path| fs::read(path).unwrap();
    assert_eq!(read(&directory.path().join("c.private")), read(Path::new(from)));
    let (code, _, err) = convert("c.private", "d", "seed");
    assert_eq!(code, Some(2));
    assert!(err.contains("a key of type rsa has no such form"), "{err}");
    // The record for a key where it is.
    fs::remove_file(directory.path().join("c.txt")).unwrap();
    assert_eq!(convert("c.private", "c", "pkcs8").0, Some(0));
    assert_eq!(read(&directory.path().join("c.private")), read(Path::new(from)));
    let all = ["a.private", "a.txt", "b.private", "b.txt", "c.private", "c.txt"];
    assert_eq!(names(directory.path()), all);
}

#[test]
fn the_json_is_that_of_the_schema() {
    let directory = TempDir::new().unwrap();
    let arguments = [
        "--type",
        "both",
        "-d",
        "mail.example.com",
        "--origin",
        "example.com",
        "--format",
        "json",
        "--cname",
        "mail.dkim.host.example",
    ];
    let (code, out, _) = genkey(directory.path(), &arguments);
    assert_eq!(code, Some(0));
    let document = serde_json::from_str(&out).unwrap();
    assert_eq!(schema::breaches("genkey", &document), [""; 0]);
    let private = fs::read_to_string(directory.path().join("default.private")).unwrap();
    assert!(!private.lines().any(|line| out.contains(line)));
    let from = testdata("keys/ed25519.seed");
    let (_, out, _) =
        genkey(directory.path(), &["--from", from.to_str().unwrap(), "--format", "json"]);
    assert_eq!(schema::breaches("genkey", &serde_json::from_str(&out).unwrap()), [""; 0]);
}
