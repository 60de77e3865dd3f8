#!/usr/bin/env python3
"""Adds up the numbers in /srv/queue/in, one a line. Place and sum are one file, replaced as a whole: they always agree."""
import json
import os
import signal
import time

STATE = "/srv/worker/state.json"
stopping = []
signal.signal(signal.SIGTERM, lambda *_: stopping.append(1))    # finish the item in hand, then exit


def save(state):
    with open(STATE + ".new", "w") as file:
        json.dump(state, file)
    os.replace(STATE + ".new", STATE)


state = {"place": 0, "sum": 0}
if os.path.exists(STATE):
    with open(STATE) as file:
        state = json.load(file)
save(state)
print(f"worker: begins at {state['place']}", flush=True)

with open("/srv/queue/in", "a+") as queue, open("/srv/queue/done", "a") as done:
    queue.seek(state["place"])
    while not stopping:
        item = queue.readline()
        if not item.endswith("\n"):                             # nothing there, or half a line
            queue.seek(state["place"])
            time.sleep(0.05)
            continue
        state = {"place": queue.tell(), "sum": state["sum"] + int(item)}
        done.write(item)                                        # stands for what others see of the work
        done.flush()
        save(state)
