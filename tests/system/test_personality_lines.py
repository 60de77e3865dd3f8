"""Random command lines and environments: under another init's name lastcall does with them what that one does."""
import os
import random
import subprocess

import pytest

import lc

COMMANDS = [["true"], ["false"], ["sh", "-c", "exit 3"], ["sh", "--", "-c", "exit 4"], ["echo", "-l"],
            ["echo", "a", "--", "-h"], ["/nonexistent"], ["/etc"], ["sh"]]
WORDS = {
    "tini": ["-s", "-g", "-v", "-vv", "-vvv", "-w", "-h", "-l", "-x", "--version", "--", "-e", "3", "-e3", "256",
             "-e4", "-p", "SIGTERM", "-pSIGHUP", "TERM", "-sg", "-gse", "-svx", "--foo", "--v", "-", "-sg-", "-V", ""],
    "dumb-init": ["-c", "-v", "-h", "-V", "--", "--single-child", "--verbose", "--rewrite", "--rewrite=15:2", "-r",
                  "15:2", "-r15:2", "1:0", "--help", "--version", "--ver", "--verb", "--s", "--rew", "-x", "--foo",
                  "-cv", "-cvr", "--rewrite=", "--single-child=1", "-", "--h", "15:99", "-r1", "--v", "-crh", "a:b", "",
                  "3:3"],
    "catatonit": ["-g", "-h", "-L", "-V", "--version", "--ver", "--v", "--help", "-x", "--", "-gg", "-gV", "--foo",
                  "-gx", "-", "--version=1", "-V1", "-l", ""],
}
VARIABLES = {
    "tini": {"TINI_SUBREAPER": ["", "1"], "TINI_VERBOSITY": ["0", "1", "2", "3", "", "x", "9"],
             "TINI_KILL_PROCESS_GROUP": ["", "0"]},
    "dumb-init": {"DUMB_INIT_DEBUG": ["0", "1", "", "11"], "DUMB_INIT_SETSID": ["0", "1", ""]},
    "catatonit": {"CATATONIT_DEBUG": ["", "1"]},
}


def line(chance, name):
    """The arguments and the environment of one run."""
    args = [chance.choice(WORDS[name]) for _ in range(chance.randrange(4))]
    args += chance.choice(COMMANDS) if chance.random() < 0.9 else []
    if chance.random() < 0.3:
        args.insert(chance.randrange(len(args) + 1), chance.choice(WORDS[name]))
    env = {"PATH": "/usr/bin:/bin"}
    if chance.random() < 0.2:
        env["POSIXLY_CORRECT"] = chance.choice(["", "1"])
    env.update({key: chance.choice(values) for key, values in VARIABLES[name].items() if chance.random() < 0.2})
    return args, env


def outcome(path, args, env):
    """The code, and which streams it or the command wrote to. A failed exec counts as said, however much else is."""
    done = subprocess.run([path, *args], env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, cwd="/")
    failed = any(what in done.stderr for what in (b"No such file", b"Permission denied"))
    return done.returncode, failed or (done.stdout != b"", done.stderr != b"")


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", WORDS)
def test_random_lines(programs, workdir, name, seed):
    chance = random.Random(f"{name} {seed}")
    (workdir / name).symlink_to(programs.lastcall)
    environment = {key: os.environ[key] for key in ("ASAN_OPTIONS", "UBSAN_OPTIONS") if key in os.environ}
    for _ in range(100):
        args, env = line(chance, name)
        env.update(environment)
        ours, theirs = (outcome(path, args, env) for path in (workdir / name, f"/usr/bin/{name}"))
        assert ours == theirs, (args, env)


@pytest.mark.parametrize("argv0", ["", "web", "/a/b/"])
def test_the_files_name_counts_where_argv_0_names_nobody(programs, workdir, argv0):
    (workdir / "tini").symlink_to(programs.lastcall)
    done = subprocess.run([argv0, "-e", "3", "--", "sh", "-c", "exit 3"], executable=workdir / "tini", timeout=60)
    assert done.returncode == 0


def test_a_scripts_name_is_not_ours(programs, workdir):
    """The file that was executed is then the script, and argv[0] the interpreter."""
    (workdir / "tini").write_text(f"#!{programs.lastcall} /bin/sh\nexit 3\n")
    (workdir / "tini").chmod(0o755)
    done = subprocess.run([workdir / "tini"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 3 and done.stderr.startswith("lastcall: sh "), done


@pytest.mark.skipif(lc.SANITIZED, reason="a sanitizer cannot live under strace")
@pytest.mark.parametrize("name, says", [("tini", "[FATAL tini ("), ("dumb-init", "[dumb-init] Unable to fork. Exiting.\n"),
                                        ("catatonit", "failed to fork child: ")])
def test_a_fork_that_is_refused(programs, workdir, name, says):
    (workdir / name).symlink_to(programs.lastcall)
    done = subprocess.run(["strace", "-o", workdir / "trace", "-e", "inject=vfork,clone,fork:error=EAGAIN", workdir / name, "--", "true"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and says in done.stderr and "exec" not in done.stderr


@pytest.mark.skipif(lc.SANITIZED, reason="a sanitizer cannot live under strace")
@pytest.mark.parametrize("error", ["ENOSYS", "EPERM"])
def test_descriptors_are_closed_by_an_old_kernel_too(programs, workdir, error):
    """Or under a seccomp profile that does not know the call."""
    (workdir / "catatonit").symlink_to(programs.lastcall)
    init = ["strace", "-f", "-o", workdir / "trace", "-e", f"inject=close_range:error={error}", workdir / "catatonit"]
    with open("/dev/zero") as zero:
        look = "until test -s it; do ls -l /proc/$PPID/fd | grep -c zero >it.new; grep -q 0 it.new && mv it.new it; done"
        subprocess.run([*init, "--", "sh", "-c", look], pass_fds=[zero.fileno()], cwd=workdir, timeout=20, check=True)


def test_nobody_reads_the_words(programs, workdir):
    """The line about a broken pipe would break it again, and again, and be all that is ever done."""
    (workdir / "dumb-init").symlink_to(programs.lastcall)
    child = subprocess.Popen([workdir / "dumb-init", "-v", "sh", "-c", "echo up; exec sleep 60"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    child.stderr.close()
    try:
        assert child.stdout.readline() == b"up\n"
        child.terminate()
        assert child.wait(20) == 143
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


@pytest.mark.parametrize("name, words", [("tini", ["-vvv", "sleep", "0"]), ("dumb-init", ["-v", "sleep", "0"])])
def test_services_under_another_name(programs, workdir, name, words):
    (workdir / name).symlink_to(programs.lastcall)
    (workdir / "a.ini").write_text("[lastcall]\ngrace = 5s\n[service web]\ncommand = sleep 60\n")
    done = subprocess.run([workdir / name, *words], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "LASTCALL_CONFIG": str(workdir / "a.ini"), "LASTCALL_CONTROL": "off"})
    assert done.returncode == 0 and "CLEAN" in done.stderr, done


def test_a_ready_check_changes_no_manners(programs, workdir):
    (workdir / "dumb-init").symlink_to(programs.lastcall)
    script = workdir / "script"
    script.write_text("ps -o pid=,pgid=,sid= -p $$; readlink /proc/$PPID/cwd\n")
    script.chmod(0o755)
    done = subprocess.run([workdir / "dumb-init", script], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "LASTCALL_READY": "delay 100ms", "LASTCALL_CONTROL": "off"})
    numbers, cwd = done.stdout.splitlines()
    assert len(set(numbers.split())) == 1 and cwd == "/", done


def test_whoever_listens_for_the_command_hears_the_command(programs, workdir):
    (workdir / "catatonit").symlink_to(programs.lastcall)
    done = subprocess.run([workdir / "catatonit", "--", "sh", "-c", "echo $NOTIFY_SOCKET"], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "NOTIFY_SOCKET": "/nowhere"})
    assert done.stdout == "/nowhere\n", done
