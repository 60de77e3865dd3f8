/* cfg_prog: the services and commands that the tests of a configuration run, in one binary. Each says what happens
 * to it in lines on stdout, "MILLISECONDS NAME WORD...", written at once and whole.
 *
 *   svc NAME [KEY=VALUE...]   a service. Says "start PID", then "SIGNAL NUMBER" for each signal that it gets (all are
 *                             blocked and taken one by one) and "end CODE" before it exits
 *     delay=MS                waits before it listens, touches, notifies
 *     listen=PORT             accepts and closes on 127.0.0.1
 *     http=PORT code=FILE     answers 200, or the code in FILE, to each request
 *     touch=PATH              makes the file
 *     notify=TEXT             sends TEXT (\n is a new line) to $NOTIFY_SOCKET, "none": must not be set
 *     fd=N                    writes a newline to the descriptor N and closes it
 *     work=MS exit=CODE       after TERM or QUIT: works on for MS, then exits with CODE (0)
 *     until=PATH              after TERM or QUIT: works on until there is this file
 *     deaf=1                  takes signals, does nothing for them
 *     on=SIG:CODE             exits with CODE on SIG at once (8 at most)
 *     default=1               blocks no signal: dies of them
 *     life=MS                 ends by itself after MS, with exit=CODE, or of die=SIG
 *     extend=MS:USEC          after the stop signal sends EXTEND_TIMEOUT_USEC=USEC every MS, working on
 *     child=NAME[,KEY=VALUE]  forks first; the child is a svc NAME of the same group
 *     away=NAME[,KEY=VALUE]   the same, but setsid and double fork: it escapes group and session
 *     own=NAME[,KEY=VALUE]    the same, but setsid: a child in a session of its own
 *   say NAME [MS [CODE]]      says "begin" and, after MS, "end"; exits with CODE
 *   nth FILE N                exits 1 until it has been run N times (counted in FILE), then 0; says "try COUNT"
 *   show NAME VAR...          says "VAR=VALUE" or "VAR unset" of its environment, a line each; "all": every one
 *   args NAME WORD...         says its words, each in brackets
 *   inherit NAME              says "fd N" of each open descriptor, "umask M", "cwd DIR", "sid S pgrp P pid I",
 *                             "blocked HEX" and "stdin DEVICE" */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct service {
    const char *name, *touch, *notify, *code_file, *child, *away, *own, *until;
    int delay, listen, http, ready_fd, work, code, life, die, extend_every, extend_usec;
    int on[8], on_code[8], n_on;
    int deaf, defaults;
};

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void say(const char *name, const char *format, ...)
{
    char line[4096];
    int n = snprintf(line, sizeof line, "%lld %s ", (long long)now_ms(), name);
    va_list list;

    va_start(list, format);
    n += vsnprintf(line + n, sizeof line - (size_t)n - 1, format, list);
    va_end(list);
    if (n > (int)sizeof line - 2)
        n = sizeof line - 2;
    line[n++] = '\n';
    if (write(1, line, (size_t)n) != n)
        _exit(98);
}

static void rest(int ms)
{
    struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        ;
}

static int dead(const char *what)
{
    fprintf(stderr, "cfg_prog: %s: %s\n", what, strerror(errno));
    _exit(97);
}

static int listen_on(int port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 64) != 0)
        dead("listen");
    return fd;
}

static void notify(const char *text)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    const char *path = getenv("NOTIFY_SOCKET");
    char buffer[256];
    size_t n = 0;

    if (!path)
        dead("no NOTIFY_SOCKET");
    size_t length = strlen(path);
    memcpy(to.sun_path, path, length);
    if (path[0] == '@')
        to.sun_path[0] = 0;
    for (; *text && n < sizeof buffer; text++) {
        buffer[n++] = *text;
        if (text[0] == '\\' && text[1] == 'n')
            buffer[n - 1] = '\n', text++;
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (sendto(fd, buffer, n, 0, (struct sockaddr *)&to, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0)
        dead("notify");
    close(fd);
}

static void become_ready(const struct service *s)
{
    if (s->touch)
        close(open(s->touch, O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
    if (s->notify)
        notify(s->notify);
    if (s->ready_fd >= 0) {
        if (write(s->ready_fd, "\n", 1) != 1)
            dead("fd");
        close(s->ready_fd);
    }
}

static void answer(const struct service *s, int listener)
{
    char buffer[2048], code[8] = "200";
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0)
        return;
    if (s->http) {
        struct timeval limit = { 1, 0 };
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        int file = s->code_file ? open(s->code_file, O_RDONLY | O_CLOEXEC) : -1;
        if (file >= 0) {
            if (read(file, code, 3) != 3)
                memcpy(code, "200", 3);
            close(file);
        }
        if (read(fd, buffer, sizeof buffer) > 0)
            dprintf(fd, "HTTP/1.1 %s Word\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", code);
    }
    close(fd);
}

static void finish(const struct service *s, int code)
{
    say(s->name, "end %d", code);
    _exit(code);
}

static void stop(const struct service *s)
{
    int64_t end = now_ms() + s->work;
    char text[64];

    while (s->extend_every && now_ms() < end) {
        snprintf(text, sizeof text, "EXTEND_TIMEOUT_USEC=%d", s->extend_usec);
        notify(text);
        rest(s->extend_every);
    }
    if (now_ms() < end)
        rest((int)(end - now_ms()));
    while (s->until && access(s->until, F_OK) != 0)
        rest(10);
    finish(s, s->code);
}

static void on_signal(const struct service *s, int fd)
{
    struct signalfd_siginfo info;

    if (read(fd, &info, sizeof info) != sizeof info)
        return;
    int sig = (int)info.ssi_signo;
    if (sig == SIGCHLD) {
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        return;
    }
    say(s->name, "SIGNAL %d", sig);
    if (s->deaf)
        return;
    for (int i = 0; i < s->n_on; i++)
        if (s->on[i] == sig)
            finish(s, s->on_code[i]);
    if (sig == SIGTERM || sig == SIGQUIT)
        stop(s);
}

static void end_of_life(const struct service *s)
{
    struct rlimit none = { 0, 0 };
    uint64_t nothing = 0;

    if (!s->die)
        finish(s, s->code);
    setrlimit(RLIMIT_CORE, &none);
    say(s->name, "dies %d", s->die);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &nothing, NULL, 8);
    kill(getpid(), s->die);
    _exit(96);
}

static void read_keys(struct service *s, int argc, char **argv);

static void family(const struct service *s)
{
    const char *text = s->child ? s->child : s->away ? s->away : s->own;
    static char copy[256];
    char *words[16];
    int n = 0;

    if (!text || fork() != 0) {
        if (s->away)
            wait(NULL);
        return;
    }
    if (s->away || s->own)
        setsid();
    if (s->away && fork() != 0)
        _exit(0);
    snprintf(copy, sizeof copy, "%s", text);
    for (char *w = strtok(copy, ","); w && n < 16; w = strtok(NULL, ","))
        words[n++] = w;
    struct service *mine = calloc(1, sizeof *mine);
    read_keys(mine, n, words);
    memcpy((void *)s, mine, sizeof *mine);
}

static void read_keys(struct service *s, int argc, char **argv)
{
    *s = (struct service){ .name = argv[0], .ready_fd = -1 };
    for (int i = 1; i < argc; i++) {
        char *value = strchr(argv[i], '=');
        if (!value)
            dead(argv[i]);
        size_t n = (size_t)(value++ - argv[i]);
        int number = atoi(value);
#define IS(word) (n == strlen(word) && !memcmp(argv[i], word, n))
        if (IS("delay")) s->delay = number;
        else if (IS("listen")) s->listen = number;
        else if (IS("http")) s->http = number;
        else if (IS("code")) s->code_file = value;
        else if (IS("touch")) s->touch = value;
        else if (IS("notify")) s->notify = value;
        else if (IS("fd")) s->ready_fd = number;
        else if (IS("work")) s->work = number;
        else if (IS("until")) s->until = value;
        else if (IS("exit")) s->code = number;
        else if (IS("deaf")) s->deaf = number;
        else if (IS("default")) s->defaults = number;
        else if (IS("life")) s->life = number;
        else if (IS("die")) s->die = number;
        else if (IS("child")) s->child = value;
        else if (IS("away")) s->away = value;
        else if (IS("own")) s->own = value;
        else if (IS("extend")) {
            s->extend_every = number;
            s->extend_usec = atoi(strchr(value, ':') + 1);
        } else if (IS("on") && s->n_on < 8) {
            s->on[s->n_on] = number;
            s->on_code[s->n_on++] = atoi(strchr(value, ':') + 1);
        } else
            dead(argv[i]);
    }
}

static _Noreturn void svc(int argc, char **argv)
{
    struct service self;
    uint64_t all = ~0ULL;
    sigset_t set;

    read_keys(&self, argc, argv);
    struct service *s = &self;
    family(s);
    int signals = -1;
    if (!s->defaults) {
        syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, 8);
        memset(&set, 0xff, sizeof set);
        signals = (int)syscall(SYS_signalfd4, -1, &all, 8, SFD_CLOEXEC);
        if (signals < 0)
            dead("signalfd");
    }
    say(s->name, "start %d", getpid());
    int64_t born = now_ms();
    int listener = -1, ready = 0;
    for (;;) {
        int64_t at = now_ms() - born;
        if (!ready && at >= s->delay) {
            ready = 1;
            if (s->listen || s->http)
                listener = listen_on(s->listen ? s->listen : s->http);
            become_ready(s);
        }
        if (s->life && at >= s->life)
            end_of_life(s);
        int wait = -1;
        if (!ready)
            wait = s->delay - (int)at;
        if (s->life && (wait < 0 || s->life - (int)at < wait))
            wait = s->life - (int)at;
        struct pollfd p[2] = { { signals, POLLIN, 0 }, { listener, POLLIN, 0 } };
        if (poll(p, 2, wait) <= 0)
            continue;
        if (p[0].revents)
            on_signal(s, signals);
        if (p[1].revents)
            answer(s, listener);
    }
}

static int nth(char **argv)
{
    int fd = open(argv[0], O_RDWR | O_CREAT | O_CLOEXEC | O_APPEND, 0666);
    struct stat st;

    if (fd < 0 || write(fd, "x", 1) != 1 || fstat(fd, &st) != 0)
        return 98;
    say("nth", "try %d", (int)st.st_size);
    return st.st_size < atoi(argv[1]);
}

static int show(int argc, char **argv)
{
    extern char **environ;

    for (int i = 1; i < argc; i++) {
        const char *value = getenv(argv[i]);
        if (!strcmp(argv[i], "all"))
            for (char **e = environ; *e; e++)
                say(argv[0], "%s", *e);
        else if (value)
            say(argv[0], "%s=%s", argv[i], value);
        else
            say(argv[0], "%s unset", argv[i]);
    }
    say(argv[0], "shown");
    return 0;
}

static int args(int argc, char **argv)
{
    char line[3000] = "";

    for (int i = 1; i < argc; i++) {
        strncat(line, "[", sizeof line - strlen(line) - 1);
        strncat(line, argv[i], sizeof line - strlen(line) - 1);
        strncat(line, "]", sizeof line - strlen(line) - 1);
    }
    say(argv[0], "args %s", line);
    return 0;
}

static int inherit(char **argv)
{
    uint64_t mask = 0;
    char cwd[1024];
    mode_t m = umask(0);
    struct stat st;

    for (int fd = 0; fd < 4096; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            say(argv[0], "fd %d", fd);
    say(argv[0], "umask %03o", (unsigned)m);
    say(argv[0], "cwd %s", getcwd(cwd, sizeof cwd));
    say(argv[0], "sid %d pgrp %d pid %d", getsid(0), getpgrp(), getpid());
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, 8);
    say(argv[0], "blocked %llx", (unsigned long long)mask);
    if (fstat(0, &st) == 0)
        say(argv[0], "stdin %x:%x", (unsigned)(st.st_rdev >> 8), (unsigned)(st.st_rdev & 0xff));
    say(argv[0], "shown");
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    const char *verb = argv[1];
    argc -= 2;
    argv += 2;
    if (!strcmp(verb, "svc"))
        svc(argc, argv);
    if (!strcmp(verb, "nth"))
        return nth(argv);
    if (!strcmp(verb, "show"))
        return show(argc, argv);
    if (!strcmp(verb, "args"))
        return args(argc, argv);
    if (!strcmp(verb, "inherit"))
        return inherit(argv);
    if (strcmp(verb, "say") != 0)
        return 2;
    say(argv[0], "begin");
    if (argc > 1)
        rest(atoi(argv[1]));
    say(argv[0], "end");
    return argc > 2 ? atoi(argv[2]) : 0;
}
