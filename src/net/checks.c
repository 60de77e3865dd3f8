/* When a check runs. It is on while the page says so; a new generation in the page means a new process
 * behind it, so everything that was counted for the old one is forgotten. */
#include <errno.h>
#include <sys/stat.h>

#include "net/state.h"

static bool by_dial(uint8_t kind) { return kind == CHECK_HTTP || kind == CHECK_TCP; }
static bool by_inbox(uint8_t kind) { return kind == CHECK_NOTIFY || kind == CHECK_FD; }
static bool is_ours(uint8_t kind) { return by_dial(kind) || by_inbox(kind) || kind == CHECK_FILE; }

static void turn_off(struct net *net, uint32_t i) {
    struct check_run *run = &net->checks[i];
    if (!run->on)
        return;
    dial_end(net, i);
    run->on = run->tell = false;
    run->at = NEVER;
    net->n_on--;
}

static void turn_on(struct net *net, uint32_t i, const struct page_check_state *state) {
    struct check_run *run = &net->checks[i];
    turn_off(net, i);
    run->on = true;
    run->gen = state->gen;
    run->tell = run->extend = false;
    run->streak = (struct streak){.known = false};
    run->at = by_inbox(net->page.view.checks[i].kind) ? NEVER : net->now;
    net->n_on++;
}

void checks_turn(struct net *net) {
    const struct page_view *view = &net->page.view;
    for (uint32_t i = 0; i < view->head->n_checks; i++) {
        const struct page_check_state *state = &view->check_states[i];
        if (!is_ours(view->checks[i].kind))
            continue;
        if (!state->on || net->leaving)
            turn_off(net, i);
        else if (!net->checks[i].on || net->checks[i].gen != state->gen)
            turn_on(net, i, state);
        if (by_inbox(view->checks[i].kind))
            inbox_unmute(net, i);
    }
}

void check_fed(struct net *net, uint32_t i, bool pass) {
    const struct page_check *check = &net->page.view.checks[i];
    if (streak_feed(&net->checks[i].streak, pass, check->successes, check->failures))
        net->checks[i].tell = net->to_post = true;
}

void check_told(struct net *net, uint32_t i, bool pass) {
    if (streak_feed(&net->checks[i].streak, pass, 1, 1))
        net->checks[i].tell = net->to_post = true;
}

/* What we are not allowed to see is neither there nor missing: unknown. */
static void look_for_file(struct net *net, uint32_t i) {
    struct stat st;
    bool there = stat(view_text(&net->page.view, net->page.view.checks[i].target), &st) == 0;
    if (there || errno == ENOENT || errno == ENOTDIR)
        check_fed(net, i, there);
}

static void begin(struct net *net, uint32_t i) {
    const struct page_check *check = &net->page.view.checks[i];
    struct check_run *run = &net->checks[i];
    if (by_dial(check->kind) && run->state == D_IDLE && net->dialing >= net->max_dialing)
        return; /* it stays due, and has its turn when another has ended */
    run->at = after(net->now, longer(check->every, MS(1)));
    if (check->kind == CHECK_FILE)
        look_for_file(net, i);
    else if (by_dial(check->kind) && (run->state == D_IDLE || run->state == D_DISCARDING))
        dial(net, i);
}

void checks_due(struct net *net) {
    for (uint32_t i = 0; net->n_on > 0 && i < net->page.view.head->n_checks; i++) {
        struct check_run *run = &net->checks[i];
        if (!run->on)
            continue;
        if (run->state != D_IDLE && due(run->by, net->now))
            dial_overdue(net, i);
        if (due(run->at, net->now))
            begin(net, i);
    }
}

instant checks_next(const struct net *net) {
    instant next = NEVER;
    for (uint32_t i = 0; net->n_on > 0 && i < net->page.view.head->n_checks; i++) {
        const struct check_run *run = &net->checks[i];
        if (!run->on)
            continue;
        if (run->state != D_IDLE)
            next = earlier(next, run->by);
        if (run->state != D_IDLE || !due(run->at, net->now))
            next = earlier(next, run->at);
    }
    return next;
}
