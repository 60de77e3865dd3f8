"""What `lastcall check` says of a configuration that is no mistake, and yet hardly meant."""
import json
import subprocess

import pytest

import lc
from cfg import *

GOOD = """
[lastcall]
grace = 20s
[service web]
command = ./web
main = yes
ports = 8080
ready = tcp 127.0.0.1:8080
stop-timeout = 5s
[drain queue]
command = ./leave
timeout = 2s
"""


def check(*words, **env):
    done = subprocess.run([lc.BINARY, "check", *map(str, words)], capture_output=True, text=True, timeout=60,
                          env={"PATH": "/usr/bin", **env})
    return done.stdout, done.stderr, done.returncode


def lines_of(out):
    """(line, text) of each finding."""
    found = [line.split(":", 3) for line in out.splitlines()]
    assert all(parts[2] == " warning" for parts in found), out
    return [(int(parts[1]), parts[3].strip()) for parts in found]


def test_nothing_is_said_of_what_is_well(conf):
    assert check("--strict", "--platform", "docker", conf(GOOD.replace("20s", "10s"))) == ("", "", 0)


@pytest.mark.parametrize("old, new, line, says", [
    ("./web", "nginx -g 'daemon off;'", 3, "nginx cuts its connections on TERM; write stop-signal = QUIT"),
    ("./web\n", "/usr/sbin/nginx\nstop-signal = INT\n", 5, "nginx cuts its connections on INT; write stop-signal = QUIT"),
    ("./web", "apache2 -DFOREGROUND", 3, "apache2 cuts its connections on TERM; write stop-signal = WINCH"),
    ("./web", "httpd -DFOREGROUND", 3, "write stop-signal = WINCH"),
    ("./web", "php-fpm8.2 -F", 3, "php-fpm cuts its requests on TERM; write stop-signal = QUIT"),
    ("./web", "haproxy -f x", 3, "haproxy cuts its connections on TERM; write stop-signal = USR1"),
    ("./web", "postgres -D x", 3, "postgres waits for all of its clients to leave on TERM; write stop-signal = INT"),
    ("./web\n", "postgres -D x\nstop-signal = QUIT\n", 5, "has to recover when it starts again, on QUIT; write stop-signal = INT"),
    ("ready = tcp 127.0.0.1:8080", "ready = tcp 127.0.0.1:8081", 7, "no service names that port in its ports"),
    ("ready = tcp 127.0.0.1:8080", "ready = http http://127.0.0.1:80/8080", 7, "no service names that port in its ports"),
    ("stop-timeout = 5s", "guarantee = 18s", 8, "web is promised 18s of the 19s that there are"),
    ("timeout = 2s", "timeout = 16s\nguarantee = 16s", 12, "queue is promised 16s of the 19s that there are"),
    ("./leave", "./leave ${QUEUE}", 10, "${QUEUE} is nothing here; write ${QUEUE:-default}"),
    ("./web", "./web ${PORT}", 4, "${PORT} is nothing here"),
    ("./web", "./web ${PORT:-${NEXT}}", 4, "${NEXT} is nothing here"),
    ("./web\n", "./web\nenv = URL=http://${HOST}/\n", 5, "${HOST} is nothing here"),
    ("./leave\n", "./leave\nenv = A=${B}\nenv = B=1\n", 11, "${B} is nothing here"),
    ("20s\n", "20s\nenv = A=${NOBODY}\n", 3, "${NOBODY} is nothing here"),
    ("./web\n", "./web ${PATH}\nenv-clear = yes\n", 4, "${PATH} is nothing here, for env-clear drops it; write env-pass = PATH"),
    ("ready = tcp 127.0.0.1:8080", "ready = exec ./ask ${HOST}", 7, "${HOST} is nothing here"),
    ("./leave", "./leave ${LASTCALL_LEFTMS}", 10, "${LASTCALL_LEFTMS} is nothing here"),
    ("ready = tcp 127.0.0.1:8080", "ready = http http://127.0.0.1/", 7, "no service names that port"),
    ("./web", "/docker-entrypoint.sh nginx -g 'daemon off;'", 3, "nginx cuts its connections on TERM"),
    ("./web", "docker-entrypoint.sh postgres", 3, "postgres waits for all"),
    ("./web", "gosu app env A=1 /usr/sbin/nginx", 3, "nginx cuts its connections on TERM"),
    ("./web", "httpd-foreground", 3, "httpd cuts its connections on TERM"),
    ("./web", "sh -c \"envsubst <a >b && exec nginx -g 'daemon off;'\"", 3, "nginx cuts its connections on TERM"),
    ("stop-timeout = 5s", "stop-timeout = 30s", 8, "web may get only 18s"),
])
def test_what_it_says(conf, old, new, line, says):
    out, err, code = check(conf(GOOD.replace(old, new, 1)))
    found = [(at, text) for at, text in lines_of(out) if says in text]
    assert found and found[0][0] == line and code == 0, (out, err)
    assert check("--strict", conf(GOOD.replace(old, new, 1)))[2] == 78


@pytest.mark.parametrize("old, new", [
    ("./web", "nginx-debug"),                                  # another program
    ("./web\n", "nginx\nstop-signal = QUIT\n"),
    ("./web\n", "nginx\nstop-command = nginx -s quit\n"),
    ("./web", "./web ${PORT:-80} ${PORT:+x} $${NO} $HOME ${LASTCALL_REPLICA}"),
    ("./web\n", "./web ${PORT}\nenv = PORT=80\n"),
    ("./web\n", "./web ${PORT}\nenv-file = ./env\n"),          # who knows what it brings
    ("ports = 8080", "ports = 80, 8080"),
    ("ports = 8080\n", ""),
    ("stop-timeout = 5s", "guarantee = 14s"),
    ("./web", "sh -c './web ${PORT}'"),                        # the shell's own
    ("./web", "./web \\${PORT} ${PORT:+${NEXT}}"),
    ("./web\n", "./web\nenv = A=1\nenv = B=${A}\n"),
    ("./web\n", "./web ${PATH}\nenv-clear = yes\nenv-pass = PATH\n"),
    ("ports = 8080", "ports = 80\nports = 8080"),
    ("ports = 8080", "ports = 08080"),
    ("ready = tcp 127.0.0.1:8080\n", "ready = tcp 127.0.0.1:9000\n[service php]\ncommand = ./php\nports = 9000\n"),
    ("ready = tcp 127.0.0.1:8080\n", "ready = http http://unix:/run/web.sock:/\n"),
    ("./web\n", "nginx -t\ntype = oneshot\n[service x]\ncommand = ./x\n"),
])
def test_what_it_does_not_say(conf, old, new):
    out, err, code = check("--strict", conf(GOOD.replace(old, new, 1)))
    assert (out, code) == ("", 0), err


SWALLOWS = "stays in front of the program and does not hand signals on; write exec before the last command"


@pytest.mark.parametrize("command, warns", [
    ("sh -c 'a; b'", True), ("sh -ec 'a && b'", True), ("sh -e -c 'a | b'", True), ("sh -c 'a;'", True),
    ("bash --norc -eo pipefail -c 'a; b'", True), ("env A=1 bash -c 'a; b'", True), ("gosu app sh -c 'a; b'", True),
    ("busybox sh -c 'a; b'", True), ("sh -c 'exec 3>log; a; b'", True), ("sh -c 'a; execute b'", True),
    ("sh -c a", False), ("sh script", False), ("sh script -c 'a; b'", False), ("sh -c 'a; exec b'", False),
    ("sh -c 'a 2>&1 &>log'", False), ("sh -c 'exec a $(b; c) `d; e`'", False), ("sh -c 'a \\; b'", False),
    ("sh -c 'if a; then exec b; else exec c; fi'", False), ("sh -c 'exec a;'", False),
    ("sh -c 'trap \"kill $!\" TERM; a & wait'", False), ("sh -c 'a # b; c'", False), ("sh -c 'a \";\" b'", False),
])
def test_shells_that_stay(conf, command, warns):
    out, err, code = check(conf(GOOD.replace("./web", command)))
    assert (SWALLOWS in out) == warns, out


def test_npm_behind_others(conf):
    assert "npm does not hand signals on" in check(conf(GOOD.replace("./web", "docker-entrypoint.sh npm start")))[0]


def test_the_command_of_the_command_line(conf):
    path = conf("[lastcall]\ngrace = 9s\n[service web]\nmain = yes\n[service job]\ncommand = ./job\n")
    assert f"{path}:3: warning: nginx cuts its connections on TERM" in check(path, "--", "nginx", "-g", "daemon off;")[0]
    assert SWALLOWS in check(path, "--", "sh", "-c", "a; b")[0]
    assert "nginx cuts" in check(conf("[lastcall]\ngrace = 9s\n"), "--", "nginx")[0]
    assert check("--strict", path, "--", "./web")[2] == 0


def test_one_guarantee_alone_crowds_nobody(conf):
    assert check("--strict", conf("[lastcall]\ngrace = 20s\n[service web]\ncommand = ./web\nguarantee = 18s\n"))[2] == 0


def test_a_directory_with_nothing_in_it(conf, workdir):
    (workdir / "none").mkdir()
    out, err, code = check("--strict", workdir / "none")
    assert code == 78 and f"{workdir}/none:1: warning: no *.ini stands there" in out
    assert all(f["line"] == 1 for f in json.loads(check("--json", workdir / "none")[0]))


def test_more_files_than_there_may_be(workdir):
    for n in range(65):
        (workdir / f"{n}.ini").write_text(f"[service s{n}]\ncommand = x\n")
    out, err, code = check(workdir)
    assert code == 78 and "more than 64 files; write several in one" in out


def test_an_error_is_not_covered_by_what_follows_from_it(conf):
    out, err, code = check(conf("[Service web]\ncommand = x\n"))
    assert code == 78 and "there is no section [Service]" in out and len(out.splitlines()) == 1, out


def test_a_variable_that_is_said_once(conf):
    assert check(conf(GOOD.replace("./web", "./web ${PORT} ${PORT}")))[0].count("is nothing here") == 1


def test_a_variable_that_is_set(conf):
    path = conf(GOOD.replace("./web", "./web ${PORT}"))
    assert check("--strict", path, PORT="80")[2] == 0 and check("--strict", path)[2] == 78


# One more section, from line 12.
KEPT = GOOD + """[checkpoint jobs]
for = web
command = ./save
timeout = 4s
restore = ./load
restore-if-missing = /data/jobs
"""


@pytest.mark.parametrize("old, new, line, says", [
    ("restore-if-missing = /data/jobs", "", 16, "nothing guards what is newer than the checkpoint; write restore-if-missing ="),
    ("restore-if-missing = /data/jobs", "restore-on = restart", 17, "each restart brings back what was before"),
    ("restore-if-missing = /data/jobs", "keep = 1\nonly-if = ./guard", 17, "no other one if the latest turns out damaged; write keep = 2"),
    ("timeout = 4s", "", 12, "[checkpoint jobs] has no timeout"),
    ("timeout = 4s", "timeout = 15s", 15, "jobs is promised 15s of the 19s that there are"),
    ("for = web", "for = web\ndir = /run/jobs", 14, "/run/jobs is gone when the container is"),
    ("for = web", "for = web\ndir = /var/run/", 14, "/var/run is gone when the container is"),
    ("20s\n", "20s\ncheckpoint-dir = /tmp\n", 3, "/tmp is gone when the container is"),
    ("20s\n", "20s\ncheckpoint-dir = /dev/shm/kept\n", 3, "/dev/shm/kept is gone when the container is"),
    ("./load", "./load ${FROM}", 16, "${FROM} is nothing here"),
    ("/data/jobs", "/data/jobs\nonly-if = test ${NEW}", 18, "${NEW} is nothing here"),
])
def test_what_it_says_of_checkpoints(conf, old, new, line, says):
    out, err, code = check(conf(KEPT.replace(old, new, 1)))
    assert (line, True) in [(at, says in text) for at, text in lines_of(out)] and code == 0, (out, err)


@pytest.mark.parametrize("old, new", [
    ("restore-if-missing = /data/jobs", "only-if = ./nothing-there"),
    ("restore-if-missing = /data/jobs", "restore-if-missing = /data/jobs\nrestore-on = restart\nevery = 1m\nkeep = 2"),
    ("restore = ./load\nrestore-if-missing = /data/jobs", ""),
    ("for = web", "for = web\ndir = /running/tmp"),
    ("20s\n", "20s\ncheckpoint-dir = /tmpfile\n"),
    ("for = web", "when = after-stop"),
    ("for = web", "for = web\nwhen = after-stop\nevery = 10m"),
    ("command = ./save\ntimeout = 4s", "when = never"),
])
def test_what_it_does_not_say_of_checkpoints(conf, old, new):
    out, err, code = check("--strict", conf(KEPT.replace(old, new, 1)))
    assert (out, code) == ("", 0), err


def test_a_checkpoint_of_a_oneshot(conf):
    text = KEPT.replace("main = yes", "type = oneshot").replace("ready = tcp 127.0.0.1:8080\n", "")
    assert lines_of(check(conf(text))[0]) == [(12, "nothing is taken at the stop: web is a oneshot, and does not run any more or has "
                                                   "not done its work; write when = after-stop")]
    assert check("--strict", conf(text.replace("for = web", "for = web\nwhen = after-stop")))[2] == 0


LATER = GOOD + "[service late]\ncommand = ./late\nafter = job\nstop-timeout = 1s\n[service job]\ncommand = ./job\nstop-timeout = 1s\n"


def test_after_what_may_never_be_ready(conf):
    said = "late never starts if job fails"
    assert said in check(conf(LATER + "essential = no\nrestart = no\n"))[0]
    assert said not in check(conf(LATER + "essential = no\n"))[0]
    assert said not in check(conf(LATER))[0]


def test_after_a_main_that_is_the_end(conf):
    out, *_ = check(conf("[lastcall]\ngrace = 9s\n[service job]\ntype = oneshot\nmain = yes\ncommand = ./job\n"
                         "[service late]\ncommand = ./late\nafter = job\n"))
    assert lines_of(out) == [(9, "late never starts: it comes after job, whose end is the end of all; write after = another, "
                                 "or no main there")]


@pytest.mark.parametrize("platform, grace, says", [
    ("kubernetes", "31s", "kubernetes kills after 30s unless it is told; write the same there: terminationGracePeriodSeconds"),
    ("docker", "11s", "docker kills after 10s unless it is told; write the same there: docker run --stop-timeout"),
    ("ecs", "40s", "ecs kills after 30s unless it is told"),
    ("fargate", "121s", "fargate kills after 2m; write no more than that"), ("fargate", "100s", "stopTimeout in the task"),
    ("cloud-run", "11s", "cloud-run kills after 10s; write no more than that"),
    ("heroku", "31s", "heroku kills after 30s; write no more than that"),
    ("nomad", "31s", "nomad kills after 30s; write no more than that"), ("nomad", "10s", "write the same there: kill_timeout"),
    ("kubernetes", "30s", None), ("docker", "10s", None), ("fargate", "30s", None), ("nomad", "5s", None),
])
def test_the_grace_of_a_platform(conf, platform, grace, says):
    path = conf(f"[lastcall]\ngrace = {grace}\n[service web]\ncommand = ./web\n")
    out, err, code = check("--platform", platform, path)
    assert (says is None and out == "") or (lines_of(out)[0][0] == 2 and says in out), out
    assert check(path)[0] == ""


def test_where_a_grace_was_not_written(conf):
    path = conf("[service web]\ncommand = ./web\n")
    assert f"{path}:1: warning: grace = 30s" in check("--platform", "docker", path, KUBERNETES_SERVICE_HOST="x")[0]
    path = conf("[lastcall]\ngrace = 5s\n[service web]\ncommand = ./web\n")
    assert "lastcall: warning: grace = 1h" in check("--platform", "docker", path, LASTCALL_GRACE="1h")[0]


def test_a_platform_that_nobody_knows(conf):
    out, err, code = check("--platform", "mars", conf(GOOD))
    assert code == 2 and "write kubernetes, docker, ecs, fargate, cloud-run, heroku or nomad" in err and not out


def test_json_for_editors(conf):
    path = conf(GOOD.replace("./web", "nginx").replace("./leave", "./leave ${QUEUE}"))
    out, _, code = check("--json", path)
    found = json.loads(out)
    assert [(f["file"], f["line"], f["level"]) for f in found] == [(str(path), 3, "warning"), (str(path), 10, "warning")]
    assert "nginx" in found[0]["message"] and code == 0
    assert json.loads(check("--json", conf(GOOD))[0]) == []
    out, _, code = check("--json", conf(GOOD + "grace = 10\n[nope]\n"))
    assert code == 78 and {f["level"] for f in json.loads(out)} == {"error"}


def test_a_start_does_not_give_advice(app):
    run = app("[lastcall]\ngrace = 5s\n[service web]\ncommand = @svc web\nmain = yes\n[drain x]\ncommand = true ${NOTHING}\ntimeout = 1s\n").ready()
    assert "is nothing here" not in run.err
    assert run.stop() == 0
