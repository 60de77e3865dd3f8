/* run/lend.c: opens, before the loop, what PID 1 lends to every net: listeners, sockets, pipes, page. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "run/state.h"
#include "sys/fd.h"
#include "sys/listen.h"
#include "text/errtext.h"
#include "text/out.h"
#include "text/url.h"
#include "text/variable.h"

/* Without /proc: the path that exec was given. */
static int open_program(void) {
    int fd = fd_above_standard(open("/proc/self/exe", O_PATH | O_CLOEXEC));
    if (fd >= 0)
        return fd;
    const char *path = (const char *)getauxval(AT_EXECFN); /* NOLINT: a pointer is what it holds */
    return path == NULL ? -1 : fd_above_standard(open(path, O_PATH | O_CLOEXEC));
}

static bool say(struct run *run, const char *level, const char *what, const char *name, const char *why) {
    char text[512];
    struct out out = out_on(text, sizeof text);
    out_text(&out, level);
    out_text(&out, what);
    out_text(&out, name);
    out_text(&out, ": ");
    out_text(&out, why);
    run_say(run, 0, text);
    return false;
}

static bool refuse(struct run *run, const char *what, const char *name, const char *why) {
    return say(run, "error: ", what, name, why);
}

static bool open_http(struct run *run) {
    const char *name = run->config->http, *why;
    struct address address;
    if (name == NULL)
        return true;
    if ((why = address_parse(name, strlen(name), &address)) != NULL)
        return refuse(run, "http = ", name, why);
    run->helper.http = http_bind(&address);
    if (run->helper.http >= 0)
        return true;
    return refuse(run, "http = ", name,
                  errno == EADDRINUSE ? "another program listens there; lastcall does not run without the probes asked for"
                                      : errtext(errno));
}

static const char *control_error(int error) {
    switch (error) {
    case EADDRINUSE: return "another lastcall answers there";
    case EEXIST: return "what is there is no socket";
    case ENAMETOOLONG: return "the path is too long for a socket";
    default: return errtext(error);
    }
}

/* The default place is a service to the operator, and may be impossible; a place asked for is not. */
static bool open_control(struct run *run) {
    const char *wanted = run->config->control;
    if ((wanted == NULL && run->model->policy.single) || (wanted != NULL && strcmp(wanted, "off") == 0))
        return true;
    int error = control_bind(wanted, variable(run->envp, "XDG_RUNTIME_DIR"), &run->helper.control);
    if (error == 0)
        return true;
    run->helper.control.fd = -1;
    say(run, wanted == NULL ? "warning: " : "error: ", "control = ", run->helper.control.name, control_error(error));
    return wanted == NULL;
}

/* An abstract name that the kernel makes up: needs no file system, and meets no other. Credentials are
 * asked for from its birth on: they are attached when a datagram is sent, perhaps before net runs. */
static int notify_socket(char name[static 8]) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t n = sizeof address;
    int yes = 1, fd = fd_above_standard(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) != 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof(sa_family_t)) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &n) != 0) {
        close(fd);
        return -1;
    }
    n -= offsetof(struct sockaddr_un, sun_path);
    memcpy(name, address.sun_path, n < 7 ? n : 7);
    name[0] = '@';
    return fd;
}

/* The service's end blocks as any pipe does: the ends are separate descriptions. */
static int check_pipe(int *write_end) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    if (fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) {
        close(ends[0]);
        close(ends[1]);
        return -1;
    }
    *write_end = ends[1];
    return ends[0];
}

static bool open_checks(struct run *run) {
    struct helper_ends *helper = &run->helper;
    int16_t next = NET_FIRST_CHECK;
    for (uint16_t i = 0; i < run->model->n_checks; i++) {
        uint8_t kind = run->model->checks[i].kind;
        helper->net_fds[i] = -1;
        helper->check_fds[i] = helper->write_fds[i] = -1;
        if (kind == CHECK_NOTIFY)
            helper->check_fds[i] = notify_socket(helper->notify[i]);
        else if (kind == CHECK_FD)
            helper->check_fds[i] = check_pipe(&helper->write_fds[i]);
        else
            continue;
        if (helper->check_fds[i] < 0)
            return refuse(run, "ready of ", run->model->units[run->model->checks[i].unit].name, errtext(errno));
        helper->net_fds[i] = next++;
    }
    return true;
}

static bool take_room(struct run *run, struct arena *arena) {
    struct helper_ends *helper = &run->helper;
    size_t n = run->model->n_checks;
    helper->net_fds = arena_take(arena, n * sizeof *helper->net_fds);
    helper->check_fds = arena_take(arena, n * sizeof *helper->check_fds);
    helper->write_fds = arena_take(arena, n * sizeof *helper->write_fds);
    helper->notify = arena_take(arena, n * sizeof *helper->notify);
    helper->spawn_fds = arena_take(arena, (n + NET_FIRST_CHECK) * sizeof *helper->spawn_fds);
    return helper->net_fds != NULL && helper->check_fds != NULL && helper->write_fds != NULL &&
           helper->notify != NULL && helper->spawn_fds != NULL;
}

/* Children find the control socket by this; the array of the environment is ours to make anew. */
static bool name_socket(struct run *run, struct arena *arena) {
    static const char name[] = "LASTCALL_SOCKET=";
    size_t n = 0;
    if (run->helper.control.fd < 0)
        return true;
    while (run->envp[n] != NULL)
        n++;
    char **envp = arena_take(arena, (n + 2) * sizeof *envp);
    char *text = arena_take(arena, sizeof name + CONTROL_NAME);
    if (envp == NULL || text == NULL)
        return false;
    struct out out = out_on(text, sizeof name + CONTROL_NAME);
    out_text(&out, name);
    out_text(&out, run->helper.control.name);
    memcpy(envp, run->envp, n * sizeof *envp);
    envp[n] = text;
    run->envp = envp;
    return true;
}

/* What PID 1 holds open and a new helper is given, moved to its places, takes so many numbers. */
static uint16_t descriptors_needed(const struct run *run) {
    uint16_t checks = 0;
    for (uint16_t i = 0; i < run->model->n_checks; i++)
        checks += run->helper.net_fds[i] >= 0;
    return (uint16_t)(16 + 3 * checks);
}

/* Known once the files have been read, so it is said now: it never runs without the probes asked for. */
static bool enough_descriptors(struct run *run) {
    char number[24];
    struct out out = out_on(number, sizeof number);
    uint16_t needed = descriptors_needed(run);
    if (run->nofile.rlim_max >= needed) {
        run->jobs.pidfd_below = run->nofile.rlim_max - needed;
        return true;
    }
    out_uint(&out, needed);
    return refuse(run, "RLIMIT_NOFILE is too low for the endpoints and checks", "; they need", number);
}

/* net may share our uid: PID 1 is made non-dumpable, so that it cannot be traced by its helper. */
bool helper_open(struct run *run, struct arena *arena) {
    int error;
    if (!take_room(run, arena))
        return refuse(run, "", "lastcall", "no memory for the helper");
    if (!open_http(run) || !open_control(run) || !open_checks(run) || !enough_descriptors(run))
        return false;
    if (!name_socket(run, arena))
        return refuse(run, "", "lastcall", "no memory for the environment");
    if ((run->helper.program = open_program()) < 0)
        return refuse(run, "", "cannot open lastcall's own program", errtext(errno));
    if ((error = publish_open(run)) != 0)
        return refuse(run, "", "cannot make the page for the helper", errtext(error));
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    return true;
}

void helper_close(struct run *run) {
    if (run->helper.control.fd >= 0)
        control_unlink(&run->helper.control);
}
