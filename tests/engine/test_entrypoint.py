"""ENTRYPOINT ["lastcall", "--"] takes any CMD."""
import pytest

from engine import wait_for

SCRIPT = '#!/bin/lastcall /bin/sh\necho "$0 $# $2: $(xargs -0 echo </proc/1/cmdline)"\nexit 5\n'


@pytest.mark.parametrize("command, out, code", [
    (["echo", "a  b", "*", ""], "a  b * \n", 0),
    (["cat", "/proc/1/comm"], "lastcall\n", 0),
    (["sh", "-c", "exit 7"], "", 7),
    (["sh", "-c", "kill -KILL $$"], "", 137),
    (["sh", "-c", "kill -TERM $$"], "", 143),
    (["/bin"], "", 126),
    (["/no/such"], "", 127),
    (["status"], "", 127),              # behind --, a verb's name is a command
    (["--help"], "", 127),
])
def test_any_command(docker, image, command, out, code):
    done = docker("run", "--rm", image, *command, check=False)
    assert (done.stdout, done.returncode) == (out, code)
    if code in (126, 127):
        assert "lastcall: " in done.stderr and command[0] in done.stderr


@pytest.mark.parametrize("cmd, out", [
    ('CMD ["sh", "-c", "echo $0 $WHO", "hello"]', "hello you\n"),
    ('CMD echo "hello $WHO"; true', "hello you\n"),
])
def test_the_command_of_the_image(docker, build, cmd, out):
    assert docker("run", "--rm", build("ENV WHO=you", cmd)).stdout == out


def test_no_command(docker, image):
    done = docker("run", "--rm", image, check=False)
    assert done.returncode == 2
    assert "there is no command" in done.stderr


def test_a_verb_as_the_first_process_names_the_way_out(docker, build):
    done = docker("run", "--rm", build('ENTRYPOINT ["lastcall"]'), "status", check=False)
    assert done.returncode not in (0, 125)
    assert "--" in done.stderr


@pytest.mark.parametrize("entrypoint", ['ENTRYPOINT ["/job"]', "ENTRYPOINT []"])
def test_a_script_that_runs_under_lastcall(docker, build, entrypoint):
    image = build("COPY job /job", entrypoint, job=SCRIPT)
    command = ["a", "b c"] if "job" in entrypoint else ["/job", "a", "b c"]
    done = docker("run", "--rm", image, *command, check=False)
    assert done.stdout == "/job 2 b c: /bin/lastcall /bin/sh /job a b c\n"
    assert done.returncode == 5


def test_a_script_hears_the_stop(run, build, workdir):
    job = "#!/bin/lastcall /bin/sh\ntrap 'echo bye; exit 9' TERM\necho ready\nwhile :; do sleep 0.05; done\n"
    image = build("COPY job /job", 'ENTRYPOINT ["/job"]', job=job)

    c = run(image)
    wait_for(lambda: c.out == "ready\n")
    c.stop()
    assert c.wait() == 9
    assert c.out == "ready\nbye\n"
