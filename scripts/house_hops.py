"""The half of `scripts/house --ways` that runs inside gdb. It stops a program at a call of one
function, and notes what is called on that thread until the function returns.

    HOPS_ROOT=FUNCTION HOPS_CALL=N HOPS_SOURCES=LIST HOPS_OUT=FILE \\
        gdb -batch -x scripts/house_hops.py --args PROGRAM ...

The N-th call of FUNCTION is the one that counts. FILE gets JSON: `ran` are the functions of the
source files in LIST, one a line, that were called; `stacks` are the calls from FUNCTION inwards, a
list for each call of the engine. A function is its name, its source file, and the line where it is
defined.
"""

import json
import os

import gdb

ENGINE_CALLS = [
    "sqlite3_exec", "sqlite3_prepare_v2", "sqlite3_prepare_v3", "sqlite3_step",
    "PQexec", "PQexecParams", "PQexecPrepared", "PQprepare",
    "PQsendQuery", "PQsendQueryParams", "PQsendQueryPrepared", "PQsendPrepare",
]

ROOT = os.environ["HOPS_ROOT"]


def is_root(function):
    # A header may have an overload that only passes on to the one that is compiled.
    return function[0].split("(")[0] == ROOT and function[1].endswith(".cpp")


def function_of(frame):
    symbol = frame.function()
    if symbol is None or symbol.symtab is None:
        return [frame.name() or "", "", 0]
    return [symbol.print_name, symbol.symtab.fullname(), symbol.line]


class Root(gdb.Breakpoint):
    calls_left = int(os.environ["HOPS_CALL"])

    def stop(self):
        if is_root(function_of(gdb.newest_frame())):
            self.calls_left -= 1
        return self.calls_left == 0


class Return(gdb.FinishBreakpoint):
    happened = False

    def stop(self):
        self.happened = True
        return True

    def out_of_scope(self):
        self.happened = True


class EngineCall(gdb.Breakpoint):
    stacks = []

    def stop(self):
        stack = []
        frame = gdb.newest_frame()
        while frame is not None:
            stack.insert(0, function_of(frame))
            if is_root(stack[0]):
                self.stacks.append(stack)
                break
            frame = frame.older()
        return False


def first_calls(thread, until):
    """Goes on to the end, and gives each function that is called on the way, once."""
    files = []
    with open(os.environ["HOPS_SOURCES"]) as sources:
        for path in sources.read().splitlines():
            try:
                files += {place.symtab for place in gdb.decode_line(f"{path}:1")[1] or ()}
            except gdb.error:
                pass  # nothing of it is in the program
    breakpoints = gdb.rbreak(".", minsyms=False, symtabs=files)
    for breakpoint in breakpoints:
        breakpoint.thread = thread
    ran = []
    hit = []
    gdb.events.stop.connect(lambda event: hit.extend(getattr(event, "breakpoints", [])))
    while not until.happened:
        hit.clear()
        gdb.execute("continue")
        first = [breakpoint for breakpoint in breakpoints if breakpoint in hit]
        if first:
            ran.append(function_of(gdb.newest_frame()))
        for location in (place for breakpoint in first for place in breakpoint.locations):
            if location.address == gdb.newest_frame().pc():
                location.enabled = False
    return ran


def main():
    for setting in ("pagination off", "breakpoint pending on", "breakpoint always-inserted on"):
        gdb.execute("set " + setting)
    gdb.execute("handle all nostop noprint pass")
    root = Root(ROOT)
    gdb.execute("run")
    if root.calls_left > 0:
        raise gdb.GdbError(f"{ROOT} was not called {os.environ['HOPS_CALL']} times")
    root.enabled = False
    called = function_of(gdb.newest_frame())
    thread = gdb.selected_thread().global_num
    for function in ENGINE_CALLS:
        EngineCall(function).thread = thread
    ran = [called] + first_calls(thread, Return(gdb.newest_frame(), internal=True))
    with open(os.environ["HOPS_OUT"], "w") as out:
        json.dump({"ran": ran, "stacks": EngineCall.stacks}, out)
    gdb.execute("kill")


main()
