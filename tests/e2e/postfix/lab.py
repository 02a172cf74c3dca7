"""The place where all runs: directories, addresses, programs, and what is printed when a check
fails."""

import os, pwd, re, shutil, signal, socket, subprocess, time

from mail import Delivered

REPOSITORY = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
# What guides name, and what is ours alone below a temporary directory.
OURS = re.compile(r"(?<![\w/.])/(etc/(?!ssl|localtime)|run/|var/spool/postfix|var/lib/postfix)")
PATIENCE = 30
# The domains with mailboxes.
DOMAINS_HERE = ["receiver.example", "subdomain.domain.example", "mail.example.com", "example.com"]
DOMAINS_THERE = ["far.example"]


class Failed(Exception):
    """A check failed; it has been told."""


class Lab:
    """Everything there is for the checks, and their results."""

    def __init__(self, home):
        self.home, self.bin = home, os.path.join(home, "bin")
        self.is_plain = os.environ.get("MAILPROOF_E2E_PLAIN") == "1"
        self.root = os.path.join(home, "root") if self.is_plain else ""
        # `here` is the host that is tested, `there` the one it has mail with, `evil` an address
        # nobody's SPF record has.
        self.here, self.there, self.evil, self.name_server = (
            ("127.113.0.25", "127.51.100.20", "127.113.0.66", "127.53.0.1")
            if self.is_plain
            else ("203.0.113.25", "198.51.100.20", "203.0.113.66", "127.53.0.1")
        )
        self.port = 2525 if self.is_plain else 25
        self.passed, self.failed, self.mailboxes, self.cleanups = 0, [], 0, []
        self.evidence = {}
        self.mail = os.path.join(home, "mail")
        os.mkdir(self.mail)
        os.chown(self.mail, 65534, 65534)
        with open(os.path.join(home, "mailboxes"), "w") as it:
            for domain in [*DOMAINS_HERE, *DOMAINS_THERE]:
                it.writelines(f"m{number}@{domain} m{number}/\n" for number in range(1, 500))
        if not self.is_plain:
            self.isolate()

    def isolate(self):
        """Files of our own in the places that are named in guides, and a network of our own."""
        for directory in ("/etc", "/run", "/var/spool/postfix", "/var/lib/postfix"):
            ours = self.home + "/own" + directory
            os.makedirs(os.path.dirname(ours), exist_ok=True)
            if directory == "/etc":
                subprocess.run(["cp", "-a", directory, ours], check=True)
            else:
                os.mkdir(ours, 0o755)
                shutil.copystat(directory, ours)
        os.chown(self.home + "/own/var/lib/postfix", pwd.getpwnam("postfix").pw_uid, 0)
        for directory in ("/etc", "/run", "/var/spool/postfix", "/var/lib/postfix"):
            run("mount", "--bind", self.home + "/own" + directory, directory)
        for name in (
            "/etc/resolv.conf",
            "/etc/opendkim",
            "/etc/opendkim.conf",
            "/etc/opendmarc.conf",
        ):
            remove(name)
        with open("/etc/resolv.conf", "w") as it:
            it.write(f"nameserver {self.name_server}\n")
        run("ip", "link", "set", "lo", "up")
        for address in (self.here, self.there, self.evil):
            run("ip", "address", "add", address + "/32", "dev", "lo")
        if subprocess.run(["id", "mailproofd"], capture_output=True).returncode:
            run("useradd", "--system", "--no-create-home", "mailproofd")
        # As the guides have it, for sockets that belong to these groups.
        run("usermod", "--append", "--groups", "opendkim,opendmarc", "postfix")

    def account(self, user):
        """This account, or one there is in its place."""
        return "opendkim" if user == "mailproofd" and self.is_plain else user

    def at(self, path):
        """Where this path of a guide is."""
        return self.root + path if OURS.match(path + "/") else path

    def text(self, text):
        """A configuration, with paths where they are."""
        return OURS.sub(lambda it: self.root + it.group(), text) if self.is_plain else text

    def write(self, path, text, owner=None, mode=0o644):
        path = self.at(path)
        self.directory(os.path.dirname(path))
        with open(path, "w") as it:
            it.write(self.text(text))
        os.chmod(path, mode)
        if owner:
            shutil.chown(path, owner)

    def directory(self, path, owner=None, mode=0o755):
        path = self.at(path)
        if not os.path.isdir(path):
            os.makedirs(path, 0o755)
            os.chmod(path, mode)
            if owner:
                user, _, group = owner.partition(":")
                shutil.chown(path, user, group or None)

    def read(self, *path):
        with open(os.path.join(*path), errors="replace") as it:
            return it.read()

    # What is checked.

    def check(self, is_so, description):
        if is_so:
            self.passed += 1
            print("ok  ", description, flush=True)
        else:
            self.fail(description)

    def fail(self, description):
        print("FAIL", description)
        self.failed.append(description)
        self.show()
        raise Failed(description)

    def show(self):
        """What was said and written, the end of each."""
        for name, text in self.evidence.items():
            text = text() if callable(text) else text
            lines = text.rstrip().split("\n")
            print(f"---- {name}", *lines[-60:], sep="\n")
        print("----", flush=True)

    def has(self, text, wanted, description):
        self.check(wanted in text, f"{description}: {wanted}")

    def wait(self, what, found, seconds=PATIENCE):
        """The first true value of `found`; fails after a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            value = found()
            if value:
                return value
            time.sleep(0.05)
        self.fail(f"{what} within {seconds} s")

    # Mail that arrived.

    def mailbox(self):
        self.mailboxes += 1
        return f"m{self.mailboxes}"

    def arrived(self, mailbox):
        """The files in a mailbox."""
        directory = os.path.join(self.mail, mailbox, "new")
        names = sorted(os.listdir(directory)) if os.path.isdir(directory) else []
        return [os.path.join(directory, it) for it in names]

    def delivered(self, mailbox, seconds=PATIENCE):
        what = f"a message arrives in {mailbox}"
        first, *_ = self.wait(what, lambda: self.arrived(mailbox), seconds)
        with open(first, "rb") as it:
            message = Delivered(it.read())
        os.remove(first)
        self.evidence["delivered"] = str(message)
        return message

    # Programs.

    def tool(self, name, *arguments, stdin=None):
        """Exit code and output of a tool of ours."""
        command = [os.path.join(self.bin, name), *arguments]
        done = subprocess.run(
            command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        output = done.stdout.decode(errors="replace")
        said = " ".join(["$", name, *arguments])
        self.evidence[said] = f"{output}(exit code {done.returncode})"
        return done.returncode, output

    def cleanup(self, undo):
        self.cleanups.append(undo)

    def end(self, name):
        """Ends a program of this name."""
        for undo in self.cleanups:
            program = getattr(undo, "__self__", None)
            if getattr(program, "name", None) == name:
                undo()

    def end_group(self):
        """Ends what the group started, the last first."""
        while self.cleanups:
            try:
                self.cleanups.pop()()
            except Exception as trouble:  # Whatever it is, the others are ended too.
                print("!!", trouble)
        self.evidence.clear()


class Program:
    """A program in the foreground, with its output in a file."""

    def __init__(self, lab, name, command, is_ready=lambda: True, end=signal.SIGTERM, **options):
        self.lab, self.name, self.command, self.options = lab, name, command, options
        self.is_ready, self.end = is_ready, end
        self.log_path = os.path.join(lab.home, f"{name}.log")
        remove(self.log_path)
        lab.evidence[f"log of {name}"] = self.log
        lab.cleanup(self.stop)
        self.start()

    def start(self):
        with open(self.log_path, "ab") as log:
            files = dict(stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            self.process = subprocess.Popen(self.command, **files, umask=0o022, **self.options)
        end = time.monotonic() + PATIENCE
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > end:
                self.lab.fail(f"{self.name} starts")
            time.sleep(0.02)

    def tell(self, number):
        self.process.send_signal(number)

    def stop(self, number=None):
        """Its exit code."""
        if self.process.poll() is None:
            self.tell(signal.SIGCONT)
            self.tell(number or self.end)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait()

    def log(self):
        return self.lab.read(self.log_path) if os.path.exists(self.log_path) else ""


def run(*command):
    subprocess.run(command, check=True)


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.remove(path)


def answers(path_or_address):
    """Whether somebody listens there."""
    family = socket.AF_UNIX if isinstance(path_or_address, str) else socket.AF_INET
    with socket.socket(family) as it:
        return it.connect_ex(path_or_address) == 0
