"""HEALTHCHECK by `lastcall probe ready`."""
from engine import wait_for

APP = """
[lastcall]
grace = 30s
[service app]
command = sleep 1000
main    = yes
ready   = exec test -e /tmp/go every 50ms
"""
IMAGE = ["COPY app.ini /app.ini", 'ENTRYPOINT ["lastcall", "-c", "/app.ini"]',
         'HEALTHCHECK --interval=200ms --timeout=20s --retries=1 CMD ["lastcall", "probe", "ready"]']


def test_docker_sees_what_lastcall_sees(run, build):
    c = run(build(*IMAGE, **{"app.ini": APP}))

    def becomes(state):
        wait_for(lambda: c.inspect(".State.Health.Status") == state,
                 what=lambda: f"{state}: {c.inspect('json .State.Health')}")
    becomes("unhealthy")
    c.exec("touch", "/tmp/go")
    becomes("healthy")
    c.exec("lastcall", "drain")
    becomes("unhealthy")
    assert c.inspect(".State.Running") == "true"
    c.exec("lastcall", "resume")
    becomes("healthy")
    c.exec("rm", "/tmp/go")
    becomes("unhealthy")
    c.stop()
    assert c.wait() == 0


def test_one_command_with_a_health_check(run, build):
    """No configuration: options alone open the door."""
    c = run(build("ENV LASTCALL_HTTP=127.0.0.1:9180 LASTCALL_READY='tcp 127.0.0.1:8000'",
                  "HEALTHCHECK --interval=200ms --timeout=20s --retries=1 "
                  'CMD ["lastcall", "probe", "http://127.0.0.1:9180/readyz"]'), "sh", "-c",
            "mkdir /tmp/go; until [ -e /tmp/go/on ]; do sleep 0.05; done; exec httpd -f -p 8000 -h /tmp")
    wait_for(lambda: c.inspect(".State.Health.Status") == "unhealthy")
    c.exec("touch", "/tmp/go/on")
    wait_for(lambda: c.inspect(".State.Health.Status") == "healthy")
    c.stop()
    assert c.wait() == 143
