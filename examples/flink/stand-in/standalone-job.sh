#!/usr/bin/env python3
"""Stands in for a Flink jobmanager with one job, which counts. A savepoint is a directory that holds the number.

As the real one does, it answers at port 8081, begins with --fromSavepoint, and exits with 0 once the job was stopped.
"""
import http.server
import pathlib
import re
import sys
import threading
import time


def path_of(url):
    return pathlib.Path(re.sub("^file:(//)?", "", url))


options = dict(zip(sys.argv[2::2], sys.argv[3::2]))
job = options["--job-id"]
number = 0
if "--fromSavepoint" in options:
    number = int((path_of(options["--fromSavepoint"]) / "_metadata").read_text())
print(f"job {options['--job-classname']}: begins at {number}", flush=True)
counting = threading.Lock()
stopped = threading.Event()


class Rest(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(200, "{}")

    def do_POST(self):
        verb, of = self.path.strip("/").split("/")
        target = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if of != job or stopped.is_set():
            return self.answer(404, "no such job")
        with counting:
            if verb == "stop":
                stopped.set()
                print(f"job: stopped at {number}", flush=True)
            path = path_of(target) / f"savepoint-{job[:6]}-{time.time_ns():x}"
            path.mkdir(parents=True)
            (path / "_metadata").write_text(str(number))
        self.answer(200, f"file:{path}")

    def answer(self, code, text):
        self.send_response(code)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 8081), Rest)
server.daemon_threads = False           # who asked for the stop gets the answer
threading.Thread(target=server.serve_forever, daemon=True).start()
while not stopped.wait(0.01):
    with counting:
        if not stopped.is_set():
            number += 1
server.shutdown()
server.server_close()
