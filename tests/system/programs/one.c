/* one.c: plays PID 1 for the helper (src/net) alone; test_net_alone.py drives it.
 *
 * usage: one HTTP|off CONTROL|off TOKEN|- [KIND TARGET EVERY_MS TIMEOUT_MS SUCCESSES FAILURES ready|live]...
 *
 * Three units stand in the page: web, worker and job; check i belongs to unit i % 3. The helper is a
 * fork that runs net_main() with the descriptors of model/page.h. Commands come from stdin, one a line;
 * every message of the helper is printed, and its end. What a command does is published with `publish`.
 * ONE_NOFILE: the helper's limit of descriptors.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/net.h"
#include "sys/clock.h"
#include "sys/control.h"
#include "sys/listen.h"
#include "sys/page.h"
#include "text/url.h"

enum { UNITS = 3, ROWS = 5, CHECKS = 64 };

static struct service services[UNITS] = {
    {.name = "web", .n_units = 1}, {.name = "worker", .n_units = 1}, {.name = "job", .n_units = 1},
};
static struct unit_policy units[UNITS] = {
    {.name = "web", .service = 0, .ready = NONE, .live = NONE},
    {.name = "worker", .service = 1, .ready = NONE, .live = NONE},
    {.name = "job", .service = 2, .ready = NONE, .live = NONE},
};
static struct step_policy steps[1] = {{.name = "broker", .phase = PH_DRAIN}};
static struct check_policy checks[CHECKS];
static int16_t check_fds[CHECKS];
static int theirs[CHECKS];     /* what the helper gets as check_fds */
static int ours[CHECKS];       /* the service's side of a pipe */
static struct row rows[ROWS] = {
    {.phase = PH_ANNOUNCE, .action = DO_ANNOUNCE, .subject = NONE, .stage = 0},
    {.phase = PH_DRAIN, .action = DO_COMMAND, .subject = 0, .stage = 1},
    {.phase = PH_STOP, .action = DO_STOP, .subject = 0, .stage = 2},
    {.phase = PH_STOP, .action = DO_STOP, .subject = 1, .stage = 2},
    {.phase = PH_SWEEP, .action = DO_SWEEP, .subject = NONE, .stage = 3},
};
static struct config config = {.model = {.services = services, .units = units, .steps = steps, .checks = checks,
                                         .n_services = UNITS, .n_units = UNITS, .n_steps = 1, .main = NONE}};

static struct page page;
static struct page_state *state;
static int bell, messages, http = -1, hear = 1;
static unsigned auto_reply, auto_pulse = 1;
static pid_t helper;

static void die(const char *what) { perror(what); exit(99); }

static uint8_t kind_of(const char *name) {
    static const char *const names[CHECK_N] = {"http", "tcp", "exec", "notify", "fd", "file", "delay"};
    for (uint8_t i = 0; i < CHECK_N; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    die(name);
    return 0;
}

/* A notify check's target is the socket's path here; a newline check's pipe is written by `line`. */
static void inbox(int i, int16_t *next) {
    theirs[i] = -1;
    check_fds[i] = -1;
    if (checks[i].kind == CHECK_NOTIFY) {
        struct sockaddr_un at = {.sun_family = AF_UNIX};
        strncpy(at.sun_path, checks[i].target, sizeof at.sun_path - 1);
        theirs[i] = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (bind(theirs[i], (struct sockaddr *)&at, sizeof at) < 0)
            die("bind");
    } else if (checks[i].kind == CHECK_FD) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) < 0)
            die("pipe");
        theirs[i] = ends[0];
        ours[i] = ends[1];
    } else {
        return;
    }
    check_fds[i] = (*next)++;
}

static void read_checks(int argc, char **argv) {
    int16_t next = NET_FIRST_CHECK;
    for (int i = 0, at = 4; at + 6 < argc && i < CHECKS; i++, at += 7) {
        bool live = strcmp(argv[at + 6], "live") == 0;
        checks[i] = (struct check_policy){
            .kind = kind_of(argv[at]), .target = argv[at + 1], .every = MS(atoi(argv[at + 2])),
            .timeout = MS(atoi(argv[at + 3])), .successes = (uint16_t)atoi(argv[at + 4]),
            .failures = (uint16_t)atoi(argv[at + 5]), .live = live, .unit = (uint16_t)(i % UNITS),
        };
        *(live ? &units[i % UNITS].live : &units[i % UNITS].ready) = (uint16_t)i;
        config.model.n_checks++;
        inbox(i, &next);
    }
}

static void place(int fd, int at) {
    if (dup2(fd, at) < 0) /* without close-on-exec: as after the real exec */
        die("dup2");
}

static void start_helper(int control, int doorbell, int messages_end) {
    int high[CHECKS + 8], n = 0;
    helper = fork();
    if (helper < 0)
        die("fork");
    if (helper > 0)
        return;
    for (int fd = 0; fd < 2; fd++)
        place(open("/dev/null", O_RDWR), fd);
    int wanted[] = {page.fd, doorbell, messages_end, http, control};
    for (unsigned i = 0; i < 5; i++)
        high[n++] = wanted[i] < 0 ? -1 : fcntl(wanted[i], F_DUPFD, 200);
    for (int i = 0; i < config.model.n_checks; i++)
        high[n++] = theirs[i] < 0 ? -1 : fcntl(theirs[i], F_DUPFD, 200);
    for (int fd = 3; fd < 200; fd++)
        close(fd);
    for (int i = 0; i < 5; i++)
        if (high[i] >= 0)
            place(high[i], NET_PAGE + i);
    for (int i = 0; i < config.model.n_checks; i++)
        if (high[5 + i] >= 0)
            place(high[5 + i], check_fds[i]);
    for (int fd = 200; fd < 200 + 3 * CHECKS; fd++)
        close(fd);
    if (getenv("ONE_NOFILE") != NULL) {
        rlim_t most = (rlim_t)atoi(getenv("ONE_NOFILE"));
        setrlimit(RLIMIT_NOFILE, &(struct rlimit){most, most});
    }
    net_main();
}

static void publish(void) {
    char byte = 1;
    page_end_write(&page);
    if (write(bell, &byte, 1) < 0 && errno != EAGAIN)
        perror("doorbell");
    state = page_begin_write(&page);
}

static void reply(uint32_t client, uint16_t code) {
    state->replies[state->next_reply++ % MAX_REPLIES] = (struct page_reply){.client = client, .code = code};
}

static void hear_message(void) {
    static const char *const kinds[MSG_N] = {"CHECK", "ASK", "EXTEND", "PULSE", "LIFE"};
    struct message m;
    ssize_t n = recv(messages, &m, sizeof m, MSG_DONTWAIT);
    if (n == 0) {
        printf("messages closed\n");
        hear = 0;
    }
    if (n != sizeof m)
        return;
    printf("%s %u client=%u verb=%d subject=%d value=%d gen=%u\n", kinds[m.kind], m.number, m.client, m.verb,
           m.subject, m.value, m.gen);
    if (m.kind == MSG_ASK && auto_reply) {
        reply(m.client, (uint16_t)auto_reply);
        publish();
    }
    if (m.kind == MSG_LIFE && auto_pulse) {
        state->pulse = m.client;
        publish();
    }
}

static void obey(char *line) {
    char word[32];
    int a = 0, b = 0, c = 0, d = 0, e = 0, n = sscanf(line, "%31s %d %d %d %d %d", word, &a, &b, &c, &d, &e);
    if (n < 1)
        return;
#define IS(text) (strcmp(word, text) == 0)
    if (IS("publish")) publish();
    else if (IS("life")) state->life = (uint8_t)a;
    else if (IS("ready")) state->ready = a;
    else if (IS("live")) state->live = a;
    else if (IS("startup")) state->startup = a;
    else if (IS("draining")) state->draining = a;
    else if (IS("asked")) { state->asked = state->clock = clock_now(); strcpy(state->cause, "SIGTERM"); }
    else if (IS("phase")) state->phase = (uint8_t)a;
    else if (IS("verdict")) { state->verdict = (uint8_t)a; state->exit = (int16_t)b; }
    else if (IS("leave")) state->leaving = true;
    else if (IS("unit"))
        page.units[a] = (struct page_unit_state){.state = (uint8_t)b, .pid = c, .ready = d,
                                                 .exit = n > 5 ? (int16_t)e : EXIT_UNKNOWN};
    else if (IS("row")) { page.rows[a].state = (uint8_t)b; page.rows[a].start = clock_now(); }
    else if (IS("check")) page.checks[a] = (struct page_check_state){.on = b, .gen = (uint32_t)c, .passing = d};
    else if (IS("auto")) auto_reply = (unsigned)a;
    else if (IS("reply")) reply((uint32_t)a, (uint16_t)b);
    else if (IS("pulses")) auto_pulse = (unsigned)a;
    else if (IS("hear")) { hear = a; printf("hears %d\n", a); }
    else if (IS("line")) { if (write(ours[a], "ready\n", 6) < 0) perror("line"); }
    else if (IS("writable")) printf("writable %d\n", (int)write(page.fd, "x", 1)); /* the seal */
    else if (IS("close")) close(bell);
    else printf("what is %s?\n", word);
}

/* false: nobody gives any more. */
static bool read_commands(void) {
    static char line[256];
    static size_t have;
    ssize_t n = read(0, line + have, sizeof line - 1 - have);
    if (n <= 0)
        return false;
    have += (size_t)n;
    line[have] = 0;
    for (char *end; (end = strchr(line, '\n')) != NULL;) {
        *end = 0;
        obey(line);
        have -= (size_t)(end + 1 - line);
        memmove(line, end + 1, have + 1);
    }
    return true;
}

int main(int argc, char **argv) {
    struct address address;
    struct control control = {.fd = -1};
    int pipe_ends[2], pair[2], error;
    if (argc < 4)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    if (strcmp(argv[1], "off") != 0) {
        const char *wrong = address_parse(argv[1], strlen(argv[1]), &address);
        if (wrong != NULL || (http = http_bind(&address)) < 0)
            die(wrong != NULL ? wrong : "http");
    }
    if (strcmp(argv[2], "off") != 0 && (error = control_bind(argv[2], NULL, &control)) != 0) {
        errno = error;
        die(control.name);
    }
    config.http_prestop = strcmp(argv[3], "-") == 0 ? NULL : argv[3];
    for (int i = 0; i < ROWS; i++) {
        rows[i].exit = EXIT_UNKNOWN;
        rows[i].start = rows[i].end = rows[i].deadline = NEVER;
    }
    read_checks(argc, argv);
    error = page_create(&page, &(struct page_plan){.config = &config, .rows = rows, .n_rows = ROWS,
                        .check_fds = check_fds, .owner = getuid(), .control = true});
    if (error != 0 || pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) < 0 ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
        die("page");
    bell = pipe_ends[1];
    messages = pair[0];
    state = page_begin_write(&page);
    state->started = clock_now();
    state->live = true;
    state->grace = SEC(30);
    state->life = LIFE_RUNNING;
    publish();
    start_helper(control.fd, pipe_ends[0], pair[1]);
    close(pipe_ends[0]);
    close(pair[1]);
    printf("helper %d\n", helper);
    for (;;) {
        struct pollfd fds[2] = {{.fd = 0, .events = POLLIN}, {.fd = hear ? messages : -1, .events = POLLIN}};
        int status;
        if (waitpid(helper, &status, WNOHANG) == helper) {
            while (hear && recv(messages, &error, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
                hear_message();
            printf("end %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status));
            break;
        }
        poll(fds, 2, 20);
        /* A command that was given before the helper was asked for something comes first. */
        while (poll(fds, 1, 0) > 0)
            if (!read_commands())
                goto out;
        if (fds[1].revents && hear)
            hear_message();
    }
out:
    kill(helper, SIGKILL);
    control_unlink(&control);
    return 0;
}
