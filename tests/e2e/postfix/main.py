"""Runs the checks; see `run`."""

import inspect, signal, sys, time, traceback

import guide_checks, load_checks, neighbour_checks, policy_checks
import sign_checks, trouble_checks, verify_checks
from lab import Failed, Lab
from servers import Dns
from world import records

MODULES = [
    verify_checks,
    sign_checks,
    guide_checks,
    policy_checks,
    neighbour_checks,
    load_checks,
    trouble_checks,
]


def groups():
    """The functions that are written in these modules and take the lab alone, in their order."""
    for module in MODULES:
        for name, function in vars(module).items():
            is_own = inspect.isfunction(function) and function.__module__ == module.__name__
            if is_own and list(inspect.signature(function).parameters) == ["lab"]:
                yield name, function


def main(home, wanted):
    known = dict(groups())
    unknown = set(wanted) - set(known)
    if unknown:
        sys.exit(f"no group {', '.join(unknown)}; there are {', '.join(known)}")
    # Also then, what was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    lab = Lab(home)
    dns = lab.dns = Dns(lab, records(lab))
    try:
        for name in wanted or known:
            print(f"== {known[name].__doc__.splitlines()[0].rstrip('.')} ({name})", flush=True)
            start = time.monotonic()
            try:
                known[name](lab)
            except Failed:
                pass
            except Exception:
                # A mistake of the test itself, or a peer that is gone: the others are run, too.
                traceback.print_exc(file=sys.stdout)
                lab.failed.append(name)
                lab.show()
            finally:
                lab.end_group()
            print(f"     {time.monotonic() - start:.1f} s", flush=True)
    finally:
        dns.program.stop()
    print(f"\ntests/e2e/postfix: {lab.passed} checks passed, {len(lab.failed)} failed")
    for description in lab.failed:
        print("FAIL", description)
    return 1 if lab.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
