"""make install, install-links and uninstall lay and take away what they say."""
import os
import subprocess

import lc

NAMES = {"tini", "tini-static", "docker-init", "dumb-init", "catatonit", "podman-init"}
PAGES = {"man1/lastcall.1", "man5/lastcall.ini.5", "man7/lastcall-http.7"}


def make(target, root):
    env = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    subprocess.run(["make", "-s", "-C", lc.ROOT, "-o", "build/lastcall", target, f"DESTDIR={root}", "PREFIX=/usr"],
                   env=env, check=True, timeout=50)


def files(root):
    return {str(path.relative_to(root / "usr")) for path in root.rglob("*") if not path.is_dir()}


def same(root):
    """The names that are lastcall."""
    return {name for name in NAMES if os.path.samefile(root / "usr/bin" / name, root / "usr/bin/lastcall")}


def test_names_are_laid_on_request_and_work_in_another_root(workdir):
    make("install", workdir)
    assert files(workdir) == {"bin/lastcall"} | {"share/man/" + page for page in PAGES}
    make("install-links", workdir)
    assert files(workdir) == {"bin/lastcall"} | {"share/man/" + page for page in PAGES} | {"bin/" + name for name in NAMES}
    for name in NAMES:
        done = subprocess.run(["chroot", workdir, f"/usr/bin/{name}"], capture_output=True, text=True, timeout=50)
        assert done.returncode == 1 and "sage: " in done.stderr and "lastcall:" not in done.stderr, done


def test_names_go_with_the_program_and_others_files_stay(workdir):
    make("install-links", workdir)
    theirs = workdir / "usr/bin/dumb-init"
    theirs.unlink()
    theirs.write_text("theirs")
    before = (workdir / "usr/bin/lastcall").stat().st_ino
    make("install", workdir)
    assert (workdir / "usr/bin/lastcall").stat().st_ino != before
    assert same(workdir) == NAMES - {"dumb-init"}
    make("uninstall", workdir)
    assert files(workdir) == {"bin/dumb-init"} and theirs.read_text() == "theirs"
